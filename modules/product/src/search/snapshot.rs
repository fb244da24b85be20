//! The state of the index after a commit, with its columns in memory: a search reads each value of all products once,
//! and unpacking them for each search would cost more than the search.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use shared::{Currency, Result};
use tantivy::{IndexReader, Searcher, SegmentReader, columnar::Column, index::SegmentId};

use super::{
    card::StoredCard,
    facets::Facet,
    fields::{self, Fields},
    order::Hit,
};

/// What searches see, until the next commit.
pub struct Snapshot {
    pub searcher: Searcher,
    /// In the order of the searcher's.
    pub segments: Vec<Arc<Segment>>,
    /// The facets of all segments.
    pub facets: Vec<Facet>,
    /// For each segment: its facets' places in `facets`.
    pub places: Vec<Vec<u32>>,
    pub checkpoint: Option<String>,
}

/// The columns of one segment. They never change, so the next snapshot shares them.
pub struct Segment {
    id: SegmentId,
    pub ids: Vec<u128>,
    pub popularity: Vec<i64>,
    pub published: Vec<i64>,
    /// The bits of the average.
    pub rating: Vec<i64>,
    pub ratings: Vec<i64>,
    /// Lowest and highest, for products that have a price in the currency.
    pub prices: BTreeMap<Currency, Vec<Option<(i64, i64)>>>,
    /// Where a document's facets start in `facets`; one more than there are documents.
    facet_starts: Vec<u32>,
    facets: Vec<u32>,
    facet_texts: Vec<String>,
}

impl Snapshot {
    /// Reads the last commit, and of its segments those that `before` does not have.
    pub fn load(
        reader: &IndexReader,
        fields: &Fields,
        checkpoint: Option<String>,
        before: Option<&Self>,
    ) -> tantivy::Result<Self> {
        reader.reload()?;
        let searcher = reader.searcher();
        let known: HashMap<SegmentId, &Arc<Segment>> =
            before.iter().flat_map(|before| &before.segments).map(|segment| (segment.id, segment)).collect();
        let segments =
            searcher.segment_readers().iter().map(|reader| match known.get(&reader.segment_id()) {
                Some(segment) => Ok(Arc::clone(segment)),
                None => Segment::load(reader, fields).map(Arc::new),
            });
        let segments = segments.collect::<tantivy::Result<Vec<_>>>()?;
        let mut facets = Vec::new();
        let mut numbers = HashMap::new();
        let places = segments.iter().map(|segment| {
            let places = segment.facet_texts.iter().map(|text| {
                *numbers.entry(text.as_str()).or_insert_with(|| {
                    facets.push(Facet::parse(text));
                    facets.len() as u32 - 1
                })
            });
            places.collect()
        });
        let places = places.collect();
        Ok(Self { searcher, segments, facets, places, checkpoint })
    }

    /// What a list shows of `hit`.
    pub fn card(&self, hit: &Hit, fields: &Fields) -> Result<StoredCard> {
        use shared::Error;
        use tantivy::{DocAddress, TantivyDocument, schema::Value};
        let document: TantivyDocument =
            self.searcher.doc(DocAddress::new(hit.segment, hit.doc)).map_err(Error::internal)?;
        let card = document.get_first(fields.card);
        let bytes = card.and_then(|card| card.as_bytes()).unwrap_or_default();
        serde_json::from_slice(bytes).map_err(Error::internal)
    }
}

impl Segment {
    /// The facets of a document, as places in the segment's list of facets.
    pub fn facets_of(&self, doc: usize) -> &[u32] {
        &self.facets[self.facet_starts[doc] as usize..self.facet_starts[doc + 1] as usize]
    }

    fn load(reader: &SegmentReader, fields: &Fields) -> tantivy::Result<Self> {
        let size = reader.max_doc();
        let columns = reader.fast_fields();
        let [high, low] = ["id_high", "id_low"].map(|name| columns.u64(name).map(|ids| values(ids, size)));
        let numbers = |name: &str| columns.i64(name).map(|column| values(column, size));
        let mut segment = Self {
            id: reader.segment_id(),
            ids: high?
                .into_iter()
                .zip(low?)
                .map(|(high, low)| u128::from(high) << 64 | u128::from(low))
                .collect(),
            popularity: numbers("popularity")?,
            published: numbers("published")?,
            rating: numbers("rating")?,
            ratings: numbers("ratings")?,
            prices: BTreeMap::new(),
            facet_starts: vec![0],
            facets: Vec::new(),
            facet_texts: Vec::new(),
        };
        for currency in fields.currencies() {
            let [min, max] = fields::price_columns(currency).map(|name| columns.column_opt::<i64>(&name));
            if let (Some(min), Some(max)) = (min?, max?) {
                let prices = (0..size).map(|doc| min.first(doc).zip(max.first(doc))).collect();
                segment.prices.insert(currency, prices);
            }
        }
        segment.load_facets(reader)?;
        Ok(segment)
    }

    fn load_facets(&mut self, reader: &SegmentReader) -> tantivy::Result<()> {
        let column = reader.fast_fields().str("facets")?;
        for doc in 0..reader.max_doc() {
            if let Some(column) = &column {
                self.facets.extend(column.ords().values_for_doc(doc).map(|place| place as u32));
            }
            self.facet_starts.push(self.facets.len() as u32);
        }
        if let Some(column) = column {
            let mut texts = column.dictionary().stream()?;
            while texts.advance() {
                self.facet_texts.push(String::from_utf8_lossy(texts.key()).into_owned());
            }
        }
        Ok(())
    }
}

/// One value for each document.
fn values<T>(column: Column<T>, size: u32) -> Vec<T>
where
    T: Default + Copy + PartialOrd + std::fmt::Debug + Send + Sync + 'static,
{
    let mut values = vec![T::default(); size as usize];
    column.first_or_default_col(T::default()).get_range(0, &mut values);
    values
}
