//! What is written in a cell, in both directions.

use std::borrow::Cow;

use shared::{Currency, Money};

/// A price without its currency.
pub(crate) fn money(text: &str, currency: Currency) -> Option<Money> {
    Money::from_decimal(text, currency)
}

/// A price with its currency: `19.99 EUR`, which is how `Money` prints.
pub(crate) fn money_with_currency(text: &str) -> Option<Money> {
    let (amount, currency) = text.trim().rsplit_once(' ')?;
    money(amount, currency.parse().ok()?)
}

/// A count as spreadsheets write it: `12`, `12.0`, `1.2E+03`, `-3`. Rounded, within a billion.
pub(crate) fn count(text: &str) -> Option<i64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.abs() <= 1e9).then(|| number.round() as i64)
}

pub(crate) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => Some(true),
        "false" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// Several texts in one cell: `a | b`. A separator inside a text is written with a backslash.
pub(crate) fn join<S: AsRef<str>>(texts: impl IntoIterator<Item = S>, separator: char) -> String {
    let escape = |text: S| {
        let escaped = text
            .as_ref()
            .chars()
            .flat_map(|c| (c == '\\' || c == separator).then_some('\\').into_iter().chain([c]));
        escaped.collect::<String>()
    };
    texts.into_iter().map(escape).collect::<Vec<_>>().join(&format!(" {separator} "))
}

/// The reverse of [`join`]; empty texts are none.
pub(crate) fn split(cell: &str, separator: char) -> Vec<String> {
    let (mut texts, mut text, mut escaped) = (Vec::new(), String::new(), false);
    for c in cell.chars() {
        if !escaped && c == '\\' {
            escaped = true;
        } else if !escaped && c == separator {
            texts.push(std::mem::take(&mut text));
        } else {
            text.push(c);
            escaped = false;
        }
    }
    texts.push(text);
    texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// What a spreadsheet would take for a formula gets an apostrophe, which spreadsheets do not show.
pub(crate) fn guard(cell: &str) -> Cow<'_, str> {
    if is_formula(cell) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

/// The reverse of [`guard`].
pub(crate) fn unguard(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Also when there are apostrophes before it, so that each guarded text has one meaning.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_survives_a_cell() {
        for money in [
            Money::new(1_999, Currency::EUR),
            Money::new(5, "JPY".parse().unwrap()),
            Money::new(0, Currency::EUR),
        ] {
            assert_eq!(money_with_currency(&money.to_string()), Some(money));
        }
        for bad in ["19.99", "19.99 euros", "EUR 19.99", ""] {
            assert_eq!(money_with_currency(bad), None, "{bad}");
        }
    }

    #[test]
    fn counts_are_read_as_spreadsheets_write_them() {
        assert_eq!(
            ["12", "12.0", " 7 ", "1.2E+03", "-3", "200.6"].map(count),
            [12, 12, 7, 1_200, -3, 201].map(Some)
        );
        assert_eq!(["", "x", "NaN", "inf", "1e300"].map(count), [None; 5]);
    }

    #[test]
    fn lists_survive_a_cell() {
        let lists: [&[&str]; 5] =
            [&[], &["a"], &["a", "b c"], &["a|b", "c\\d", "e\\|f"], &["Bath & scent", "A > B"]];
        for list in lists {
            assert_eq!(split(&join(list, '|'), '|'), list);
            // A list of paths: lists of lists.
            let nested = join([join(list, '>'), join(["x"], '>')], '|');
            let first = split(&nested, '|').first().map(|cell| split(cell, '>')).unwrap_or_default();
            assert_eq!(
                first,
                if list.is_empty() {
                    vec!["x".to_owned()]
                } else {
                    list.iter().map(|s| (*s).to_owned()).collect()
                }
            );
        }
    }

    #[test]
    fn a_formula_is_guarded_and_every_text_survives() {
        for text in ["=1+1", "+49 30", "-5", "@SUM(A1)", "\t=1", "'=1", "''-x"] {
            assert!(guard(text).starts_with('\''), "{text}");
        }
        for text in ["", "'", "'quoted'", "plain", "=1", "'=1", "''=1", "a=b", "-", "'@'"] {
            assert_eq!(unguard(&guard(text)), text);
        }
    }
}
