//! Random products and queries, compared with a search that looks at one product after the other.

use std::collections::{BTreeMap, BTreeSet};

use contracts::product::{ProductId, ProductStatus, SearchQuery, SearchResult, Sort};
use shared::{Currency, PageRequest};

use super::{
    Change, Index, IndexedProduct,
    facets::Facet,
    random_shop::{Dice, Shop},
    tests::{put, usd},
    words,
};

impl Shop {
    /// What matches the text and has a price, with its score.
    fn candidates(&self, query: &SearchQuery) -> Vec<(u32, &IndexedProduct)> {
        let candidates = self.products.values().filter(|product| {
            product.product.status == ProductStatus::Published
                && product.prices.contains_key(&query.context.currency)
        });
        let scored = candidates.map(|product| (query.q.as_deref().map_or(1, |q| score(product, q)), product));
        scored.filter(|(score, _)| *score > 0).collect()
    }

    fn expected(&self, query: &SearchQuery) -> Vec<ProductId> {
        let mut found = self.candidates(query);
        found.retain(|(_, product)| self.fails(product, query).is_empty());
        found.sort_by(|(a_score, a), (b_score, b)| {
            let price = |product: &IndexedProduct| product.prices[&query.context.currency].min;
            let published =
                |product: &IndexedProduct| product.product.published_at.map_or(0, |time| time.micros());
            let order = match query.sort {
                Sort::Relevance => b_score.cmp(a_score).then(b.popularity.cmp(&a.popularity)),
                Sort::Popular => b.popularity.cmp(&a.popularity),
                Sort::Newest => published(b).cmp(&published(a)),
                Sort::PriceAscending => price(a).cmp(&price(b)),
                Sort::PriceDescending => price(b).cmp(&price(a)),
                Sort::Rating => {
                    let (a, b) = (a.product.rating, b.product.rating);
                    b.average.total_cmp(&a.average).then(b.count.cmp(&a.count))
                }
            };
            order.then(a.product.id.cmp(&b.product.id))
        });
        found.into_iter().map(|(_, product)| product.product.id).collect()
    }

    /// The names of the filters that a product does not pass.
    fn fails(&self, indexed: &IndexedProduct, query: &SearchQuery) -> BTreeSet<String> {
        let mut fails = BTreeSet::new();
        let mut check = |name: String, wanted: &[String], has: Vec<&str>| {
            let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
            if !wanted.is_empty() && !wanted.iter().any(|wanted| has.iter().any(|has| same(wanted, has))) {
                fails.insert(name);
            }
        };
        let product = &indexed.product;
        let ids: Vec<_> = indexed.categories.iter().map(|category| category.id.to_string()).collect();
        let slugs = indexed.categories.iter().map(|category| category.slug.as_str());
        check("category".into(), &query.category, slugs.chain(ids.iter().map(String::as_str)).collect());
        let slugs = indexed.collections.iter().map(|(_, slug)| slug.as_str());
        check("collection".into(), &query.collection, slugs.collect());
        check("brand".into(), &query.brand, product.brand.iter().map(String::as_str).collect());
        check("tag".into(), &query.tag, product.tags.iter().map(String::as_str).collect());
        for (name, wanted) in &query.options {
            let options = product.variants.iter().flat_map(|variant| &variant.options);
            let has = options.filter(|(option, _)| option.to_lowercase() == name.to_lowercase());
            check(
                format!("option.{}", name.to_lowercase()),
                wanted,
                has.map(|(_, value)| value.as_str()).collect(),
            );
        }
        for (name, wanted) in &query.attributes {
            check(
                format!("attr.{name}"),
                wanted,
                product.attributes.get(name).map(String::as_str).into_iter().collect(),
            );
        }
        let in_stock = product.variants.iter().any(|variant| variant.available > 0).to_string();
        let wanted: Vec<_> = query.in_stock.iter().map(bool::to_string).collect();
        check("in_stock".into(), &wanted, vec![&in_stock]);
        let stars: Vec<_> = (1..=5u8)
            .filter(|stars| product.rating.average >= f64::from(*stars))
            .map(|s| s.to_string())
            .collect();
        let wanted: Vec<_> = query.min_rating.iter().map(u8::to_string).collect();
        check("rating".into(), &wanted, stars.iter().map(String::as_str).collect());
        let price = indexed.prices[&query.context.currency];
        if query.min_price.is_some_and(|min| price.max < min)
            || query.max_price.is_some_and(|max| price.min > max)
        {
            fails.insert("price".into());
        }
        fails
    }
}

/// The score as the rules say it: the best of all fields for each word, the sum of all words, 0 if one is missing.
fn score(indexed: &IndexedProduct, text: &str) -> u32 {
    let product = &indexed.product;
    let join = |texts: Vec<&str>| texts.join("\n");
    let names = product.brand.iter().chain(&product.tags).map(String::as_str);
    let titles = indexed.categories.iter().map(|category| category.title.as_str());
    let facts = product.subtitle.iter().chain(product.attributes.values()).map(String::as_str);
    let labels = product.options.iter().flat_map(|option| &option.values).map(|value| value.label.as_str());
    let fields = [
        (product.title.clone(), [100, 60, 20]),
        (join(product.variants.iter().map(|variant| variant.sku.as_str()).collect()), [90, 0, 0]),
        (join(names.chain(titles).collect()), [70, 40, 14]),
        (join(facts.chain(labels).collect()), [50, 30, 10]),
        (product.description.replace("<p>", "").replace("</p>", ""), [25, 12, 5]),
    ];
    let mut fields = fields.map(|(text, worth)| (words::index_terms(&text), worth)).to_vec();
    let codes = product.variants.iter().map(|variant| words::code(&variant.sku));
    fields.push((codes.collect::<Vec<_>>().join(" "), [0, 45, 0]));
    let word_score = |word: &str| {
        let terms = fields.iter().flat_map(|(terms, worth)| terms.split(' ').map(move |term| (term, worth)));
        terms
            .filter(|(term, _)| !term.is_empty())
            .map(|(term, worth)| worth_of(word, term, worth))
            .max()
            .unwrap_or(0)
    };
    let all = |scores: Vec<u32>| if scores.contains(&0) { 0 } else { scores.iter().sum() };
    let pieces = words::query_pieces(text);
    let pieces = pieces.iter().map(|piece| {
        let joined = if piece.len() > 1 { word_score(&piece.concat()) } else { 0 };
        joined.max(all(piece.iter().map(|word| word_score(word)).collect()))
    });
    all(pieces.collect())
}

fn worth_of(word: &str, term: &str, [exact, prefix, typo]: &[u32; 3]) -> u32 {
    let letters = word.chars().count();
    let distance = match letters {
        _ if word.chars().any(char::is_numeric) => 0,
        4..=7 => 1,
        8..=24 => 2,
        _ => 0,
    };
    let found = [
        (word == term || words::singular(word).as_deref() == Some(term), *exact),
        (letters >= 3 && term.starts_with(word), *prefix),
        (distance > 0 && edits(word, term) <= distance, *typo),
    ];
    found.into_iter().filter(|(found, _)| *found).map(|(_, worth)| worth).max().unwrap_or(0)
}

/// How many letters to insert, drop, replace or swap with their neighbours.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    let mut d = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            d[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let replaced = d[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                    let swapped = if swapped { d[i - 2][j - 2] + 1 } else { usize::MAX };
                    replaced.min(swapped).min(d[i - 1][j] + 1).min(d[i][j - 1] + 1)
                }
            };
        }
    }
    d[a.len()][b.len()]
}

/// All pages, checked one by one.
fn all_pages(index: &Index, shop: &Shop, query: &SearchQuery, limit: u32) -> (SearchResult, Vec<ProductId>) {
    let ask = |cursor| {
        let page = PageRequest { limit, cursor };
        index.search(&SearchQuery { page, ..query.clone() }, &shop.categories).unwrap()
    };
    let first = ask(None);
    let mut ids: Vec<_> = first.data.iter().map(|card| card.id).collect();
    let mut cursor = first.next_cursor.clone();
    while cursor.is_some() {
        let page = ask(cursor);
        assert!(!page.data.is_empty() && page.total == first.total && page.facets == first.facets);
        ids.extend(page.data.iter().map(|card| card.id));
        assert!(ids.len() as u64 <= first.total, "pages overlap: {query:?}");
        cursor = page.next_cursor;
    }
    (first, ids)
}

/// Every value of every facet, counted by looking.
fn check_facets(shop: &Shop, query: &SearchQuery, result: &SearchResult) {
    let mut expected = BTreeMap::<(String, String), u64>::new();
    let mut prices = Vec::new();
    for (_, product) in shop.candidates(query) {
        let fails = shop.fails(product, query);
        let only = |name: &str| fails.is_empty() || (fails.len() == 1 && fails.contains(name));
        if only("price") {
            prices.push(product.prices[&query.context.currency]);
        }
        for facet in Facet::all_of(product) {
            if facet.name != "collection" && only(&facet.name) {
                let shown = if facet.name == "category" { facet.value } else { facet.key };
                *expected.entry((facet.name, shown)).or_default() += 1;
            }
        }
    }
    let all = expected.clone();
    expected.retain(|(name, _), _| {
        let counts = || all.iter().filter(|((other, _), _)| other == name).map(|(_, count)| *count);
        let chosen = |wanted: &str| query.attributes.get(wanted).is_some_and(|values| !values.is_empty());
        let narrows = counts().count() <= 30 && counts().max() >= Some(2);
        name.strip_prefix("attr.").is_none_or(|attribute| narrows || chosen(attribute))
    });
    let mut actual = BTreeMap::new();
    for (name, values) in &result.facets {
        assert!(values.is_sorted_by_key(|value| (std::cmp::Reverse(value.count), value.label.as_str())));
        for value in values {
            actual.insert((name.clone(), value.value.to_lowercase()), value.count);
        }
    }
    assert_eq!(actual, expected, "{query:?}");
    let range = result.price.as_ref().map(|range| (range.min.amount, range.max.amount));
    let min = prices.iter().map(|price| price.min).min();
    assert_eq!(range, min.zip(prices.iter().map(|price| price.max).max()), "{query:?}");
}

/// The query after a click on a value: it takes the place of what was chosen in its facet.
fn clicked(query: &SearchQuery, name: &str, value: &str) -> SearchQuery {
    let mut query = query.clone();
    let chosen = vec![value.to_owned()];
    match name {
        "category" => query.category = chosen,
        "brand" => query.brand = chosen,
        "tag" => query.tag = chosen,
        "in_stock" => query.in_stock = Some(value == "true"),
        "rating" => query.min_rating = value.parse().ok(),
        _ => match name.split_once('.').unwrap() {
            ("option", option) => {
                query.options.retain(|other, _| other.to_lowercase() != option);
                query.options.insert(option.to_owned(), chosen);
            }
            (_, attribute) => {
                query.attributes.insert(attribute.to_owned(), chosen);
            }
        },
    }
    query
}

fn check(index: &Index, shop: &Shop, dice: &mut Dice) {
    let query = shop.random_query(dice);
    let limit = [1, 7, 20, 100][dice.below(4)];
    let (result, ids) = all_pages(index, shop, &query, limit);
    let expected = shop.expected(&query);
    assert_eq!(ids, expected, "{query:?}");
    assert_eq!(result.total, expected.len() as u64);
    check_facets(shop, &query, &result);
    for (name, values) in &result.facets {
        let value = dice.pick(values);
        let hits = index.search(&clicked(&query, name, &value.value), &shop.categories).unwrap().total;
        assert_eq!(hits, value.count, "{name} {value:?} {query:?}");
    }
}

#[test]
fn pages_totals_and_facets_are_those_of_a_search_by_hand() {
    let dice = &mut Dice(7);
    let mut shop = Shop::random(dice);
    let index = Index::open(None, &[Currency::EUR, usd()]).unwrap();
    let all: Vec<_> = shop.products.values().cloned().map(put).collect();
    for some in all.chunks(45) {
        index.apply(some.to_vec(), None).unwrap();
    }
    for _ in 0..200 {
        check(&index, &shop, dice);
    }
    for _ in 0..10 {
        let mut changes = Vec::new();
        for id in shop.products.keys().copied().filter(|_| dice.one_in(15)).collect::<Vec<_>>() {
            if dice.one_in(3) {
                shop.products.remove(&id);
                changes.push(Change::Remove(id));
            } else {
                let product = shop.random_product(dice, id);
                shop.products.insert(id, product.clone());
                changes.push(put(product));
            }
        }
        index.apply(changes, None).unwrap();
        (0..10).for_each(|_| check(&index, &shop, dice));
    }
}
