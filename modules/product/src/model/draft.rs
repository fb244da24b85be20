//! From what somebody wants of a product to a product, or to what is wrong with it.

mod variants;

use std::collections::{BTreeMap, HashSet};

use contracts::product::{
    CategoryId, Image, NewProduct, NewVariant, OptionValue, Product, ProductId, ProductOption, ProductPatch,
    ProductStatus, Rating, Variant, VariantId,
};
use shared::{Error, Result, Time};

use super::{
    faults::{Faults, segment},
    picture,
    tree::Tree,
};

/// What a draft is composed with.
pub struct Frame<'a> {
    /// What is there; `None` for a new product.
    pub before: Option<&'a Product>,
    pub slug: &'a str,
    pub tree: &'a Tree,
    pub now: Time,
}

/// A product that keeps all rules, and the units of its new variants.
#[derive(Clone, Debug)]
pub struct Composed {
    pub product: Product,
    pub stock: Vec<(VariantId, i64)>,
}

/// Checks all of `new` and makes a product of it: the next version of `before`, or a first one.
pub fn compose(new: NewProduct, frame: &Frame<'_>) -> Result<Composed> {
    let mut faults = Faults::default();
    let title = faults.text("/title", &new.title, 200);
    let options = options(&mut faults, new.options);
    let (variants, stock) = variants::variants(&mut faults, new.variants, &options, &title, frame.before);
    let before = frame.before;
    let published_at = before.and_then(|b| b.published_at);
    let product = Product {
        id: before.map_or_else(ProductId::new, |b| b.id),
        slug: frame.slug.to_owned(),
        status: new.status,
        title,
        subtitle: faults.optional("/subtitle", new.subtitle.as_deref(), 300),
        description: description(&mut faults, &new.description),
        brand: faults.optional("/brand", new.brand.as_deref(), 100),
        category_ids: categories(&mut faults, new.category_ids, frame.tree),
        collection_ids: Vec::new(),
        tags: tags(&mut faults, &new.tags),
        attributes: attributes(&mut faults, new.attributes),
        tax_class: class(&mut faults, "/tax_class", new.tax_class),
        shipping_class: class(&mut faults, "/shipping_class", new.shipping_class),
        images: images(&mut faults, new.images, &options),
        options,
        variants,
        seo_title: faults.optional("/seo_title", new.seo_title.as_deref(), 200),
        seo_description: faults.optional("/seo_description", new.seo_description.as_deref(), 500),
        rating: before.map_or_else(Rating::default, |b| b.rating),
        metafields: before.map_or_else(BTreeMap::new, |b| b.metafields.clone()),
        created_at: before.map_or(frame.now, |b| b.created_at),
        updated_at: frame.now,
        published_at: published_at.or((new.status == ProductStatus::Published).then_some(frame.now)),
        version: before.map_or(1, |b| b.version + 1),
    };
    faults.done()?;
    Ok(Composed { product, stock })
}

/// The request that would make `product` as it is, but for categories that are gone.
pub fn redraft(product: &Product, tree: &Tree) -> NewProduct {
    let product = product.clone();
    NewProduct {
        title: product.title,
        slug: Some(product.slug),
        subtitle: product.subtitle,
        description: product.description,
        status: product.status,
        brand: product.brand,
        category_ids: product.category_ids.into_iter().filter(|id| tree.contains(*id)).collect(),
        tags: product.tags,
        options: product.options,
        attributes: product.attributes,
        tax_class: product.tax_class,
        shipping_class: product.shipping_class,
        images: product.images,
        variants: product.variants.into_iter().map(redraft_variant).collect(),
        seo_title: product.seo_title,
        seo_description: product.seo_description,
    }
}

fn redraft_variant(variant: Variant) -> NewVariant {
    NewVariant {
        id: Some(variant.id),
        sku: variant.sku,
        options: variant.options,
        prices: variant.prices,
        compare_at_prices: variant.compare_at_prices,
        barcode: variant.barcode,
        stock: None,
        weight_grams: variant.weight_grams,
        tracked: variant.tracked,
    }
}

/// Changes what the patch names, but for the slug.
pub fn apply(new: &mut NewProduct, patch: ProductPatch) {
    fn set<T>(field: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *field = value;
        }
    }
    set(&mut new.title, patch.title);
    set(&mut new.subtitle, patch.subtitle.map(Some));
    set(&mut new.description, patch.description);
    set(&mut new.status, patch.status);
    set(&mut new.brand, patch.brand.map(Some));
    set(&mut new.category_ids, patch.category_ids);
    set(&mut new.tags, patch.tags);
    set(&mut new.options, patch.options);
    set(&mut new.attributes, patch.attributes);
    set(&mut new.tax_class, patch.tax_class);
    set(&mut new.shipping_class, patch.shipping_class);
    set(&mut new.images, patch.images);
    set(&mut new.variants, patch.variants);
    set(&mut new.seo_title, patch.seo_title.map(Some));
    set(&mut new.seo_description, patch.seo_description.map(Some));
}

/// Whether both say the same, whenever they were written.
pub fn same(a: &Product, b: &Product) -> bool {
    let plain = |p: &Product| Product { version: 0, updated_at: Time::from_micros(0), ..p.clone() };
    plain(a) == plain(b)
}

/// A slug as somebody gave it: it must be one already, so that links are what they were asked to be.
pub fn given_slug(slug: &str) -> Result<String> {
    if slug.is_empty() || slug.len() > 200 || slug::slugify(slug) != slug {
        let detail = "must have lower-case letters, digits and single hyphens only";
        return Err(Error::invalid("/slug", "slug", detail));
    }
    Ok(slug.to_owned())
}

/// A slug from a title; `otherwise` where no letter of it can be written in ASCII.
pub fn made_slug(title: &str, otherwise: &str) -> String {
    let mut made = slug::slugify(title);
    made.truncate(100);
    let made = made.trim_end_matches('-');
    if made.is_empty() { otherwise.to_owned() } else { made.to_owned() }
}

/// `base`, or the first of `base-2`, `base-3`, … that is not taken.
pub fn free_slug(base: &str, taken: &[String]) -> String {
    let is_free = |slug: &String| !taken.contains(slug);
    std::iter::once(base.to_owned())
        .chain((2_u64..).map(|n| format!("{base}-{n}")))
        .find(is_free)
        .expect("there are more numbers than taken slugs")
}

/// Text stays as it is; HTML loses whatever could act.
pub fn description(faults: &mut Faults, text: &str) -> String {
    let text = faults.optional("/description", Some(text), 50_000).unwrap_or_default();
    let opens_tag = |pair: &[u8]| {
        pair[0] == b'<' && (pair[1].is_ascii_alphabetic() || matches!(pair[1], b'/' | b'!' | b'?'))
    };
    if text.as_bytes().windows(2).any(opens_tag) { ammonia::clean(&text).trim().to_owned() } else { text }
}

fn options(faults: &mut Faults, options: Vec<ProductOption>) -> Vec<ProductOption> {
    faults.check(options.len() <= 5, "/options", "too_many", "a product may have at most 5 options");
    let mut names = HashSet::new();
    let checked = options.into_iter().enumerate().map(|(i, option)| {
        let at = format!("/options/{i}");
        let name = faults.text(format!("{at}/name"), &option.name, 50);
        faults.check(names.insert(name.to_lowercase()), format!("{at}/name"), "duplicate", "is there twice");
        let range = 1..=100;
        faults.check(
            range.contains(&option.values.len()),
            format!("{at}/values"),
            "out_of_range",
            "must have 1 to 100 values",
        );
        let mut seen = HashSet::new();
        let values = option.values.into_iter().enumerate();
        let values = values
            .map(|(j, value)| option_value(faults, &format!("{at}/values/{j}"), value, &mut seen))
            .collect();
        ProductOption { name, values }
    });
    checked.collect()
}

fn option_value(
    faults: &mut Faults,
    at: &str,
    value: OptionValue,
    seen: &mut HashSet<String>,
) -> OptionValue {
    let checked = OptionValue {
        value: faults.text(at, &value.value, 100),
        label: faults.text(at, &value.label, 100),
        swatch: value.swatch,
    };
    faults.check(seen.insert(checked.value.clone()), at, "duplicate", "is there twice");
    // It ends up in a style, so that it must be a colour and nothing else.
    let is_colour = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|hex| matches!(hex.len(), 3 | 6) && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let holds = checked.swatch.as_deref().is_none_or(is_colour);
    faults.check(holds, format!("{at}/swatch"), "colour", "must be a colour such as #c4532d");
    checked
}

fn categories(faults: &mut Faults, ids: Vec<CategoryId>, tree: &Tree) -> Vec<CategoryId> {
    faults.check(ids.len() <= 20, "/category_ids", "too_many", "a product may be in at most 20 categories");
    let mut seen = HashSet::new();
    for (i, id) in ids.iter().enumerate() {
        faults.check(
            tree.contains(*id),
            format!("/category_ids/{i}"),
            "unknown_category",
            "there is no such category",
        );
    }
    ids.into_iter().filter(|id| seen.insert(*id)).collect()
}

fn tags(faults: &mut Faults, tags: &[String]) -> Vec<String> {
    faults.check(tags.len() <= 50, "/tags", "too_many", "a product may have at most 50 tags");
    let mut seen = HashSet::new();
    let checked = tags.iter().enumerate().map(|(i, tag)| faults.text(format!("/tags/{i}"), tag, 50));
    checked.filter(|tag| seen.insert(tag.clone())).collect()
}

fn attributes(faults: &mut Faults, attributes: BTreeMap<String, String>) -> BTreeMap<String, String> {
    faults.check(
        attributes.len() <= 50,
        "/attributes",
        "too_many",
        "a product may have at most 50 attributes",
    );
    let checked = attributes.into_iter().map(|(name, value)| {
        let at = format!("/attributes/{}", segment(&name));
        (faults.text(&at, &name, 50), faults.text(&at, &value, 500))
    });
    checked.collect()
}

fn class(faults: &mut Faults, at: &str, class: String) -> String {
    let holds = (1..=40).contains(&class.len())
        && class.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
    faults.check(holds, at, "class", "must be a short word in lower case");
    class
}

/// Which forms a picture has is not for a request to say.
pub fn undressed(image: Image) -> Image {
    Image { widths: Vec::new(), avif: false, color: None, ..image }
}

fn images(faults: &mut Faults, images: Vec<Image>, options: &[ProductOption]) -> Vec<Image> {
    faults.check(images.len() <= 50, "/images", "too_many", "a product may have at most 50 pictures");
    for (i, image) in images.iter().enumerate() {
        let at = format!("/images/{i}");
        faults.check(
            picture::is_name(&image.file),
            format!("{at}/file"),
            "file",
            "is not the name of a picture",
        );
        faults.optional(&format!("{at}/alt"), Some(&image.alt), 300);
        for (name, value) in &image.options {
            variants::choice(faults, &format!("{at}/options"), options, name, value);
        }
    }
    images.into_iter().map(undressed).collect()
}

#[cfg(test)]
mod tests;
