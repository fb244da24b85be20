//! Pictures, in a folder.

use std::{io::ErrorKind, path::PathBuf};

use contracts::product::{Image, MediaFile, NewImage, NewProduct, Product, ProductId};
use shared::{Error, Result, values::Blob};
use tokio::io::AsyncWriteExt;

use super::Service;
use crate::model::picture;

impl Service {
    pub(super) async fn read_media(&self, file: &str) -> Result<MediaFile> {
        let missing = || Error::not_found("picture");
        if !picture::is_name(file) {
            return Err(missing());
        }
        let content = match tokio::fs::read(self.path(file)).await {
            Ok(content) => content,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing()),
            Err(error) => return Err(Error::internal(error)),
        };
        let (content_type, _) = picture::sniff(&content).ok_or_else(missing)?;
        Ok(MediaFile { content_type: content_type.to_owned(), content: Blob(content.into()) })
    }

    pub(super) async fn write_media(&self, file: &str, content: Blob) -> Result<()> {
        if !picture::is_name(file) {
            return Err(Error::invalid("/file", "file", "is not the name of a picture"));
        }
        picture::inspect(&content)?;
        self.keep(file, &content).await
    }

    pub(super) async fn attach_image(&self, id: ProductId, new: NewImage) -> Result<Product> {
        let picture = picture::inspect(&new.content)?;
        // Nobody's picture is stored for a product that is not there.
        self.catalogue.load(&[id]).await?.pop().ok_or_else(ProductId::not_found)?;
        let file = picture::name(&new.content.0, picture.extension);
        self.keep(&file, &new.content).await?;
        let (width, height) = (picture.width, picture.height);
        let image = Image { file, alt: new.alt, width, height, options: new.options };
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

    fn path(&self, file: &str) -> PathBuf {
        self.settings.media_dir.join(file)
    }

    /// Writes a file whole or not at all, once for the same content.
    async fn keep(&self, file: &str, content: &Blob) -> Result<()> {
        if tokio::fs::read(self.path(file)).await.is_ok_and(|there| there == content.0) {
            return Ok(());
        }
        // Hidden files cannot be asked for.
        let draft = self.path(&format!(".{}", ProductId::random()));
        let write = async {
            let mut out = tokio::fs::File::create(&draft).await?;
            out.write_all(&content.0).await?;
            out.sync_all().await?;
            tokio::fs::rename(&draft, self.path(file)).await
        };
        let written = write.await;
        if written.is_err() {
            let _ = tokio::fs::remove_file(&draft).await;
        }
        written.map_err(Error::internal)
    }
}
