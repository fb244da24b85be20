//! The files of pictures, and the work of making their smaller forms.

use std::{
    collections::{HashMap, HashSet},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use contracts::product::{Image, MediaFile, ProductId};
use moka::sync::Cache;
use shared::{Clock, Error, Kind, Result, values::Blob};
use tokio::{
    io::AsyncWriteExt,
    sync::{Notify, Semaphore},
};

use crate::{
    model::{
        picture,
        raster::{self, Clean},
    },
    store::{Finished, Gallery},
};

/// Pictures claimed at once; what shows them is told once for all.
const BATCH: i64 = 16;
/// After this another process may take over. A batch takes a few seconds, with AVIF a minute.
const LEASE: Duration = Duration::from_secs(600);
/// The folder of the smaller forms, in that of the pictures.
const FORMS: &str = "forms";
/// How long it is remembered which forms there are: another process may have replaced a picture.
const REMEMBER: Duration = Duration::from_secs(60);

/// The pictures of the shop.
pub struct Pictures {
    gallery: Arc<dyn Gallery>,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    avif: bool,
    finished: Cache<String, Arc<Finished>>,
    wake: Notify,
    /// One upload is decoded at a time: it takes a core and up to half a gigabyte.
    decoding: Semaphore,
}

impl Pictures {
    pub async fn new(
        gallery: Arc<dyn Gallery>,
        clock: Arc<dyn Clock>,
        dir: PathBuf,
        avif: bool,
    ) -> Result<Self> {
        if avif && !cfg!(feature = "avif") {
            let detail = "this build cannot write AVIF: build it with the feature `avif`";
            return Err(Error::invalid("product.avif", "feature", detail));
        }
        tokio::fs::create_dir_all(dir.join(FORMS)).await.map_err(Error::internal)?;
        let finished = Cache::builder().max_capacity(20_000).time_to_live(REMEMBER).build();
        let (wake, decoding) = (Notify::new(), Semaphore::new(1));
        Ok(Self { gallery, clock, dir, avif, finished, wake, decoding })
    }

    #[cfg(test)]
    pub fn gallery(&self) -> &dyn Gallery {
        &*self.gallery
    }

    /// A picture or one of its forms.
    pub async fn read(&self, file: &str) -> Result<MediaFile> {
        let missing = || Error::not_found("picture");
        if !picture::is_name(file) {
            return Err(missing());
        }
        let content = match read(&self.dir.join(file)).await? {
            Some(content) => content,
            None => read(&self.dir.join(FORMS).join(file)).await?.ok_or_else(missing)?,
        };
        let (content_type, _) = picture::sniff(&content).ok_or_else(missing)?;
        Ok(MediaFile { content_type: content_type.to_owned(), content: Blob(content.into()) })
    }

    /// Checks an upload to the last pixel, and keeps it under a name made of its content.
    pub async fn upload(&self, content: Blob) -> Result<(String, Clean)> {
        let clean = self.decode(move || raster::clean(content)).await?;
        let file = picture::name(&clean.content.0, clean.extension);
        self.keep(&file, &clean.content).await?;
        Ok((file, clean))
    }

    /// Keeps a picture under a name of the caller's.
    pub async fn store(&self, file: &str, content: Blob) -> Result<()> {
        if !picture::is_name(file) {
            return Err(Error::invalid("/file", "file", "is not the name of a picture"));
        }
        let clean = self.decode(move || raster::clean_quickly(content)).await?;
        self.keep(file, &clean.content).await
    }

    async fn decode(&self, work: impl FnOnce() -> Result<Clean> + Send + 'static) -> Result<Clean> {
        let _permit = self.decoding.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }

    /// The file is there before it is known; should a crash come between, [`Pictures::run`] finds it.
    async fn keep(&self, file: &str, content: &Blob) -> Result<()> {
        let (path, now) = (self.dir.join(file), self.clock.now());
        match read(&path).await? {
            Some(there) if there == content.0 => self.gallery.add(vec![file.to_owned()], now).await?,
            _ => {
                write(&path, &content.0).await?;
                self.gallery.replace(file.to_owned(), now).await?;
                self.finished.invalidate(file);
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// Writes into the images which forms there are.
    pub async fn dress(&self, images: Vec<&mut Image>) -> Result<()> {
        let unknown: HashSet<&String> = images
            .iter()
            .map(|image| &image.file)
            .filter(|file| !self.finished.contains_key(*file))
            .collect();
        let unknown: Vec<String> = unknown.into_iter().cloned().collect();
        let mut loaded = HashMap::new();
        if !unknown.is_empty() {
            for picture in self.gallery.finished(unknown).await? {
                let picture = Arc::new(picture);
                self.finished.insert(picture.file.clone(), picture.clone());
                loaded.insert(picture.file.clone(), picture);
            }
        }
        for image in images {
            let known = self.finished.get(&image.file).or_else(|| loaded.get(&image.file).cloned());
            if let Some(picture) = known {
                image.widths.clone_from(&picture.widths);
                image.avif = picture.avif;
                image.color.clone_from(&picture.color);
            }
        }
        Ok(())
    }

    /// Takes up what a crash left, then makes what is due, until it is dropped.
    pub async fn run(&self, every: Duration) {
        if let Err(error) = self.adopt().await {
            tracing::error!(error = error.chain(), "pictures cannot be looked through");
        }
        loop {
            match self.make_due().await {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::error!(error = error.chain(), "pictures cannot be made smaller"),
            }
            let _ = tokio::time::timeout(every, self.wake.notified()).await;
        }
    }

    /// Files that nobody knows, because a crash came between or they are older than this work, become known.
    pub async fn adopt(&self) -> Result<()> {
        let known: HashSet<String> = self.gallery.known().await?.into_iter().collect();
        let mut files = Vec::new();
        let mut entries = tokio::fs::read_dir(&self.dir).await.map_err(Error::internal)?;
        while let Some(entry) = entries.next_entry().await.map_err(Error::internal)? {
            let Ok(file) = entry.file_name().into_string() else { continue };
            if picture::is_name(&file) && file != FORMS && !known.contains(&file) {
                files.push(file);
            }
        }
        if files.is_empty() { Ok(()) } else { self.gallery.add(files, self.clock.now()).await }
    }

    /// Makes the forms of a few pictures that are due and returns how many. One after the other: shoppers come first.
    pub async fn make_due(&self) -> Result<usize> {
        let now = self.clock.now();
        let until = now.after(LEASE);
        let claimed = self.gallery.claim(now, until, BATCH).await?;
        let mut done = Vec::new();
        for file in &claimed {
            match self.make(file).await {
                Ok(finished) => done.push(finished),
                // Another try would end the same way.
                Err(error) if matches!(error.kind, Kind::Invalid | Kind::NotFound) => {
                    tracing::warn!(file, error = error.chain(), "a picture has no smaller forms");
                    done.push(Finished { file: file.clone(), widths: Vec::new(), avif: false, color: None });
                }
                Err(error) => tracing::error!(file, error = error.chain(), "a picture is tried again later"),
            }
        }
        if !done.is_empty() {
            self.gallery.finish(until, done).await?;
        }
        Ok(claimed.len())
    }

    async fn make(&self, file: &str) -> Result<Finished> {
        let content = read(&self.dir.join(file)).await?.ok_or_else(|| Error::not_found("picture"))?;
        let avif = self.avif;
        let forms = tokio::task::spawn_blocking(move || raster::forms(&content, avif))
            .await
            .map_err(Error::internal)??;
        let mut widths = Vec::new();
        for form in &forms.files {
            let name = Image::form(file, form.width, form.extension);
            write(&self.dir.join(FORMS).join(name), &form.content).await?;
            widths.push(form.width);
        }
        widths.sort_unstable();
        widths.dedup();
        Ok(Finished {
            file: file.to_owned(),
            avif: avif && !widths.is_empty(),
            widths,
            color: Some(forms.color),
        })
    }
}

async fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match tokio::fs::read(path).await {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::internal(error)),
    }
}

/// Writes a file whole or not at all.
async fn write(path: &Path, content: &[u8]) -> Result<()> {
    // Hidden files cannot be asked for.
    let draft = path.with_file_name(format!(".{}", ProductId::random()));
    let write = async {
        let mut out = tokio::fs::File::create(&draft).await?;
        out.write_all(content).await?;
        out.sync_all().await?;
        tokio::fs::rename(&draft, path).await
    };
    let written = write.await;
    if written.is_err() {
        let _ = tokio::fs::remove_file(&draft).await;
    }
    written.map_err(Error::internal)
}
