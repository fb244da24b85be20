//! The pictures that lie beside a file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use contracts::product::Image;
use shared::{Error, Result, values::Blob};

/// Larger files are not read at all.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// What lies in the folder of the file and in `images` below it, by file name.
pub(super) struct Gallery(HashMap<String, PathBuf>);

/// A picture that is there.
pub(super) struct Picture {
    /// What the shop calls it.
    pub file: String,
    /// The line that names it.
    pub line: u64,
    path: PathBuf,
}

impl Gallery {
    pub fn beside(folder: &Path) -> Self {
        let mut files = HashMap::new();
        for folder in [folder.to_owned(), folder.join("images")] {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
                let is_picture =
                    matches!(extension.as_str(), "jpg" | "jpeg" | "png" | "webp" | "avif" | "gif");
                if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| is_picture) {
                    files.insert(name.to_owned(), path.clone());
                }
            }
        }
        Self(files)
    }

    /// The picture with the file name of a URL or path, if it is there.
    pub fn find(&self, source: &str, line: u64) -> Option<Picture> {
        let name = source.split(['?', '#']).next()?.rsplit(['/', '\\']).next()?;
        let path = self.0.get(name)?.clone();
        let safe = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
        Some(Picture { file: name.trim_start_matches('.').chars().map(safe).collect(), line, path })
    }
}

impl Picture {
    /// As an image of a product.
    pub fn image(&self, alt: &str) -> Image {
        let (width, height) = imagesize::size(&self.path).map_or((0, 0), |size| (size.width, size.height));
        let pixels = |size| u32::try_from(size).unwrap_or(0);
        Image {
            file: self.file.clone(),
            alt: alt.to_owned(),
            width: pixels(width),
            height: pixels(height),
            ..Image::default()
        }
    }

    /// `Invalid` when it cannot be read or is too large.
    pub fn content(&self) -> Result<Blob> {
        let unreadable =
            |e: std::io::Error| Error::invalid("file", "file", format!("{}: {e}", self.path.display()));
        if std::fs::metadata(&self.path).map_err(unreadable)?.len() > MAX_BYTES {
            return Err(Error::invalid("file", "too_large", "a picture may have at most 8 MiB"));
        }
        Ok(Blob(std::fs::read(&self.path).map_err(unreadable)?.into()))
    }
}
