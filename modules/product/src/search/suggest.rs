//! Completions of what is being typed.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    fields::Fields,
    order::{Hit, Top},
    snapshot::Snapshot,
    text::{self, Text},
    words,
};

/// Products whose titles have all the words, the last one perhaps unfinished: spelled right before misspelled, then
/// best sellers first.
pub fn products(text: &str, limit: usize, snapshot: &Snapshot, fields: &Fields) -> tantivy::Result<Vec<Hit>> {
    let Some(text) = Text::half_typed(text, fields.titles())? else { return Ok(Vec::new()) };
    let mut top = Top::new(limit, None);
    for (n, segment) in snapshot.segments.iter().enumerate() {
        let reader = snapshot.searcher.segment_reader(n as u32);
        for (doc, score) in text.scores(reader)?.into_iter().enumerate() {
            if score > 0 && reader.alive_bitset().is_none_or(|alive| alive.is_alive(doc as u32)) {
                let key = (!i64::from(score), !segment.popularity[doc]);
                top.offer(key, n as u32, doc as u32, || segment.ids[doc]);
            }
        }
    }
    Ok(top.into_hits())
}

/// The words of titles, brands and tags that start with the last word of `text`, most frequent first.
pub fn terms(text: &str, limit: usize, snapshot: &Snapshot, fields: &Fields) -> tantivy::Result<Vec<String>> {
    let Some(last) = words::pieces(text).into_iter().flatten().last() else { return Ok(Vec::new()) };
    let mut counts = HashMap::<Vec<u8>, u64>::new();
    for reader in snapshot.searcher.segment_readers() {
        let index = reader.inverted_index(fields.words)?;
        let mut found = text::starting_with(&last.folded, &index)?;
        while found.advance() {
            let mut count = u64::from(found.value().doc_freq);
            if let Some(alive) = reader.alive_bitset() {
                count = 0;
                text::for_each_document(&index, found.value(), |doc| {
                    count += u64::from(alive.is_alive(doc))
                })?;
            }
            if count > 0 {
                *counts.entry(found.key().to_vec()).or_default() += count;
            }
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_unstable_by(|(a, n), (b, m)| (Reverse(n), a).cmp(&(Reverse(m), b)));
    let words = counts.iter().take(limit).map(|(term, _)| String::from_utf8_lossy(term));
    Ok(words.filter_map(|term| Some(term.split_once('\u{1f}')?.1.to_owned())).collect())
}
