//! What people type: checked, cut to size, and kept from saying more of them than they want.

use contracts::review::NewReview;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use shared::{
    Error, Result,
    error::FieldError,
    values::{self, Email},
};

const TITLE: usize = 120;
const BODY: usize = 5_000;
/// Of a report, a rejection.
const REASON: usize = 1_000;
const PICTURES: usize = 6;
const PICTURE_NAME: usize = 200;

/// The content with its texts trimmed, or everything that is wrong with it.
pub fn validated(new: NewReview) -> Result<NewReview> {
    let mut faults = Vec::new();
    if !(1..=5).contains(&new.rating) {
        faults.push(fault("/rating", "out_of_range", "must be between 1 and 5"));
    }
    let title = kept(&mut faults, values::text("/title", &new.title, TITLE));
    let body = kept(&mut faults, values::text("/body", &new.body, BODY));
    if new.pictures.len() > PICTURES {
        faults.push(fault("/pictures", "too_many", &format!("at most {PICTURES} pictures")));
    }
    for (i, picture) in new.pictures.iter().enumerate() {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let named = (1..=PICTURE_NAME).contains(&picture.len()) && picture.chars().all(plain);
        if !named || picture.starts_with('.') {
            faults.push(fault(&format!("/pictures/{i}"), "unknown_picture", "there is no such picture"));
        } else if new.pictures[..i].contains(picture) {
            faults.push(fault(&format!("/pictures/{i}"), "duplicate", "this picture is there twice"));
        }
    }
    match faults.is_empty() {
        true => Ok(NewReview { rating: new.rating, title, body, pictures: new.pictures }),
        false => Err(Error::invalid_fields(faults)),
    }
}

fn fault(pointer: &str, code: &str, detail: &str) -> FieldError {
    FieldError { pointer: pointer.to_owned(), code: code.to_owned(), detail: detail.to_owned() }
}

fn kept(faults: &mut Vec<FieldError>, text: Result<String>) -> String {
    text.unwrap_or_else(|error| {
        faults.extend(error.fields);
        String::new()
    })
}

/// A text of staff or of who reports something.
pub fn text(pointer: &str, value: &str) -> Result<String> {
    values::text(pointer, value, REASON)
}

/// What somebody is called in public: the first name, and of the last one its initial.
pub fn author(name: &str) -> String {
    let mut names = name.split_whitespace();
    let first: String = names.next().unwrap_or_default().chars().take(30).collect();
    match names.next_back().and_then(|last| last.chars().next()) {
        Some(initial) => format!("{first} {}.", initial.to_uppercase()),
        None => first,
    }
}

/// What an address is compared by.
pub fn buyer(email: &Email) -> String {
    HEXLOWER.encode(&Sha256::digest(email.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let new = NewReview {
            rating: 6,
            title: " ".into(),
            body: "x".repeat(5_001),
            pictures: ["a.webp", "../x", ".hidden", "a.webp"].map(String::from).to_vec(),
        };
        let error = validated(new).unwrap_err();
        let wrong: Vec<_> = error.fields.iter().map(|f| (f.pointer.as_str(), f.code.as_str())).collect();
        assert_eq!(
            wrong,
            [
                ("/rating", "out_of_range"),
                ("/title", "required"),
                ("/body", "too_long"),
                ("/pictures/1", "unknown_picture"),
                ("/pictures/2", "unknown_picture"),
                ("/pictures/3", "duplicate"),
            ]
        );
        let new = NewReview { rating: 1, title: " No ".into(), body: "It\nleaks. ".into(), pictures: vec![] };
        let fine = validated(new).unwrap();
        assert_eq!((fine.title.as_str(), fine.body.as_str()), ("No", "It\nleaks."));
    }

    #[test]
    fn the_public_name_keeps_the_last_name_private() {
        assert_eq!(author("Ada Lovelace"), "Ada L.");
        assert_eq!(author("  Jean Marie  du Pont "), "Jean P.");
        assert_eq!(author("élodie ångström"), "élodie Å.");
        assert_eq!(author("Ada"), "Ada");
        assert_eq!(author(&"x".repeat(100)).len(), 30);
    }
}
