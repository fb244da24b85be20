use std::collections::BTreeMap;

use contracts::product::{
    CategoryId, CategoryRef, CollectionId, Image, OptionValue, PriceContext, Product, ProductId,
    ProductOption, ProductStatus, Rating, SearchQuery, SearchResult, Sort, Variant, VariantId,
};
use shared::{Currency, Kind, PageRequest, Time};

use super::{CardPrice, Change, Index, IndexedProduct};

pub fn usd() -> Currency {
    "USD".parse().unwrap()
}

/// A published product with one variant in stock, at 10.00 EUR.
pub fn product(title: &str) -> IndexedProduct {
    let now = Time::from_micros(1_700_000_000_000_000);
    IndexedProduct {
        product: Product {
            id: ProductId::new(),
            slug: title.to_lowercase().replace(' ', "-"),
            status: ProductStatus::Published,
            title: title.to_owned(),
            subtitle: None,
            description: String::new(),
            brand: None,
            category_ids: Vec::new(),
            collection_ids: Vec::new(),
            tags: Vec::new(),
            options: Vec::new(),
            attributes: BTreeMap::new(),
            tax_class: "standard".into(),
            shipping_class: "parcel".into(),
            images: Vec::new(),
            variants: vec![variant(&format!("SKU-{title}"), &[], 3)],
            seo_title: None,
            seo_description: None,
            rating: Rating::default(),
            metafields: BTreeMap::new(),
            created_at: now,
            updated_at: now,
            published_at: Some(now),
            version: 1,
        },
        categories: Vec::new(),
        collections: Vec::new(),
        fields: Vec::new(),
        popularity: 0,
        prices: BTreeMap::from([(Currency::EUR, CardPrice { min: 1000, max: 1000, compare_at: None })]),
    }
}

pub fn variant(sku: &str, options: &[(&str, &str)], available: i64) -> Variant {
    Variant {
        id: VariantId::new(),
        sku: sku.to_owned(),
        title: String::new(),
        options: options.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        prices: Vec::new(),
        compare_at_prices: Vec::new(),
        barcode: None,
        weight_grams: 0,
        tracked: true,
        available,
    }
}

pub fn query(text: &str) -> SearchQuery {
    SearchQuery {
        q: Some(text.to_owned()).filter(|text| !text.is_empty()),
        category: Vec::new(),
        collection: Vec::new(),
        tag: Vec::new(),
        brand: Vec::new(),
        options: BTreeMap::new(),
        attributes: BTreeMap::new(),
        min_price: None,
        max_price: None,
        in_stock: None,
        min_rating: None,
        sort: Sort::Relevance,
        context: PriceContext { currency: Currency::EUR, group: None },
        facets: true,
        page: PageRequest { limit: 100, cursor: None },
    }
}

pub fn index(products: impl IntoIterator<Item = IndexedProduct>) -> Index {
    let index = Index::open(None, &[Currency::EUR, usd()]).unwrap();
    index.apply(products.into_iter().map(put).collect(), None).unwrap();
    index
}

pub fn put(product: IndexedProduct) -> Change {
    Change::Put(Box::new(product))
}

fn titles(result: &SearchResult) -> Vec<&str> {
    result.data.iter().map(|card| card.title.as_str()).collect()
}

fn found(index: &Index, text: &str) -> Vec<String> {
    let result = index.search(&query(text), &[]).unwrap();
    assert_eq!(result.total, result.data.len() as u64);
    titles(&result).into_iter().map(str::to_owned).collect()
}

#[test]
fn misspelled_words_find_products() {
    let index = index([product("Linen shirt"), product("Ceramic mug"), product("Waterproof backpack")]);
    for typo in ["shrit", "shirt", "shit", "shiirt", "shert", "SHIRTS", "Línen shrit"] {
        assert_eq!(found(&index, typo), ["Linen shirt"], "{typo}");
    }
    assert_eq!(found(&index, "watreprof"), ["Waterproof backpack"]);
    // Two mistakes are allowed from eight letters on.
    assert_eq!(found(&index, "bakcpakc"), ["Waterproof backpack"]);
    assert!(found(&index, "cearmci").is_empty());
    // Three letters are too few to tell a misspelling from another word, and so are figures.
    assert!(found(&index, "mog").is_empty());
    assert!(found(&index, "shrtxx").is_empty());
}

#[test]
fn figures_are_never_misspelled() {
    let index = index([product("Lamp 1234")]);
    assert_eq!(found(&index, "1234").len(), 1);
    assert!(found(&index, "1243").is_empty());
}

#[test]
fn the_beginning_of_a_word_finds_it() {
    let index = index([product("Ceramic teapot")]);
    assert_eq!(found(&index, "cer"), ["Ceramic teapot"]);
    assert_eq!(found(&index, "ceramic tea"), ["Ceramic teapot"]);
    assert!(found(&index, "ce").is_empty());
    assert!(found(&index, "pot").is_empty());
}

#[test]
fn accents_case_and_plural_do_not_matter() {
    let index = index([product("Crème brûlée Schälchen"), product("Mugs of Größe")]);
    assert_eq!(found(&index, "creme BRULEE"), ["Crème brûlée Schälchen"]);
    assert_eq!(found(&index, "schalchen"), ["Crème brûlée Schälchen"]);
    assert_eq!(found(&index, "Schälchen"), ["Crème brûlée Schälchen"]);
    assert_eq!(found(&index, "bru\u{302}le\u{301}e"), ["Crème brûlée Schälchen"]);
    assert_eq!(found(&index, "mug grosse"), ["Mugs of Größe"]);
}

#[test]
fn all_words_must_be_found_but_anywhere() {
    let mut mug = product("Stoneware mug");
    mug.product.brand = Some("Weber & Töchter".into());
    mug.product.tags = vec!["Kitchen".into()];
    mug.product.attributes = BTreeMap::from([("glaze".into(), "Celadon".into())]);
    mug.product.description = "<p>Holds a lot of <b>coffee</b> &amp; tea</p>".into();
    mug.product.variants = vec![variant("MUG-TER-L", &[], 1)];
    mug.categories = vec![category("drinkware", "Drinkware")];
    let index = index([mug, product("Stoneware plate")]);
    for text in [
        "mug stoneware",
        "weber mug",
        "kitchen celadon coffee drinkware",
        "MUG-TER-L",
        "mugterl",
        "mug-te",
        "töchter stonewear",
    ] {
        assert_eq!(found(&index, text), ["Stoneware mug"], "{text}");
    }
    for text in ["stoneware spoon", "mug plate", "amp", "mug-ter-x", "<p>holds b"] {
        assert!(found(&index, text).is_empty(), "{text}");
    }
}

#[test]
fn the_word_itself_comes_before_its_beginning_before_a_misspelling() {
    let mut described = product("Plate");
    described.product.description = "Goes with the shirt".into();
    let index = index([product("Skirt"), product("Shirtdress"), described, product("Shirt")]);
    assert_eq!(found(&index, "shirt"), ["Shirt", "Shirtdress", "Plate", "Skirt"]);
}

#[test]
fn best_sellers_come_first_among_equals() {
    let products = [("Blue mug", 1), ("Red mug", 3), ("Green mug", 2)];
    let products = products.map(|(title, popularity)| IndexedProduct { popularity, ..product(title) });
    let index = index(products);
    assert_eq!(found(&index, "mug"), ["Red mug", "Green mug", "Blue mug"]);
    assert_eq!(found(&index, ""), ["Red mug", "Green mug", "Blue mug"]);
}

#[test]
fn no_text_is_an_error() {
    let index = index([product("Shirt")]);
    let long = "shirt ".repeat(2000);
    let endless = "x".repeat(10_000);
    let many_words = "a-".repeat(5000);
    for text in [
        "\"",
        "'",
        "AND",
        "OR NOT",
        "title:shirt",
        "shirt~2^5",
        "*",
        "?",
        "[a TO b]",
        "+-!(){}",
        "\\",
        "🦄",
        "\0",
        "\u{1f}",
        "' or 1=1 --",
        "٣٤",
        "日本語",
        "ﷺ",
        "İ",
        "ß",
        "\u{301}",
        "a\u{301}",
        &long,
        &endless,
        &many_words,
    ] {
        index.search(&query(text), &[]).unwrap();
        index.suggest(text, 10).unwrap();
    }
    // A text without words is still a text: it does not find everything.
    assert!(found(&index, "🦄").is_empty());
    assert_eq!(found(&index, "  ").len(), 1);
    assert_eq!(found(&index, &long).len(), 1);
    assert_eq!(found(&index, "\"shirt\" 🦄").len(), 1);
}

fn category(slug: &str, title: &str) -> CategoryRef {
    CategoryRef { id: CategoryId::new(), slug: slug.into(), title: title.into() }
}

#[test]
fn categories_and_collections_go_by_id_or_slug() {
    let kitchen = category("kitchen", "Kitchen");
    let collection = (CollectionId::new(), "summer".to_owned());
    let mug = IndexedProduct {
        categories: vec![kitchen.clone()],
        collections: vec![collection.clone()],
        ..product("Mug")
    };
    let index = index([mug, product("Shirt")]);
    let renamed = CategoryRef { slug: "cooking".into(), title: "Cooking".into(), ..kitchen.clone() };
    let total = |query: &SearchQuery| index.search(query, std::slice::from_ref(&renamed)).unwrap().total;
    for (wanted, hits) in
        [("cooking", 1), (kitchen.id.to_string().as_str(), 1), ("unknown", 0), ("kitchen", 0)]
    {
        assert_eq!(total(&SearchQuery { category: vec![wanted.into()], ..query("") }), hits, "{wanted}");
    }
    for (wanted, hits) in [("summer", 1), (collection.0.to_string().as_str(), 1), ("winter", 0)] {
        assert_eq!(total(&SearchQuery { collection: vec![wanted.into()], ..query("") }), hits, "{wanted}");
    }
    let facets = index.search(&query(""), std::slice::from_ref(&renamed)).unwrap().facets;
    assert_eq!(facets["category"][0].value, "cooking");
    assert_eq!(facets["category"][0].label, "Cooking");
    assert!(!facets.contains_key("collection"));
}

#[test]
fn facets_keep_labels_and_are_compared_without_case() {
    let mut shirt = product("Shirt");
    shirt.product.brand = Some("ACME Inc.".into());
    shirt.product.options = vec![ProductOption {
        name: "Colour".into(),
        values: vec![OptionValue {
            value: "dark-red".into(),
            label: "Dark red".into(),
            swatch: Some("#800".into()),
        }],
    }];
    shirt.product.variants = vec![variant("S", &[("Colour", "dark-red")], 0)];
    shirt.product.attributes = BTreeMap::from([("material".into(), "Linen".into())]);
    let mut trousers = product("Trousers");
    trousers.product.attributes = shirt.product.attributes.clone();
    let index = index([shirt, trousers, product("Mug")]);
    let result = index.search(&query(""), &[]).unwrap();
    let facet = |name: &str| (result.facets[name][0].value.as_str(), result.facets[name][0].label.as_str());
    assert_eq!(facet("brand"), ("ACME Inc.", "ACME Inc."));
    assert_eq!(facet("option.colour"), ("dark-red", "Dark red"));
    assert_eq!(facet("attr.material"), ("Linen", "Linen"));
    assert_eq!(result.facets["in_stock"].len(), 2);
    let narrow = SearchQuery {
        brand: vec!["acme inc.".into(), "other".into()],
        options: BTreeMap::from([("COLOUR".into(), vec!["Dark-Red".into()])]),
        attributes: BTreeMap::from([("material".into(), vec!["LINEN".into()])]),
        in_stock: Some(false),
        ..query("")
    };
    assert_eq!(titles(&index.search(&narrow, &[]).unwrap()), ["Shirt"]);
    let off = SearchQuery { facets: false, ..narrow };
    let off = index.search(&off, &[]).unwrap();
    assert!(off.facets.is_empty() && off.price.is_none() && off.total == 1);
}

#[test]
fn attributes_that_cannot_narrow_are_no_facets_unless_they_are_chosen() {
    let index = index((0..62).map(|i| {
        let mut thing = product(&format!("Thing {i}"));
        thing.product.attributes = BTreeMap::from([
            ("weight".into(), format!("{i} g")),
            ("thirty".into(), (i % 30).to_string()),
            ("thirty_one".into(), (i % 31).to_string()),
        ]);
        if i < 3 {
            thing.product.attributes.insert("rare".into(), format!("{i}"));
        }
        thing
    }));
    let facets = |attributes: &[(&str, &str)]| {
        let attributes = attributes.iter().map(|(name, value)| (name.to_string(), vec![value.to_string()]));
        let search = SearchQuery { attributes: attributes.collect(), ..query("") };
        let found = index.search(&search, &[]).unwrap().facets;
        found
            .into_iter()
            .filter(|(name, _)| name.starts_with("attr."))
            .map(|(name, values)| (name, values.len()))
            .collect::<Vec<_>>()
    };
    let count = |name: &str, values: usize| (name.to_owned(), values);
    assert_eq!(facets(&[]), [count("attr.thirty", 30)]);
    assert_eq!(facets(&[("weight", "7 g")]), [count("attr.weight", 62)]);
    assert_eq!(facets(&[("rare", "1")]), [count("attr.rare", 3)]);
    assert_eq!(facets(&[("thirty", "5")]), [count("attr.thirty", 30)]);
}

#[test]
fn prices_are_those_of_the_currency() {
    let price = |min, max| CardPrice { min, max, compare_at: Some(max + 100) };
    let mut both = product("Both");
    both.prices = BTreeMap::from([(Currency::EUR, price(1000, 3000)), (usd(), price(1500, 1500))]);
    let index = index([both, product("Euro only")]);
    let ask = |currency, min_price, max_price| {
        let context = PriceContext { currency, group: None };
        index.search(&SearchQuery { context, min_price, max_price, ..query("") }, &[]).unwrap()
    };
    assert_eq!(ask(Currency::EUR, None, None).total, 2);
    assert_eq!(titles(&ask(usd(), None, None)), ["Both"]);
    assert_eq!(titles(&ask(Currency::EUR, Some(2000), Some(2500))), ["Both"]);
    assert_eq!(ask(Currency::EUR, Some(3001), None).total, 0);
    assert_eq!(ask("GBP".parse().unwrap(), None, None).total, 0);
    let card = &ask(usd(), Some(1500), Some(1500)).data[0];
    assert_eq!(
        (card.price.amount, card.price_max, card.compare_at_price.unwrap().amount),
        (1500, None, 1600)
    );
    let range = ask(Currency::EUR, Some(9999), None).price.unwrap();
    assert_eq!((range.min.amount, range.max.amount), (1000, 3000));
    let wrong = SearchQuery { min_price: Some(2), max_price: Some(1), ..query("") };
    assert_eq!(index.search(&wrong, &[]).unwrap_err().fields[0].pointer, "/max_price");
}

#[test]
fn a_card_shows_what_a_list_needs() {
    let mut mug = product("Mug");
    let image = |file: &str| Image { file: file.into(), width: 1, height: 1, ..Image::default() };
    mug.product.images = vec![image("a.jpg"), image("b.jpg"), image("c.jpg")];
    mug.product.rating = Rating { average: 4.5, count: 2 };
    let (id, variant_id) = (mug.product.id, mug.product.variants[0].id);
    let mut service = product("Wrapping");
    service.product.variants = vec![variant("A", &[], 0), Variant { tracked: false, ..variant("B", &[], 0) }];
    let index = index([mug, service]);
    let card = &index.search(&query("mug"), &[]).unwrap().data[0];
    assert_eq!((card.id, card.variant_id, card.rating.count), (id, Some(variant_id), 2));
    assert_eq!(card.image.as_ref().unwrap().file, "a.jpg");
    assert_eq!(card.hover_image.as_ref().unwrap().file, "b.jpg");
    let card = &index.search(&query("wrapping"), &[]).unwrap().data[0];
    assert!(card.in_stock && card.variant_id.is_none());
}

#[test]
fn a_cursor_belongs_to_one_search() {
    let index = index((0..5).map(|n| product(&format!("Mug {n}"))));
    let page = |limit, cursor: Option<&String>| PageRequest { limit, cursor: cursor.cloned() };
    let first = index.search(&SearchQuery { page: page(2, None), ..query("mug") }, &[]).unwrap();
    let cursor = first.next_cursor.as_ref();
    let rest = index.search(&SearchQuery { page: page(100, cursor), ..query("mug") }, &[]).unwrap();
    assert_eq!((rest.data.len(), rest.total, rest.next_cursor), (3, 5, None));
    let other = |query: SearchQuery| SearchQuery { page: page(2, cursor), ..query };
    for other in [
        other(query("mugs")),
        other(SearchQuery { sort: Sort::Newest, ..query("mug") }),
        other(SearchQuery { in_stock: Some(true), ..query("mug") }),
        other(SearchQuery { context: PriceContext { currency: usd(), group: None }, ..query("mug") }),
        SearchQuery { page: page(2, Some(&"forged".to_owned())), ..query("mug") },
    ] {
        let error = index.search(&other, &[]).unwrap_err();
        assert_eq!((error.kind, error.code.as_ref()), (Kind::Malformed, "invalid_cursor"));
    }
    for limit in [0, 101, u32::MAX] {
        let error = index.search(&SearchQuery { page: page(limit, None), ..query("") }, &[]).unwrap_err();
        assert_eq!((error.kind, error.fields[0].pointer.as_str()), (Kind::Invalid, "/limit"));
    }
}

#[test]
fn a_cursor_outlives_changes_of_the_index() {
    let products: Vec<_> = (0..20).map(|n| IndexedProduct { popularity: n, ..product("Mug") }).collect();
    let index = index(products.clone());
    let ask = |cursor| {
        index.search(&SearchQuery { page: PageRequest { limit: 10, cursor }, ..query("mug") }, &[]).unwrap()
    };
    let first = ask(None);
    let gone = first.data[9].id;
    let rewritten = products.iter().filter(|p| p.product.id != gone).cloned().map(put);
    index.apply(rewritten.chain([Change::Remove(gone)]).collect(), None).unwrap();
    let second = ask(first.next_cursor);
    let expected: Vec<_> = products.iter().rev().skip(10).map(|p| p.product.id).collect();
    assert_eq!(second.data.iter().map(|card| card.id).collect::<Vec<_>>(), expected);
    assert_eq!(second.total, 19);
}

#[test]
fn a_change_is_seen_at_once() {
    let mut mug = product("Mug");
    let index = index([mug.clone()]);
    mug.product.title = "Teapot".into();
    index.apply(vec![put(mug.clone()), put(mug.clone())], None).unwrap();
    assert_eq!(found(&index, ""), ["Teapot"]);
    mug.product.status = ProductStatus::Archived;
    index.apply(vec![put(mug.clone())], None).unwrap();
    assert!(index.is_empty());
    mug.product.status = ProductStatus::Published;
    index.apply(vec![Change::Remove(mug.product.id), put(mug.clone())], None).unwrap();
    assert_eq!(found(&index, ""), ["Teapot"]);
    index.apply(vec![Change::Remove(mug.product.id)], None).unwrap();
    assert!(index.is_empty() && found(&index, "").is_empty());
    let (products, terms) = index.suggest("tea", 5).unwrap();
    assert!(products.is_empty() && terms.is_empty());
}

#[test]
fn completions_are_spelled_as_people_write() {
    let mut cafe = product("Café crème cup");
    cafe.product.tags = vec!["Camping".into()];
    let index = index([
        IndexedProduct { popularity: 1, ..cafe },
        IndexedProduct { popularity: 9, ..product("Camping mug") },
        IndexedProduct { popularity: 5, ..product("Candle") },
    ]);
    let titles = |text: &str, limit| {
        let (products, _) = index.suggest(text, limit).unwrap();
        products.into_iter().map(|product| product.title).collect::<Vec<_>>()
    };
    assert_eq!(titles("ca", 10), ["Camping mug", "Candle", "Café crème cup"]);
    assert_eq!(titles("ca", 1), ["Camping mug"]);
    assert_eq!(titles("candel", 10), ["Candle"]);
    assert_eq!(titles("cmapi", 10), ["Camping mug"]);
    assert_eq!(titles("camping m", 10), ["Camping mug"]);
    assert_eq!(index.suggest("blue ca", 10).unwrap().1, ["camping", "café", "candle"]);
    assert_eq!(index.suggest("caf", 10).unwrap().1, ["café"]);
    assert!(titles(" ", 10).is_empty());
}
