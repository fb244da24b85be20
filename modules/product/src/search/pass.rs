//! One pass over all products: counts the hits, keeps those of the page, and counts the facets.

use contracts::product::{SearchQuery, Sort};
use shared::Currency;

use super::{
    filter::{FacetBits, Filter},
    order::{self, Hit, Position, Top},
    snapshot::{Segment, Snapshot},
    text::Text,
};

/// What is looked for.
pub struct Pass<'a> {
    pub text: Option<&'a Text>,
    pub filter: &'a Filter,
    pub sort: Sort,
    pub currency: Currency,
    pub facets: bool,
}

/// What was found.
pub struct Found {
    pub hits: Vec<Hit>,
    pub total: u64,
    /// By the snapshot's facets.
    pub counts: Vec<u64>,
    /// The cheapest and the dearest, whatever price was asked for.
    pub price: Option<(i64, i64)>,
}

impl<'a> Pass<'a> {
    pub fn new(query: &SearchQuery, text: Option<&'a Text>, filter: &'a Filter) -> Self {
        let sort = match query.sort {
            Sort::Relevance if text.is_none() => Sort::Popular,
            sort => sort,
        };
        Self { text, filter, sort, currency: query.context.currency, facets: query.facets }
    }

    /// The first `size` hits after `after`, and what there is to say of all hits.
    pub fn run(&self, snapshot: &Snapshot, size: usize, after: Option<Position>) -> tantivy::Result<Found> {
        let mut top = Top::new(size, after);
        let mut found =
            Found { hits: Vec::new(), total: 0, counts: vec![0; snapshot.facets.len()], price: None };
        let bits = self.filter.bits(&snapshot.facets);
        for (n, (segment, places)) in snapshot.segments.iter().zip(&snapshot.places).enumerate() {
            let bits: Vec<_> = places.iter().map(|place| bits[*place as usize]).collect();
            let counts = self.segment(snapshot, n as u32, segment, &bits, &mut top, &mut found)?;
            for (place, count) in places.iter().zip(counts) {
                found.counts[*place as usize] += u64::from(count);
            }
        }
        found.hits = top.into_hits();
        Ok(found)
    }

    /// Goes through one segment; how many products have each of its facets.
    fn segment(
        &self,
        snapshot: &Snapshot,
        number: u32,
        segment: &Segment,
        bits: &[FacetBits],
        top: &mut Top,
        found: &mut Found,
    ) -> tantivy::Result<Vec<u32>> {
        let mut counts = vec![0; bits.len()];
        let Some(prices) = segment.prices.get(&self.currency) else { return Ok(counts) };
        let reader = snapshot.searcher.segment_reader(number);
        let scores = self.text.map(|text| text.scores(reader)).transpose()?;
        let alive = reader.alive_bitset();
        for (doc, price) in prices.iter().enumerate() {
            let score = scores.as_ref().map_or(1, |scores| scores[doc]);
            let Some(price) = price.filter(|_| score > 0) else { continue };
            if alive.is_some_and(|alive| !alive.is_alive(doc as u32)) {
                continue;
            }
            let facets = segment.facets_of(doc);
            let failed = self.filter.failed(price, facets, bits);
            if failed == 0 {
                found.total += 1;
                let key = order::key(self.sort, segment, doc, score, price.0);
                top.offer(key, number, doc as u32, || segment.ids[doc]);
            }
            if self.facets {
                count(facets, failed, bits, &mut counts);
                if failed == 0 || Filter::is_price(failed) {
                    let (min, max) = found.price.unwrap_or(price);
                    found.price = Some((min.min(price.0), max.max(price.1)));
                }
            }
        }
        Ok(counts)
    }
}

/// A product that meets all conditions counts for all its facets. One that fails a single condition counts for the
/// facets of that name: choosing one of those values instead would make it a hit.
fn count(facets: &[u32], failed: u64, bits: &[FacetBits], counts: &mut [u32]) {
    if failed == 0 {
        facets.iter().for_each(|facet| counts[*facet as usize] += 1);
    } else if failed.is_power_of_two() {
        let others = facets.iter().filter(|facet| bits[**facet as usize].named == failed);
        others.for_each(|facet| counts[*facet as usize] += 1);
    }
}
