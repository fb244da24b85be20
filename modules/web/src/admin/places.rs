//! The category tree as a list, for tables and choices.

use contracts::product::{Category, CategoryId, CategoryNode};

use crate::{Answer, Page};

/// A category and where it is.
#[derive(Debug)]
pub struct Place {
    pub category: Category,
    /// 0 for a root.
    pub depth: usize,
    /// Titles from the root down.
    pub path: String,
    pub products: u64,
    /// The ids above it.
    pub above: Vec<CategoryId>,
}

/// All categories, parents before children, as they are now.
pub async fn all(p: &Page) -> Answer<Vec<Place>> {
    let mut places = Vec::new();
    for node in p.ports().products.categories().await? {
        add(&mut places, node, "", &[]);
    }
    Ok(places)
}

fn add(places: &mut Vec<Place>, node: CategoryNode, above: &str, ids: &[CategoryId]) {
    let path = if above.is_empty() {
        node.category.title.clone()
    } else {
        format!("{above} / {}", node.category.title)
    };
    let below = [ids, &[node.category.id]].concat();
    places.push(Place {
        category: node.category,
        depth: ids.len(),
        path: path.clone(),
        products: node.product_count,
        above: ids.to_vec(),
    });
    for child in node.children {
        add(places, child, &path, &below);
    }
}
