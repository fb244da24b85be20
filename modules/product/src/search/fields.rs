//! What the index keeps of a product.

use std::collections::{BTreeMap, BTreeSet};

use contracts::product::Product;
use shared::{Currency, Error, Result};
use tantivy::{
    TantivyDocument, Term,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, STRING, Schema, TextFieldIndexing,
        TextOptions,
    },
};

use super::{IndexedProduct, card::StoredCard, facets::Facet, words};

/// Raise it when the same schema means something else: analysis of words, facets, stored cards.
const FORMAT: u32 = 1;

/// The column of all SKUs, each written in one word.
pub const SKUS: &str = "skus";

/// A part of a product's text and what a word found in it is worth: the word itself, its beginning, a misspelling.
/// 0: not found that way. A word found in several parts counts where it is worth most.
#[derive(Clone, Copy)]
pub struct TextField {
    pub field: Field,
    /// Beginnings are looked for in this column and not among the words.
    pub column: Option<&'static str>,
    pub exact: u32,
    pub prefix: u32,
    pub typo: u32,
}

/// The index's schema.
pub struct Fields {
    pub schema: Schema,
    pub id: Field,
    id_high: Field,
    id_low: Field,
    title: TextField,
    /// Brand, tags and category titles.
    names: TextField,
    /// Subtitle, attributes, option labels and custom fields.
    facts: TextField,
    description: TextField,
    sku: TextField,
    skus: Field,
    /// `<folded>\u{1f}<spelled>` of every word in title, brand and tags: the dictionary for completions.
    pub words: Field,
    pub card: Field,
    popularity: Field,
    published: Field,
    rating: Field,
    ratings: Field,
    facets: Field,
    prices: BTreeMap<Currency, (Field, Field)>,
}

impl Fields {
    pub fn new(currencies: &[Currency]) -> Self {
        let mut schema = Schema::builder();
        // The schema is stored with the index, so this empty field makes an index of another format a different one.
        schema.add_text_field(&format!("format_{FORMAT}"), TextOptions::default());
        let mut text = |name, [exact, prefix, typo]: [u32; 3]| {
            let field = schema.add_text_field(name, indexed_words());
            TextField { field, column: None, exact, prefix, typo }
        };
        let title = text("title", [100, 60, 20]);
        // Most SKUs of a shop begin alike: going through them word by word would take long.
        let sku = TextField { column: Some(SKUS), ..text("sku", [90, 45, 0]) };
        let names = text("names", [70, 40, 14]);
        let facts = text("facts", [50, 30, 10]);
        let description = text("description", [25, 12, 5]);
        let fast = NumericOptions::default().set_fast();
        // In the order of their codes, so that settings with another order have the same schema.
        let currencies: BTreeSet<_> = currencies.iter().copied().collect();
        let prices = currencies.into_iter().map(|currency| {
            let [min, max] = price_columns(currency).map(|name| schema.add_i64_field(&name, fast.clone()));
            (currency, (min, max))
        });
        Self {
            prices: prices.collect(),
            id: schema.add_text_field("id", STRING),
            id_high: schema.add_u64_field("id_high", fast.clone()),
            id_low: schema.add_u64_field("id_low", fast.clone()),
            title,
            names,
            facts,
            description,
            sku,
            skus: schema.add_text_field(SKUS, TextOptions::default().set_fast("raw")),
            words: schema.add_text_field("words", indexed_words()),
            card: schema.add_bytes_field("card", BytesOptions::default().set_stored()),
            popularity: schema.add_i64_field("popularity", fast.clone()),
            published: schema.add_i64_field("published", fast.clone()),
            rating: schema.add_i64_field("rating", fast.clone()),
            ratings: schema.add_i64_field("ratings", fast),
            facets: schema.add_text_field("facets", TextOptions::default().set_fast("raw")),
            schema: schema.build(),
        }
    }

    /// Everything a word can be found in.
    pub fn text(&self) -> Vec<TextField> {
        vec![self.title, self.sku, self.names, self.facts, self.description]
    }

    /// Titles alone, where a beginning is as good as the whole word: for completions.
    pub fn titles(&self) -> Vec<TextField> {
        vec![TextField { exact: 2, prefix: 2, typo: 1, ..self.title }]
    }

    /// The currencies that have prices here.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.prices.keys().copied()
    }

    /// What names a product's document.
    pub fn key(&self, id: impl ToString) -> Term {
        Term::from_field_text(self.id, &id.to_string())
    }

    /// The document of a product.
    pub fn document(&self, indexed: &IndexedProduct) -> Result<TantivyDocument> {
        let product = &indexed.product;
        let mut document = TantivyDocument::new();
        document.add_text(self.id, product.id.to_string());
        let id = product.id.uuid().as_u128();
        document.add_u64(self.id_high, (id >> 64) as u64);
        document.add_u64(self.id_low, id as u64);
        self.add_text(&mut document, indexed);
        document.add_i64(self.popularity, indexed.popularity);
        document.add_i64(self.published, product.published_at.map_or(0, |time| time.micros()));
        // The bits of floats that are not negative sort like the floats.
        document.add_i64(self.rating, product.rating.average.max(0.0).abs().to_bits() as i64);
        document.add_i64(self.ratings, product.rating.count.into());
        for facet in Facet::all_of(indexed) {
            document.add_text(self.facets, facet.to_string());
        }
        for (currency, price) in &indexed.prices {
            if let Some(&(min, max)) = self.prices.get(currency) {
                document.add_i64(min, price.min);
                document.add_i64(max, price.max.max(price.min));
            }
        }
        let card = serde_json::to_vec(&StoredCard::new(indexed)).map_err(Error::internal)?;
        document.add_bytes(self.card, &card);
        Ok(document)
    }

    fn add_text(&self, document: &mut TantivyDocument, indexed: &IndexedProduct) {
        let product = &indexed.product;
        let categories = indexed.categories.iter().map(|category| &category.title);
        let labels = product.options.iter().flat_map(|option| option.values.iter().map(|value| &value.label));
        let skus = product.variants.iter().map(|variant| variant.sku.as_str());
        let names = product.brand.iter().chain(&product.tags);
        let spelled = [&product.title].into_iter().chain(names.clone()).map(String::as_str);
        document.add_text(self.title.field, words::index_terms(&product.title));
        document.add_text(self.names.field, words::index_terms(&lines(names.chain(categories))));
        let custom = indexed.fields.iter().filter(|field| field.searchable).flat_map(|field| &field.texts);
        let facts = product.subtitle.iter().chain(product.attributes.values()).chain(labels).chain(custom);
        document.add_text(self.facts.field, words::index_terms(&lines(facts)));
        document.add_text(
            self.description.field,
            words::index_terms(&words::without_markup(&product.description)),
        );
        for sku in skus.clone() {
            document.add_text(self.skus, words::code(sku));
        }
        document.add_text(self.sku.field, words::index_terms(&skus.collect::<Vec<_>>().join("\n")));
        document.add_text(self.words, dictionary(&spelled.collect::<Vec<_>>().join("\n")));
    }
}

/// Whether a shopper can buy any of it now.
pub fn in_stock(product: &Product) -> bool {
    product.variants.iter().any(|variant| !variant.tracked || variant.available > 0)
}

/// The columns of the lowest and the highest price.
pub fn price_columns(currency: Currency) -> [String; 2] {
    ["min", "max"].map(|end| format!("price_{end}_{currency}"))
}

fn indexed_words() -> TextOptions {
    let indexing = TextFieldIndexing::default().set_tokenizer("whitespace").set_fieldnorms(false);
    TextOptions::default().set_indexing_options(indexing.set_index_option(IndexRecordOption::Basic))
}

fn lines<'a>(texts: impl Iterator<Item = &'a String>) -> String {
    texts.map(String::as_str).collect::<Vec<_>>().join("\n")
}

fn dictionary(text: &str) -> String {
    let words = words::pieces(text).into_iter().flatten();
    words.map(|word| format!("{}\u{1f}{}", word.folded, word.spelled)).collect::<Vec<_>>().join(" ")
}
