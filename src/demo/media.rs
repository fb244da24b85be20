//! The pictures of the demo shop, which the binary carries.

use std::borrow::Cow;

use contracts::Ports;
use futures::{StreamExt, TryStreamExt};
use rust_embed::Embed;
use shared::{Error, Result, values::Blob};

use crate::seed::Progress;

/// Files written at the same time: each waits for the disk.
const AT_ONCE: usize = 8;

#[derive(Embed)]
#[folder = "src/demo/img"]
struct Pictures;

/// The names of all of them.
pub(crate) fn all() -> Vec<String> {
    Pictures::iter().map(Cow::into_owned).collect()
}

/// Hands the pictures of these names to the catalogue.
pub(crate) async fn store(ports: &Ports, names: Vec<String>, progress: &Progress) -> Result<()> {
    progress.begin("pictures", names.len() as u64);
    let stores = names.into_iter().map(|name| async move {
        let content =
            picture(&name).ok_or_else(|| Error::internal(format!("the demo has no picture {name}")))?;
        ports.products.store_media(name, content).await?;
        progress.advance(1);
        Ok(())
    });
    futures::stream::iter(stores).buffer_unordered(AT_ONCE).try_collect().await
}

fn picture(name: &str) -> Option<Blob> {
    Some(Blob(match Pictures::get(name)?.data {
        Cow::Borrowed(bytes) => bytes.into(),
        Cow::Owned(bytes) => bytes.into(),
    }))
}
