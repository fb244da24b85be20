//! The categories as a tree.

use std::collections::{HashMap, HashSet};

use contracts::product::{Category, CategoryId, CategoryNode, CategoryRef, ProductId};
use shared::{Error, Result};

/// How deep a tree may be.
const MAX_DEPTH: usize = 10;

/// All categories, in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    by_id: HashMap<CategoryId, Category>,
    by_slug: HashMap<String, CategoryId>,
    /// Siblings by position, then title.
    children: HashMap<Option<CategoryId>, Vec<CategoryId>>,
}

impl Tree {
    /// Of all categories.
    pub fn new(mut all: Vec<Category>) -> Self {
        all.sort_by(|a, b| (a.position, &a.title, a.id).cmp(&(b.position, &b.title, b.id)));
        let mut tree = Self::default();
        for category in all {
            tree.by_slug.insert(category.slug.clone(), category.id);
            tree.children.entry(category.parent_id).or_default().push(category.id);
            tree.by_id.insert(category.id, category);
        }
        tree
    }

    /// The tree with `category` added or replaced. `Invalid/cycle`, `Invalid/too_deep`, `Invalid/unknown_category`.
    pub fn with(&self, category: Category) -> Result<Self> {
        let id = category.id;
        if let Some(parent) = category.parent_id {
            if !self.contains(parent) {
                return Err(Error::invalid("/parent_id", "unknown_category", "there is no such category"));
            }
            if self.below(id).contains(&parent) {
                return Err(Error::invalid("/parent_id", "cycle", "a category cannot be below itself"));
            }
        }
        let others = self.by_id.values().filter(|other| other.id != id).cloned();
        let tree = Self::new(others.chain([category]).collect());
        if tree.below(id).iter().any(|below| tree.path(*below).len() > MAX_DEPTH) {
            let detail = format!("the tree may have at most {MAX_DEPTH} levels");
            return Err(Error::invalid("/parent_id", "too_deep", detail));
        }
        Ok(tree)
    }

    pub fn contains(&self, id: CategoryId) -> bool {
        self.by_id.contains_key(&id)
    }

    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.by_id.get(&id)
    }

    /// By id or slug.
    pub fn find(&self, key: &str) -> Result<&Category> {
        let id = self.by_slug.get(key).copied().or_else(|| key.parse().ok());
        id.and_then(|id| self.get(id)).ok_or_else(CategoryId::not_found)
    }

    /// The child of `parent` with this title, in any case.
    pub fn child(&self, parent: Option<CategoryId>, title: &str) -> Option<CategoryId> {
        let title = title.trim().to_lowercase();
        self.children(parent).find(|c| c.title.to_lowercase() == title).map(|c| c.id)
    }

    pub fn children(&self, parent: Option<CategoryId>) -> impl Iterator<Item = &Category> {
        self.children.get(&parent).into_iter().flatten().filter_map(|id| self.get(*id))
    }

    /// In any order.
    pub fn all(&self) -> impl Iterator<Item = &Category> {
        self.by_id.values()
    }

    /// From the root down to the category itself.
    pub fn path(&self, id: CategoryId) -> Vec<CategoryRef> {
        let mut path = Vec::new();
        let mut next = self.get(id);
        // The bound keeps a loop, which the rules exclude, from being endless.
        while let Some(category) = next.filter(|_| path.len() <= MAX_DEPTH) {
            path.push(reference(category));
            next = category.parent_id.and_then(|parent| self.get(parent));
        }
        path.reverse();
        path
    }

    /// The categories and all their ancestors, each once.
    pub fn lineage(&self, ids: &[CategoryId]) -> Vec<CategoryRef> {
        let mut seen = HashSet::new();
        ids.iter().flat_map(|id| self.path(*id)).filter(|category| seen.insert(category.id)).collect()
    }

    /// The category and all below it.
    pub fn below(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut found = vec![id];
        let mut next = 0;
        while let Some(&parent) = found.get(next) {
            found.extend(self.children(Some(parent)).map(|c| c.id));
            next += 1;
        }
        found
    }

    /// The whole tree, with how many products are in each category and below.
    pub fn nodes(&self, counts: &HashMap<CategoryId, u64>) -> Vec<CategoryNode> {
        self.branch(None, counts)
    }

    fn branch(&self, parent: Option<CategoryId>, counts: &HashMap<CategoryId, u64>) -> Vec<CategoryNode> {
        self.children(parent)
            .map(|category| CategoryNode {
                category: category.clone(),
                product_count: counts.get(&category.id).copied().unwrap_or(0),
                children: self.branch(Some(category.id), counts),
            })
            .collect()
    }

    /// Products in each category and below. A product in two categories of one branch counts once there.
    /// `placements` has each product's categories in a row.
    pub fn count(&self, placements: &[(ProductId, CategoryId)]) -> HashMap<CategoryId, u64> {
        let mut counts = HashMap::new();
        let mut lines = HashMap::<CategoryId, Vec<CategoryId>>::new();
        let mut seen = HashSet::new();
        for row in placements.chunk_by(|a, b| a.0 == b.0) {
            seen.clear();
            for (_, category) in row {
                let line = lines
                    .entry(*category)
                    .or_insert_with(|| self.path(*category).into_iter().map(|c| c.id).collect());
                seen.extend(line.iter().copied());
            }
            seen.iter().for_each(|id| *counts.entry(*id).or_default() += 1);
        }
        counts
    }
}

/// A category by name.
pub fn reference(category: &Category) -> CategoryRef {
    CategoryRef { id: category.id, slug: category.slug.clone(), title: category.title.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(title: &str, parent_id: Option<CategoryId>) -> Category {
        Category {
            id: CategoryId::new(),
            slug: title.to_lowercase(),
            title: title.into(),
            description: String::new(),
            parent_id,
            position: 0,
            image: None,
            version: 1,
        }
    }

    #[test]
    fn a_category_cannot_be_below_itself() {
        let a = category("A", None);
        let b = category("B", Some(a.id));
        let c = category("C", Some(b.id));
        let tree = Tree::new(vec![a.clone(), b, c.clone()]);
        for parent in [a.id, c.id] {
            let moved = Category { parent_id: Some(parent), ..a.clone() };
            assert_eq!(tree.with(moved).unwrap_err().code, "cycle");
        }
        assert!(tree.with(Category { parent_id: Some(a.id), ..c }).is_ok());
    }

    #[test]
    fn a_tree_has_at_most_ten_levels() {
        let mut tree = Tree::default();
        let mut parent = None;
        for level in 0..MAX_DEPTH {
            let category = category(&format!("L{level}"), parent);
            parent = Some(category.id);
            tree = tree.with(category).unwrap();
        }
        assert_eq!(tree.with(category("too deep", parent)).unwrap_err().code, "too_deep");
    }

    #[test]
    fn a_product_in_two_categories_of_a_branch_counts_once_there() {
        let root = category("Root", None);
        let (a, b) = (category("A", Some(root.id)), category("B", Some(root.id)));
        let tree = Tree::new(vec![root.clone(), a.clone(), b.clone()]);
        let (one, two) = (ProductId::new(), ProductId::new());
        let counts = tree.count(&[(one, a.id), (one, b.id), (two, a.id)]);
        assert_eq!((counts[&root.id], counts[&a.id], counts[&b.id]), (2, 2, 1));
    }
}
