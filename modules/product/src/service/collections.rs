//! Collections as staff write them.

use std::collections::{HashMap, HashSet};

use contracts::product::{Collection, CollectionId, NewCollection};
use shared::{Error, Result};

use super::Service;
use crate::model::{draft, faults::Faults};

impl Service {
    pub(super) async fn add_collection(&self, new: NewCollection) -> Result<Collection> {
        let id = CollectionId::new();
        if new.slug.is_some() {
            let collection = checked(id, new, String::new())?;
            self.catalogue.save_collection(collection.clone(), true).await?;
            return Ok(collection);
        }
        let base = draft::made_slug(&new.title, "collection");
        for n in 1..100 {
            let slug = if n == 1 { base.clone() } else { format!("{base}-{n}") };
            let collection = checked(id, new.clone(), slug)?;
            match self.catalogue.save_collection(collection.clone(), true).await {
                Err(error) if error.code == "slug_taken" => {}
                result => return result.map(|()| collection),
            }
        }
        Err(Error::conflict("slug_taken", "too many collections have this title"))
    }

    pub(super) async fn change_collection(&self, id: CollectionId, new: NewCollection) -> Result<Collection> {
        let all = self.catalogue.collections().await?;
        let there =
            all.into_iter().find(|collection| collection.id == id).ok_or_else(CollectionId::not_found)?;
        let collection = checked(id, new, there.slug)?;
        self.catalogue.save_collection(collection.clone(), false).await?;
        Ok(collection)
    }

    /// The collections with these titles. Missing ones are made, unless this is a dry run.
    pub(super) async fn collections_titled(
        &self,
        titles: &HashSet<String>,
        dry_run: bool,
    ) -> Result<HashMap<String, CollectionId>> {
        let _making = self.making.lock().await;
        let slug = |title: &str| draft::made_slug(title, "collection");
        let slugs: Vec<String> = titles.iter().map(|title| slug(title)).collect();
        let mut known = self.catalogue.collections_by_slug(&slugs).await?;
        let mut found = HashMap::new();
        for title in titles {
            let slug = slug(title);
            if !known.contains_key(&slug) && !dry_run {
                let (title, description) = (title.clone(), String::new());
                let new =
                    NewCollection { title, slug: Some(slug.clone()), description, product_ids: Vec::new() };
                known.insert(slug.clone(), self.add_collection(new).await?.id);
            }
            found.extend(known.get(&slug).map(|id| (title.clone(), *id)));
        }
        Ok(found)
    }
}

fn checked(id: CollectionId, new: NewCollection, slug: String) -> Result<Collection> {
    let slug = new.slug.as_deref().map_or(Ok(slug), draft::given_slug)?;
    let mut faults = Faults::default();
    let title = faults.text("/title", &new.title, 200);
    let description = draft::description(&mut faults, &new.description);
    let few = new.product_ids.len() <= 10_000;
    faults.check(few, "/product_ids", "too_many", "a collection may have at most 10,000 products");
    faults.done()?;
    let mut seen = HashSet::new();
    let product_ids = new.product_ids.into_iter().filter(|id| seen.insert(*id)).collect();
    Ok(Collection { id, slug, title, description, product_ids })
}
