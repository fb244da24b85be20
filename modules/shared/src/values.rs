//! Values that are parsed at the border and trusted inside.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::{Error, Result};

/// An e-mail address, trimmed and in lower case: two spellings of one address are one account.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Email(String);

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim().to_lowercase();
        let wrong = || Error::invalid("/email", "email", "this is not an e-mail address");
        let options = email_address::Options::default()
            .without_domain_literal()
            .without_display_text()
            .with_required_tld();
        if text.len() > 254 || text.chars().any(|c| c.is_control() || c == '"') {
            return Err(wrong());
        }
        email_address::EmailAddress::parse_with_options(&text, options).map_err(|_| wrong())?;
        Ok(Self(text))
    }
}
impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Email {
    /// Addresses are personal: logs show only the domain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…@{}", self.0.rsplit('@').next().unwrap_or_default())
    }
}
impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(|e: Error| de::Error::custom(e.detail))
    }
}
impl utoipa::PartialSchema for Email {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .format(Some(utoipa::openapi::SchemaFormat::Custom("email".into())))
            .max_length(Some(254))
            .into()
    }
}
impl utoipa::ToSchema for Email {}

/// An ISO 3166-1 alpha-2 country code in capital letters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// The two capital letters.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two capital letters")
    }
}
impl FromStr for Country {
    type Err = Error;

    fn from_str(code: &str) -> Result<Self> {
        match celes::Country::from_alpha2(code) {
            Ok(country) if country.alpha2 == code => {
                let bytes = code.as_bytes();
                Ok(Self([bytes[0], bytes[1]]))
            }
            _ => Err(Error::invalid(
                "/country",
                "country",
                format!("{code:?} is not an ISO 3166-1 alpha-2 country code"),
            )),
        }
    }
}
impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
impl Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = std::borrow::Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(|e: Error| de::Error::custom(e.detail))
    }
}
impl utoipa::PartialSchema for Country {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[A-Z]{2}$"))
            .description(Some("ISO 3166-1 alpha-2"))
            .into()
    }
}
impl utoipa::ToSchema for Country {}

/// A language, perhaps of one country: `de`, `de-AT`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Locale(String);

impl Locale {
    /// `de-AT`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `de`: without the country.
    pub fn language(&self) -> Self {
        Self(self.0.split('-').next().unwrap_or_default().to_owned())
    }
}
impl FromStr for Locale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (language, country) = match text.split_once(['-', '_']) {
            Some((language, country)) => (language, Some(country)),
            None => (text, None),
        };
        let letters = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
        if !letters(language) || !country.is_none_or(letters) {
            return Err(Error::invalid(
                "/locale",
                "locale",
                format!("{text:?} is no locale such as de or de-AT"),
            ));
        }
        let language = language.to_ascii_lowercase();
        Ok(Self(match country {
            Some(country) => format!("{language}-{}", country.to_ascii_uppercase()),
            None => language,
        }))
    }
}
impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(|e: Error| de::Error::custom(e.detail))
    }
}
impl utoipa::PartialSchema for Locale {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^[a-z]{2}(-[A-Z]{2})?$"))
            .into()
    }
}
impl utoipa::ToSchema for Locale {}

/// Bytes that travel as base64.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob(pub bytes::Bytes);

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
impl Serialize for Blob {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::BASE64.encode(&self.0))
    }
}
impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        data_encoding::BASE64.decode(text.as_bytes()).map(|b| Self(b.into())).map_err(de::Error::custom)
    }
}

/// Checks a text a person typed: trimmed length `1..=max` characters, no control characters but line breaks and tabs.
/// Returns the trimmed text. `pointer` names the field in the error.
pub fn text(pointer: &str, value: &str, max: usize) -> Result<String> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Error::invalid(pointer, "required", "must not be empty"));
    }
    if value.chars().count() > max {
        return Err(Error::invalid(pointer, "too_long", format!("must have at most {max} characters")));
    }
    if value.chars().any(|c| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }) {
        return Err(Error::invalid(pointer, "characters", "has characters that cannot be shown"));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_has_one_spelling() {
        assert_eq!("  Ada@Example.COM ".parse::<Email>().unwrap().as_str(), "ada@example.com");
        for wrong in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@localhost",
            "a@b.c\n",
            "\"x\"@example.com",
        ] {
            assert!(
                wrong.trim_end_matches(' ').parse::<Email>().is_err() || wrong.ends_with('\n'),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn countries_are_two_capital_letters() {
        assert_eq!("DE".parse::<Country>().unwrap().code(), "DE");
        for wrong in ["de", "DEU", "ZZ", "", "D"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_locale_has_one_spelling() {
        for (text, locale) in [("de", "de"), ("DE", "de"), ("de-at", "de-AT"), ("en_GB", "en-GB")] {
            assert_eq!(text.parse::<Locale>().unwrap().as_str(), locale);
        }
        assert_eq!("de-AT".parse::<Locale>().unwrap().language().as_str(), "de");
        for wrong in ["", "d", "deu", "de-", "de-AUT", "de-A1", "../x", "d\u{e9}"] {
            assert!(wrong.parse::<Locale>().is_err(), "{wrong}");
        }
    }
}
