//! Which products a text finds, and how well. The score of a product depends on the product and the text only, not on
//! the other products in the index: so it stays the same from page to page while the catalogue changes.

use std::io;

use tantivy::{
    Result, SegmentReader, Term,
    columnar::TermOrdHit,
    index::InvertedIndexReader,
    postings::TermInfo,
    query::{DfaWrapper, FuzzyTermQuery},
    schema::{Field, IndexRecordOption},
    termdict::TermStreamer,
};

use super::{fields::TextField, words};

/// Longer words cost more than misspelling them is likely.
const LONGEST_TYPO: usize = 24;

/// A text that is looked for: every piece must be found.
pub struct Text {
    fields: Vec<TextField>,
    pieces: Vec<Piece>,
}

/// What stands between two spaces: all its words are found, or it is found written in one word.
struct Piece {
    words: Vec<Pattern>,
    joined: Option<Pattern>,
}

struct Pattern {
    /// The word and its singular.
    exact: Vec<String>,
    /// True: longer words that start with it are found, too.
    prefix: bool,
    typo: Option<DfaWrapper>,
}

impl Text {
    /// A text as it was sent. `None` where it has no words: then it finds nothing.
    pub fn parse(text: &str, fields: Vec<TextField>) -> Result<Option<Self>> {
        Self::new(text, fields, Pattern::whole)
    }

    /// A text whose last word is still being typed.
    pub fn half_typed(text: &str, fields: Vec<TextField>) -> Result<Option<Self>> {
        Self::new(text, fields, Pattern::half)
    }

    fn new(text: &str, fields: Vec<TextField>, last: fn(&str) -> Result<Pattern>) -> Result<Option<Self>> {
        let mut pieces = Vec::new();
        let mut all = words::query_pieces(text).into_iter().peekable();
        while let Some(piece) = all.next() {
            let ends = all.peek().is_none();
            let pattern = |word: &str, last_word: bool| match ends && last_word {
                true => last(word),
                false => Pattern::whole(word),
            };
            let patterns = piece.iter().enumerate().map(|(n, word)| pattern(word, n + 1 == piece.len()));
            let joined = words::joined(piece.iter().map(String::as_str));
            pieces.push(Piece {
                words: patterns.collect::<Result<_>>()?,
                joined: (piece.len() > 1).then(|| pattern(&joined, true)).transpose()?,
            });
        }
        Ok((!pieces.is_empty()).then_some(Self { fields, pieces }))
    }

    /// The score of each document; 0 for those that are not found.
    pub fn scores(&self, reader: &SegmentReader) -> Result<Vec<u32>> {
        let mut total = Vec::new();
        for piece in &self.pieces {
            let mut scores = Vec::new();
            for word in &piece.words {
                and(&mut scores, self.word(word, reader)?);
            }
            if let Some(joined) = &piece.joined {
                for (score, other) in scores.iter_mut().zip(self.word(joined, reader)?) {
                    *score = (*score).max(other);
                }
            }
            and(&mut total, scores);
        }
        Ok(total)
    }

    fn word(&self, pattern: &Pattern, reader: &SegmentReader) -> Result<Vec<u32>> {
        let mut scores = vec![0; reader.max_doc() as usize];
        for text in &self.fields {
            let index = reader.inverted_index(text.field)?;
            let terms = index.terms();
            if let Some(typo) = pattern.typo.as_ref().filter(|_| text.typo > 0) {
                let mut found = terms.search(typo).into_stream()?;
                while found.advance() {
                    raise(&mut scores, text.typo, &index, found.value())?;
                }
            }
            match text.column {
                _ if !pattern.prefix => {}
                Some(column) => {
                    for doc in with_value_starting_with(&pattern.exact[0], column, reader)? {
                        scores[doc as usize] = text.prefix.max(scores[doc as usize]);
                    }
                }
                None => {
                    let mut found = starting_with(&pattern.exact[0], &index)?;
                    while found.advance() {
                        raise(&mut scores, text.prefix, &index, found.value())?;
                    }
                }
            }
            for word in &pattern.exact {
                if let Some(found) = terms.get(word)? {
                    raise(&mut scores, text.exact, &index, &found)?;
                }
            }
        }
        Ok(scores)
    }
}

impl Pattern {
    fn whole(word: &str) -> Result<Self> {
        Self::new(word, 3, FuzzyTermQuery::new)
    }

    fn half(word: &str) -> Result<Self> {
        Self::new(word, 1, FuzzyTermQuery::new_prefix)
    }

    fn new(word: &str, prefix_from: usize, query: fn(Term, u8, bool) -> FuzzyTermQuery) -> Result<Self> {
        let letters = word.chars().count();
        let distance = match letters {
            // Another digit is another thing, not a misspelling.
            _ if word.chars().any(char::is_numeric) => 0,
            4..=7 => 1,
            8..=LONGEST_TYPO => 2,
            _ => 0,
        };
        // The automaton compares texts: which field the term names does not matter to it.
        let term = Term::from_field_text(Field::from_field_id(0), word);
        let typo = (distance > 0).then(|| query(term, distance, true).automaton()).transpose()?;
        let exact = [word.to_owned()].into_iter().chain(words::singular(word)).collect();
        Ok(Self { exact, prefix: letters >= prefix_from, typo })
    }
}

/// The terms that start with `prefix`.
pub fn starting_with<'a>(prefix: &str, index: &'a InvertedIndexReader) -> io::Result<TermStreamer<'a>> {
    index.terms().range().ge(prefix).lt(after_all(prefix)).into_stream()
}

/// The documents with a value that starts with `prefix`. Values are numbered in their order, so those that start alike
/// are a range of numbers.
fn with_value_starting_with(prefix: &str, column: &str, reader: &SegmentReader) -> Result<Vec<u32>> {
    let mut documents = Vec::new();
    if let Some(column) = reader.fast_fields().str(column)? {
        let number = |text: &[u8]| match column.dictionary().term_ord_or_next(text)? {
            TermOrdHit::Exact(number) | TermOrdHit::Next(number) => io::Result::Ok(number),
        };
        let (first, end) = (number(prefix.as_bytes())?, number(&after_all(prefix))?);
        if first < end {
            column.ords().get_docids_for_value_range(first..=end - 1, 0..reader.max_doc(), &mut documents);
        }
    }
    Ok(documents)
}

/// What comes after every text that starts with `prefix`: no text contains the byte 0xff.
fn after_all(prefix: &str) -> Vec<u8> {
    [prefix.as_bytes(), &[0xff]].concat()
}

/// Calls `each` with every document that has the term, deleted ones included.
pub fn for_each_document(
    index: &InvertedIndexReader,
    term: &TermInfo,
    mut each: impl FnMut(u32),
) -> io::Result<()> {
    let mut block = index.read_block_postings_from_terminfo(term, IndexRecordOption::Basic)?;
    while !block.docs().is_empty() {
        block.docs().iter().for_each(|doc| each(*doc));
        block.advance();
    }
    Ok(())
}

fn raise(scores: &mut [u32], to: u32, index: &InvertedIndexReader, term: &TermInfo) -> io::Result<()> {
    for_each_document(index, term, |doc| {
        let score = &mut scores[doc as usize];
        *score = (*score).max(to);
    })
}

/// Adds the scores of one more word, which must be found as well.
fn and(total: &mut Vec<u32>, scores: Vec<u32>) {
    if total.is_empty() {
        *total = scores;
        return;
    }
    for (total, score) in total.iter_mut().zip(scores) {
        *total = if *total == 0 || score == 0 { 0 } else { *total + score };
    }
}
