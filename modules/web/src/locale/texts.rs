//! Texts: one Fluent bundle per language, made of the files in `locales/<language>/`.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use rust_embed::RustEmbed;
use unic_langid::LanguageIdentifier;

use super::{Count, Locale};

#[derive(RustEmbed)]
#[folder = "locales"]
struct Files;

/// All texts in all languages.
pub struct Texts(BTreeMap<Locale, FluentBundle<FluentResource>>);

impl Texts {
    /// Parses the embedded files. A broken one is a bug that the tests find.
    pub fn load() -> Self {
        Self(Locale::ALL.map(|locale| (locale, bundle(locale))).into())
    }

    /// A text without placeholders; its key when it is missing.
    pub fn get(&self, locale: Locale, key: &str) -> String {
        self.format(locale, key, None)
    }

    /// True if the language has the text.
    pub fn has(&self, locale: Locale, key: &str) -> bool {
        self.0[&locale].has_message(key)
    }

    fn format(&self, locale: Locale, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let bundle = &self.0[&locale];
        let Some(pattern) = bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(locale = locale.code(), key, "a text is missing");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if let Some(error) = errors.first() {
            tracing::error!(locale = locale.code(), key, %error, "a text is broken");
        }
        text
    }
}

fn bundle(locale: Locale) -> FluentBundle<FluentResource> {
    let language: LanguageIdentifier = locale.code().parse().expect("the codes are valid");
    let mut bundle = FluentBundle::new_concurrent(vec![language]);
    // The marks would end up in titles and attributes.
    bundle.set_use_isolating(false);
    let folder = format!("{}/", locale.code());
    for path in Files::iter().filter(|path| path.starts_with(&folder)) {
        let file = Files::get(&path).expect("the path was just listed");
        let source = String::from_utf8(file.data.into_owned()).expect("texts are UTF-8");
        let resource =
            FluentResource::try_new(source).unwrap_or_else(|(_, errors)| panic!("{path}: {errors:?}"));
        bundle.add_resource(resource).unwrap_or_else(|errors| panic!("{path}: {errors:?}"));
    }
    bundle
}

/// A text with placeholders, while they are being given.
pub struct Text<'a> {
    texts: &'a Texts,
    locale: Locale,
    key: &'a str,
    args: FluentArgs<'a>,
}

impl<'a> Text<'a> {
    /// No placeholder has a value yet.
    pub fn new(texts: &'a Texts, locale: Locale, key: &'a str) -> Self {
        Self { texts, locale, key, args: FluentArgs::new() }
    }

    /// Gives `$name` a number, which also chooses the plural form.
    #[must_use]
    pub fn number(mut self, name: &'a str, value: impl Count) -> Self {
        self.args.set(name, FluentValue::from(value.count()));
        self
    }

    /// Gives `$name` a text.
    #[must_use]
    pub fn arg(mut self, name: &'a str, value: impl fmt::Display) -> Self {
        self.args.set(name, FluentValue::String(Cow::Owned(value.to_string())));
        self
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts.format(self.locale, self.key, Some(&self.args)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The messages of a language, by key, with the variables that they use.
    fn messages(locale: Locale) -> BTreeMap<String, BTreeSet<String>> {
        let folder = format!("{}/", locale.code());
        let mut found = BTreeMap::new();
        for path in Files::iter().filter(|path| path.starts_with(&folder)) {
            let file = Files::get(&path).unwrap();
            let source = String::from_utf8(file.data.into_owned()).unwrap();
            let mut key = String::new();
            for line in source.lines() {
                if let Some((name, _)) = line.split_once(" =")
                    && !line.starts_with([' ', '#'])
                {
                    key = name.to_owned();
                    assert!(found.insert(key.clone(), BTreeSet::new()).is_none(), "{path} repeats {key}");
                }
                for variable in line.split('$').skip(1) {
                    let end =
                        variable.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(variable.len());
                    found.get_mut(&key).unwrap().insert(variable[..end].to_owned());
                }
            }
        }
        found
    }

    #[test]
    fn every_text_is_there_in_every_language_with_the_same_placeholders() {
        let (english, german) = (messages(Locale::En), messages(Locale::De));
        for key in english.keys().chain(german.keys()) {
            assert_eq!(english.get(key), german.get(key), "{key}");
        }
    }

    #[test]
    fn every_text_that_a_page_asks_for_exists() {
        let texts = Texts::load();
        let mut asked = 0;
        for folder in ["templates", "src"] {
            for (path, source) in sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)) {
                let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
                for opener in [".t(\"", ".text(\""] {
                    for rest in source.split(opener).skip(1) {
                        let key = rest.split('"').next().unwrap();
                        asked += 1;
                        assert!(texts.has(Locale::En, key), "{path} asks for {key}");
                    }
                }
            }
        }
        assert!(asked > 10);
    }

    fn sources(folder: &std::path::Path) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                found.extend(sources(&path));
            } else {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
        found
    }

    #[test]
    fn numbers_choose_the_plural_and_texts_are_put_in() {
        let texts = Texts::load();
        let say = |locale, n: i64| Text::new(&texts, locale, "products-count").number("count", n).to_string();
        assert_eq!(say(Locale::En, 1), "1 product");
        assert_eq!(say(Locale::En, 12), "12 products");
        assert_eq!(say(Locale::De, 1), "1 Produkt");
        assert_eq!(say(Locale::De, 12), "12 Produkte");
    }
}
