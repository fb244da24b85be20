//! Languages: texts from Fluent files, numbers and dates by ICU.

mod format;
mod texts;

pub use format::Formats;
pub use texts::{Text, Texts};

/// A whole number as templates have it: any kind, also behind a reference.
pub trait Count {
    fn count(&self) -> i64;
}

macro_rules! counts {
    ($($kind:ty),+) => {$(
        impl Count for $kind {
            fn count(&self) -> i64 {
                i64::try_from(*self).unwrap_or(i64::MAX)
            }
        }
    )+};
}
counts!(u8, i32, i64, u32, u64, usize);

impl<T: Count> Count for &T {
    fn count(&self) -> i64 {
        (*self).count()
    }
}

/// A language of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    En,
    De,
}

impl Locale {
    /// Every language; the first one has no prefix in addresses.
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// The code in `lang` attributes, addresses and folder names.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// As ports know it.
    pub fn tag(self) -> shared::values::Locale {
        self.code().parse().expect("two letters are a locale")
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// What stands before a path: nothing, or `/de`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::En => "",
            Self::De => "/de",
        }
    }

    /// By its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.code() == code)
    }

    /// A path without the prefix, and whose prefix it was.
    pub fn split(path: &str) -> (Self, &str) {
        let rest = path.strip_prefix("/de").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        match rest {
            Some("") => (Self::De, "/"),
            Some(rest) => (Self::De, rest),
            None => (Self::En, path),
        }
    }

    /// The best of ours for an `Accept-Language` header; the default without one.
    pub fn preferred(accepted: &str) -> Self {
        let mut best = (0.0, Self::En);
        for entry in accepted.split(',') {
            let (range, parameters) = entry.split_once(';').unwrap_or((entry, ""));
            let quality =
                parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>).unwrap_or(0.0);
            let language = range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            if let Some(locale) = Self::parse(&language).filter(|_| quality > best.0) {
                best = (quality, locale);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::Locale;

    #[test]
    fn a_path_knows_its_language() {
        assert_eq!(Locale::split("/de"), (Locale::De, "/"));
        assert_eq!(Locale::split("/de/cart"), (Locale::De, "/cart"));
        assert_eq!(Locale::split("/desk"), (Locale::En, "/desk"));
        assert_eq!(Locale::split("/"), (Locale::En, "/"));
    }

    #[test]
    fn the_best_accepted_language_is_taken() {
        assert_eq!(Locale::preferred("de-AT,de;q=0.9,en;q=0.8"), Locale::De);
        assert_eq!(Locale::preferred("en-US,en;q=0.9,de;q=0.8"), Locale::En);
        assert_eq!(Locale::preferred("fr, de;q=0.2"), Locale::De);
        assert_eq!(Locale::preferred("fr, de;q=0"), Locale::En);
        assert_eq!(Locale::preferred(""), Locale::En);
    }
}
