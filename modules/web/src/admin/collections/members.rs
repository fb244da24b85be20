//! The products of a collection: from what is saved to rows of its form, and back.

use std::collections::{HashMap, HashSet};

use contracts::product::{Image, Product, ProductFilter, ProductId, ProductStatus, ProductView};
use shared::{Kind, PageRequest};

use crate::{Answer, Page, forms::Fields};

/// Products that a form shows. Those after them stay where they are.
const SHOWN: usize = 200;

/// Products that a search offers.
const FOUND: u32 = 10;

/// A product in the form.
pub struct Member {
    pub id: ProductId,
    pub slug: String,
    pub title: String,
    pub image: Option<Image>,
    pub status: ProductStatus,
}

impl From<Product> for Member {
    fn from(product: Product) -> Self {
        let Product { id, slug, title, images, status, .. } = product;
        Self { id, slug, title, image: images.into_iter().next(), status }
    }
}

impl From<ProductView> for Member {
    fn from(view: ProductView) -> Self {
        let ProductView { id, slug, title, images, .. } = view;
        Self { id, slug, title, image: images.into_iter().next(), status: ProductStatus::Published }
    }
}

/// Those that a form shows.
pub fn shown(ids: &[ProductId]) -> &[ProductId] {
    &ids[..ids.len().min(SHOWN)]
}

/// The products of a form, with those of what is saved that it does not show.
pub fn whole(order: &[ProductId], saved: &[ProductId]) -> Vec<ProductId> {
    let here: HashSet<&ProductId> = order.iter().collect();
    let rest = saved.iter().skip(SHOWN).filter(|id| !here.contains(id));
    order.iter().chain(rest).copied().collect()
}

/// Ids as a field holds them.
pub fn joined(ids: &[ProductId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// The titles of the ids that a field holds, for people to compare.
pub fn titles(known: &[&Member], ids: &str) -> String {
    let titles: HashMap<String, &str> =
        known.iter().map(|member| (member.id.to_string(), member.title.as_str())).collect();
    let mut words: Vec<&str> =
        ids.split_whitespace().take(SHOWN).filter_map(|id| titles.get(id).copied()).collect();
    if ids.split_whitespace().nth(SHOWN).is_some() {
        words.push("…");
    }
    words.join(", ")
}

/// What the form holds, in the order that its places ask for.
pub fn chosen(f: &Fields) -> Vec<ProductId> {
    let ids: Vec<ProductId> =
        f.all("product").flat_map(str::split_whitespace).filter_map(|id| id.parse().ok()).collect();
    let mut order = ids.clone();
    for (n, (id, place)) in ids.iter().zip(f.all("place")).enumerate() {
        let place = place.trim().parse::<usize>().ok().filter(|place| *place != n + 1);
        if let Some(place) = place {
            order.retain(|other| other != id);
            order.insert(place.saturating_sub(1).min(order.len()), *id);
        }
    }
    let mut seen = HashSet::new();
    order.retain(|id| seen.insert(*id));
    order
}

/// Does what a button of the list says. True where only the page changes and nothing is to be saved.
pub fn arrange(order: &mut Vec<ProductId>, f: &Fields) -> bool {
    let (what, of) = f.value("do").split_once(':').unwrap_or((f.value("do"), ""));
    let at = order.iter().position(|id| id.to_string() == of);
    match (what, at) {
        ("up", Some(at)) if at > 0 => order.swap(at, at - 1),
        ("down", Some(at)) if at + 1 < order.len() => order.swap(at, at + 1),
        ("drop", Some(at)) => {
            order.remove(at);
        }
        ("add", None) => order.extend(of.parse::<ProductId>()),
        ("up" | "down" | "drop" | "add" | "find" | "sort", _) => {}
        // Enter in the search presses the first button of the form, which saves: what was typed is looked for first.
        _ => return f.given("find").is_some_and(|typed| typed != f.value("found")),
    }
    true
}

/// The products with these ids, in their order; those that are gone are left out.
pub async fn known(p: &Page, ids: &[ProductId]) -> Answer<Vec<Member>> {
    let products = &p.ports().products;
    let views = products.views(ids.to_vec(), p.prices()).await?;
    let mut known: HashMap<ProductId, Member> =
        views.into_iter().map(|view| (view.id, view.into())).collect();
    for id in ids {
        // Shoppers do not see this one.
        if !known.contains_key(id) {
            match products.find(*id).await {
                Ok(product) => known.extend([(*id, product.into())]),
                Err(error) if error.kind == Kind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(ids.iter().filter_map(|id| known.remove(id)).collect())
}

/// Products that may be added.
pub async fn found(p: &Page, q: &str) -> Answer<Option<Vec<Member>>> {
    if q.is_empty() {
        return Ok(None);
    }
    let filter = ProductFilter { q: Some(q.to_owned()), ..ProductFilter::default() };
    let found = p.ports().products.list(filter, PageRequest { limit: FOUND, cursor: None }).await?;
    Ok(Some(found.data.into_iter().map(Member::from).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(ids: &[ProductId], places: &[&str]) -> Fields {
        let mut f = Fields::default();
        for (id, place) in ids.iter().zip(places) {
            f = f.with("product", id).with("place", place);
        }
        f
    }

    fn three() -> [ProductId; 3] {
        [ProductId::new(), ProductId::new(), ProductId::new()]
    }

    #[test]
    fn a_product_goes_to_the_place_that_was_entered() {
        let [a, b, c] = three();
        let order = |places: &[&str]| chosen(&form(&[a, b, c], places));
        assert_eq!(order(&["1", "2", "3"]), [a, b, c]);
        assert_eq!(order(&["1", "2", "1"]), [c, a, b]);
        assert_eq!(order(&["3", "2", "1"]), [c, b, a]);
        assert_eq!(order(&["99", "2", "3"]), [b, c, a]);
        assert_eq!(order(&["1", "0", "3"]), [b, a, c]);
        assert_eq!(order(&["", "second", "3"]), [a, b, c]);
    }

    #[test]
    fn a_product_is_there_once() {
        let [a, b, _] = three();
        assert_eq!(chosen(&Fields::default().with("product", joined(&[a, b, a]))), [a, b]);
        let mut order = vec![a, b];
        assert!(arrange(&mut order, &Fields::default().with("do", format!("add:{a}"))));
        assert_eq!(order, [a, b]);
    }

    #[test]
    fn buttons_move_add_and_remove_and_save_nothing() {
        let [a, b, c] = three();
        let mut order = vec![a, b];
        let mut press = |button: String| {
            assert!(arrange(&mut order, &Fields::default().with("do", button)));
            order.clone()
        };
        assert_eq!(press(format!("up:{a}")), [a, b]);
        assert_eq!(press(format!("down:{a}")), [b, a]);
        assert_eq!(press(format!("add:{c}")), [b, a, c]);
        assert_eq!(press(format!("drop:{b}")), [a, c]);
        assert_eq!(press("drop:nothing".to_owned()), [a, c]);
    }

    #[test]
    fn what_is_typed_is_looked_for_before_anything_is_saved() {
        let save = Fields::default().with("do", "save");
        assert!(!arrange(&mut Vec::new(), &save));
        assert!(arrange(&mut Vec::new(), &save.clone().with("find", "mug")));
        assert!(!arrange(&mut Vec::new(), &save.with("find", "mug").with("found", "mug")));
    }

    #[test]
    fn products_that_a_form_does_not_show_stay() {
        let saved: Vec<ProductId> = (0..SHOWN + 2).map(|_| ProductId::new()).collect();
        let (first, last) = (saved[0], saved[SHOWN + 1]);
        let order: Vec<ProductId> = shown(&saved)[1..].to_vec();
        let kept = whole(&order, &saved);
        assert_eq!((kept.len(), kept.contains(&first)), (SHOWN + 1, false));
        assert_eq!(kept.last(), Some(&last));
        assert_eq!(whole(&[last], &saved), [last, saved[SHOWN]]);
    }
}
