//! The index's directory. Everything in it can be made anew from the store, so a bad index is thrown away.

use std::{fs, path::Path};

use shared::{Error, Result};
use tantivy::{
    Directory, Index,
    directory::{DirectoryLock, INDEX_WRITER_LOCK, MmapDirectory},
    schema::Schema,
};

/// The index in `dir`, or why it is of no use; `None` where there is none.
pub fn existing(dir: &Path, schema: &Schema) -> Result<Option<Result<Index, String>>> {
    let _lock = lock(dir)?;
    Ok(dir.join("meta.json").exists().then(|| reopen(dir, schema)))
}

/// Deletes what a former index has left in `dir`, and nothing else, and makes an empty one.
pub fn create(dir: &Path, schema: Schema) -> Result<Index> {
    let _lock = lock(dir)?;
    for entry in fs::read_dir(dir).map_err(Error::internal)? {
        let entry = entry.map_err(Error::internal)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let of_a_segment = name.len() > 32 && name.bytes().take(32).all(|byte| byte.is_ascii_hexdigit());
        if of_a_segment || matches!(name.as_str(), "meta.json" | ".managed.json") {
            fs::remove_file(entry.path()).map_err(Error::internal)?;
        }
    }
    Index::create_in_dir(dir, schema).map_err(Error::internal)
}

/// Makes sure that no other process writes to the index. The operating system takes the lock back when its process
/// ends, however it ends, so a file that was left behind locks nobody out.
fn lock(dir: &Path) -> Result<DirectoryLock> {
    fs::create_dir_all(dir).map_err(Error::internal)?;
    let directory = MmapDirectory::open(dir).map_err(Error::internal)?;
    directory.acquire_lock(&INDEX_WRITER_LOCK).map_err(|_| {
        Error::internal(format!("the search index in {} is in use by another process", dir.display()))
    })
}

fn reopen(dir: &Path, schema: &Schema) -> Result<Index, String> {
    let text = |error: tantivy::TantivyError| error.to_string();
    let directory = MmapDirectory::open(dir).map_err(|error| error.to_string())?;
    let index = Index::open(directory).map_err(text)?;
    if index.schema() != *schema {
        return Err("its schema is another one".into());
    }
    match index.validate_checksum().map_err(text)?.len() {
        0 => Ok(index),
        damaged => Err(format!("{damaged} of its files are damaged")),
    }
}
