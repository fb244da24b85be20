//! Pictures of products.

use contracts::product::{
    Category, CategoryId, CategoryNode, Image, NewImage, NewProduct, Product, ProductId,
};
use shared::{Error, Result};

use super::Service;
use crate::model::draft;

impl Service {
    pub(super) async fn attach_image(&self, id: ProductId, new: NewImage) -> Result<Product> {
        // Nobody's picture is stored for a product that is not there.
        self.catalogue.load(&[id]).await?.pop().ok_or_else(ProductId::not_found)?;
        let (file, clean) = self.pictures.upload(new.content).await?;
        let (width, height) = (clean.width, clean.height);
        let image = Image { file, alt: new.alt, width, height, options: new.options, ..Image::default() };
        let attach = |draft: &mut NewProduct| {
            draft.images.retain(|other| other.file != image.file);
            draft.images.push(image.clone());
            Ok(())
        };
        self.rewrite(id, None, attach).await
    }

    /// The file stays: other products may show it.
    pub(super) async fn detach_image(&self, id: ProductId, file: &str) -> Result<Product> {
        let detach = |draft: &mut NewProduct| {
            let before = draft.images.len();
            draft.images.retain(|image| image.file != file);
            if draft.images.len() == before { Err(Error::not_found("picture")) } else { Ok(()) }
        };
        self.rewrite(id, None, detach).await
    }

    /// The tree with what its pictures come in.
    pub(super) async fn dressed(&self, mut nodes: Vec<CategoryNode>) -> Result<Vec<CategoryNode>> {
        let (mut left, mut images) = (nodes.iter_mut().collect::<Vec<_>>(), Vec::new());
        while let Some(node) = left.pop() {
            images.extend(&mut node.category.image);
            left.extend(&mut node.children);
        }
        self.pictures.dress(images).await?;
        Ok(nodes)
    }

    pub(super) async fn one_category(&self, key: &str) -> Result<Category> {
        let tree = self.branches.tree();
        let mut category = match tree.find(key) {
            Ok(category) => category.clone(),
            Err(missing) => {
                let slug = draft::given_slug(key).map_err(|_| CategoryId::not_found())?;
                let id = self.catalogue.former_category(&slug).await?;
                id.and_then(|id| tree.get(id)).cloned().ok_or(missing)?
            }
        };
        self.pictures.dress(category.image.iter_mut().collect()).await?;
        Ok(category)
    }
}
