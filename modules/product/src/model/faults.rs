use shared::{Error, Kind, Result, error::FieldError, values};

/// What is wrong with a request, collected so that the caller hears of all of it at once.
#[derive(Default)]
pub struct Faults(Vec<FieldError>);

impl Faults {
    /// Notes one.
    pub fn add(&mut self, pointer: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.0.push(FieldError { pointer: pointer.into(), code: code.to_owned(), detail: detail.into() });
    }

    /// Notes one unless it `holds`.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, code: &str, detail: &str) {
        if !holds {
            self.add(pointer, code, detail);
        }
    }

    /// The value, or its default with the fault noted.
    pub fn take<T: Default>(&mut self, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.0.extend(error.fields);
            T::default()
        })
    }

    /// A text that must be there.
    pub fn text(&mut self, pointer: impl AsRef<str>, value: &str, max: usize) -> String {
        self.take(values::text(pointer.as_ref(), value, max))
    }

    /// A text that may be absent; blank is absent.
    pub fn optional(&mut self, pointer: &str, value: Option<&str>, max: usize) -> Option<String> {
        value.filter(|v| !v.trim().is_empty()).map(|v| self.text(pointer, v, max))
    }

    /// `Invalid` if there is any. Where all that is wrong is a SKU that is there twice, it is a conflict.
    pub fn done(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some(first) if self.0.iter().all(|f| f.code == "sku_taken") => {
                let mut error = Error::new(Kind::Conflict, "sku_taken", first.detail.clone());
                error.fields = self.0;
                Err(error)
            }
            Some(_) => Err(Error::invalid_fields(self.0)),
        }
    }
}

/// Escapes a name for an RFC 6901 pointer.
pub fn segment(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
