//! How text becomes words: lower case, without accents, and nouns also in the singular.

use tantivy::tokenizer::{AsciiFoldingFilter, RawTokenizer, TextAnalyzer, TokenStream};

/// More words than this do not make a search better, only slower.
const MOST_WORDS: usize = 10;
/// No word of a language is longer; what follows is cut off, in products and in queries alike.
const LONGEST_WORD: usize = 64;

/// A word as it is compared and as people write it (in lower case).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub folded: String,
    pub spelled: String,
}

/// The words of each piece between two spaces: `T-shirt` is one piece of two words. Pieces without a word are left out.
pub fn pieces(text: &str) -> Vec<Vec<Word>> {
    let mut folder = TextAnalyzer::builder(RawTokenizer::default()).filter(AsciiFoldingFilter).build();
    text.split_whitespace()
        .map(|piece| words(&mut folder, piece))
        .filter(|words: &Vec<Word>| !words.is_empty())
        .collect()
}

/// The pieces of a query, cut after ten words.
pub fn query_pieces(text: &str) -> Vec<Vec<String>> {
    let mut left = MOST_WORDS;
    let mut all = Vec::new();
    for words in pieces(text) {
        let piece: Vec<_> = words.into_iter().take(left).map(|word| word.folded).collect();
        left -= piece.len();
        if !piece.is_empty() {
            all.push(piece);
        }
    }
    all
}

/// All forms under which `text` is found, joined by spaces: its words, their singulars, and pieces written in one
/// (`tshirt` for `T-shirt`).
pub fn index_terms(text: &str) -> String {
    let mut terms = Vec::new();
    for words in pieces(text) {
        if words.len() > 1 {
            terms.push(joined(words.iter().map(|word| word.folded.as_str())));
        }
        for word in words {
            terms.extend(singular(&word.folded));
            terms.push(word.folded);
        }
    }
    terms.sort_unstable();
    terms.dedup();
    terms.join(" ")
}

/// A piece written in one word.
pub fn joined<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.flat_map(str::chars).take(LONGEST_WORD).collect()
}

/// A SKU written in one word.
pub fn code(sku: &str) -> String {
    let words = pieces(sku).concat();
    joined(words.iter().map(|word| word.folded.as_str()))
}

/// The singular of an English plural. It may be wrong for other words, but then it is for products and queries alike.
pub fn singular(word: &str) -> Option<String> {
    let stem = word.strip_suffix('s').filter(|stem| stem.len() > 2 && !stem.ends_with(['s', 'u', 'i']))?;
    if let Some(stem) = stem.strip_suffix("ie").filter(|stem| stem.len() > 2) {
        return Some(format!("{stem}y"));
    }
    let sibilant = ["sse", "xe", "che", "she"].iter().any(|ending| stem.ends_with(ending));
    Some(if sibilant { stem[..stem.len() - 1].to_owned() } else { stem.to_owned() })
}

/// The text between the tags of HTML. Text without tags stays what it is.
pub fn without_markup(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(['<', '&']) {
        let (before, markup) = rest.split_at(start);
        text.push_str(before);
        rest = match end_of_markup(markup) {
            Some(end) => {
                text.push(' ');
                &markup[end..]
            }
            None => {
                text.push_str(&markup[..1]);
                &markup[1..]
            }
        };
    }
    text + rest
}

/// Where the tag or entity ends that `text` starts with, if it is one.
fn end_of_markup(text: &str) -> Option<usize> {
    let second = text[1..].chars().next()?;
    let (close, starts) = match text.starts_with('<') {
        true => ('>', second.is_ascii_alphabetic() || second == '/'),
        false => (';', second.is_ascii_alphabetic() || second == '#'),
    };
    let end = text.find(close).filter(|end| starts && (close == '>' || *end <= 10))?;
    Some(end + 1)
}

fn words(folder: &mut TextAnalyzer, piece: &str) -> Vec<Word> {
    // Accents that are characters of their own (as macOS writes them) would split the word.
    let plain: String =
        piece.to_lowercase().chars().filter(|c| !('\u{300}'..='\u{36f}').contains(c)).collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LONGEST_WORD).collect::<String>())
        .map(|spelled| Word { folded: fold(folder, &spelled), spelled })
        .collect()
}

fn fold(folder: &mut TextAnalyzer, word: &str) -> String {
    if word.is_ascii() {
        return word.to_owned();
    }
    let mut stream = folder.token_stream(word);
    stream.next().map_or_else(String::new, |token| token.text.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_case_and_no_accents() {
        let folded = |text| query_pieces(text).concat().join(" ");
        assert_eq!(folded("Crème BRÛLÉE Größe Müsli"), "creme brulee grosse musli");
        assert_eq!(folded("cre\u{300}me"), "creme");
        assert_eq!(folded("T-shirt, men's"), "t shirt men s");
        assert_eq!(folded("🦄 -- \" ' \\ \0"), "");
        assert_eq!(pieces("Café")[0][0].spelled, "café");
    }

    #[test]
    fn plurals_meet_their_singulars() {
        for (plural, one) in [
            ("mugs", "mug"),
            ("glasses", "glass"),
            ("boxes", "box"),
            ("houses", "house"),
            ("berries", "berry"),
            ("dishes", "dish"),
            ("shoes", "shoe"),
        ] {
            assert_eq!(singular(plural).as_deref(), Some(one));
        }
        for word in ["glass", "bus", "gas", "tennis", "mug", "s", ""] {
            assert_eq!(singular(word), None, "{word}");
        }
    }

    #[test]
    fn markup_is_not_text() {
        let text = without_markup("<p class=\"shirt\">Tea &amp; mug</p> 1 < 2 & 3 <");
        assert_eq!(text.split_whitespace().collect::<Vec<_>>().join(" "), "Tea mug 1 < 2 & 3 <");
        assert_eq!(without_markup("a < b > c"), "a < b > c");
    }

    #[test]
    fn a_piece_is_also_found_written_in_one() {
        assert_eq!(index_terms("T-shirts"), "shirt shirts t tshirts");
    }
}
