//! Categories as staff write them.

use contracts::product::{Category, CategoryId, CategoryPatch, Image, NewCategory};
use shared::{Error, Kind, Result};

use super::Service;
use crate::model::{draft, faults::Faults, picture};

/// How often a write is tried again that somebody else's came before.
const TRIES: u32 = 5;

impl Service {
    pub(super) async fn add_category(&self, new: NewCategory) -> Result<Category> {
        let given = new.slug.as_deref().map(draft::given_slug).transpose()?;
        let mut tries = 0;
        loop {
            let slug = given.clone().unwrap_or_else(|| self.free_category_slug(&new));
            let (parent_id, position) = (new.parent_id, new.position);
            let category = checked(Category {
                id: CategoryId::new(),
                slug,
                title: new.title.clone(),
                description: new.description.clone(),
                parent_id,
                position,
                image: new.image.clone(),
                version: 1,
            })?;
            tries += 1;
            let saved = self.catalogue.save_category(category.clone()).await;
            self.branches.refresh(&*self.catalogue).await?;
            match saved {
                Err(error) if error.code == "slug_taken" && given.is_none() && tries < TRIES => {}
                saved => return saved.map(|()| category),
            }
        }
    }

    /// `accessories`, else `garden-accessories` after its parent, else a number.
    fn free_category_slug(&self, new: &NewCategory) -> String {
        let tree = self.branches.tree();
        let taken: Vec<String> = tree.all().map(|category| category.slug.clone()).collect();
        let made = draft::made_slug(&new.title, "category");
        match new.parent_id.and_then(|parent| tree.get(parent)).filter(|_| taken.contains(&made)) {
            Some(parent) => draft::free_slug(&format!("{}-{made}", parent.slug), &taken),
            None => draft::free_slug(&made, &taken),
        }
    }

    pub(super) async fn change_category(
        &self,
        id: CategoryId,
        patch: CategoryPatch,
        version: Option<i64>,
    ) -> Result<Category> {
        let slug = patch.slug.as_deref().map(draft::given_slug).transpose()?;
        let mut tries = 0;
        loop {
            let there = self.branches.tree().get(id).cloned().ok_or_else(CategoryId::not_found)?;
            if version.is_some_and(|version| version != there.version) {
                let detail = "the category has been changed since you read it";
                return Err(Error::new(Kind::PreconditionFailed, "version", detail));
            }
            let patch = patch.clone();
            let category = checked(Category {
                id,
                slug: slug.clone().unwrap_or(there.slug),
                title: patch.title.unwrap_or(there.title),
                description: patch.description.unwrap_or(there.description),
                parent_id: patch.parent_id.unwrap_or(there.parent_id),
                position: patch.position.unwrap_or(there.position),
                image: patch.image.or(there.image),
                version: there.version + 1,
            })?;
            tries += 1;
            let saved = self.catalogue.save_category(category.clone()).await;
            self.branches.refresh(&*self.catalogue).await?;
            match saved {
                Err(error) if error.code == "version" && version.is_none() && tries < TRIES => {}
                saved => return saved.map(|()| category),
            }
        }
    }

    pub(super) async fn remove_category(&self, id: CategoryId) -> Result<()> {
        let removed = self.catalogue.delete_category(id).await;
        self.branches.refresh(&*self.catalogue).await?;
        removed
    }

    /// The category at the end of a path of titles. Missing ones are made.
    pub(super) async fn category_at(&self, path: &[String]) -> Result<Option<CategoryId>> {
        let mut parent = None;
        for title in path {
            parent = Some(match self.branches.tree().child(parent, title) {
                Some(id) => id,
                None => self.make_category(parent, title).await?,
            });
        }
        Ok(parent)
    }

    async fn make_category(&self, parent_id: Option<CategoryId>, title: &str) -> Result<CategoryId> {
        let _making = self.making.lock().await;
        if let Some(id) = self.branches.tree().child(parent_id, title) {
            return Ok(id);
        }
        let title = title.to_owned();
        let position = i32::try_from(self.branches.tree().children(parent_id).count()).unwrap_or(i32::MAX);
        let new =
            NewCategory { title, slug: None, description: String::new(), parent_id, position, image: None };
        self.add_category(new).await.map(|category| category.id)
    }
}

fn checked(category: Category) -> Result<Category> {
    let mut faults = Faults::default();
    let title = faults.text("/title", &category.title, 200);
    let description = draft::description(&mut faults, &category.description);
    if let Some(Image { file, .. }) = &category.image {
        faults.check(picture::is_name(file), "/image/file", "file", "is not the name of a picture");
    }
    faults.done()?;
    let image = category.image.map(draft::undressed);
    Ok(Category { title, description, image, ..category })
}
