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

const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(30);

/// Makes sure that no other process writes to the index. The operating system takes the lock back when its process
/// ends, however it ends, so a file that was left behind locks nobody out.
fn lock(dir: &Path) -> Result<DirectoryLock> {
    fs::create_dir_all(dir).map_err(Error::internal)?;
    let directory = MmapDirectory::open(dir).map_err(Error::internal)?;
    // A process that was killed a moment ago, or one that is just being forked, lets go soon.
    for _ in 0..LOCK_TRIES {
        match directory.acquire_lock(&INDEX_WRITER_LOCK) {
            Ok(lock) => return Ok(lock),
            Err(_) => std::thread::sleep(LOCK_PAUSE),
        }
    }
    let detail = format!("the search index in {} is in use by another process", dir.display());
    Err(Error::conflict("search_in_use", detail))
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

#[cfg(test)]
mod tests {
    use shared::Currency;

    use super::*;
    use crate::search::{
        Index,
        tests::{product, put, query, usd},
    };

    fn total(index: &Index) -> u64 {
        index.search(&query(""), &[]).unwrap().total
    }

    #[test]
    fn an_index_on_disk_keeps_its_content_and_checkpoint() {
        let dir = tempfile::tempdir().unwrap();
        let open = |currencies: &[Currency]| Index::open(Some(dir.path()), currencies).unwrap();
        let index = open(&[Currency::EUR]);
        assert!(index.is_empty() && index.checkpoint().is_none());
        index.apply(vec![put(product("Mug"))], Some("41".into())).unwrap();
        index.apply(vec![put(product("Cup"))], None).unwrap();
        assert!(
            Index::open(Some(dir.path()), &[Currency::EUR]).is_err(),
            "two processes must not write to it"
        );
        drop(index);
        let index = open(&[Currency::EUR]);
        assert_eq!((index.checkpoint().as_deref(), total(&index)), (Some("41"), 2));
        index.apply(Vec::new(), Some("42".into())).unwrap();
        drop(index);
        assert_eq!(open(&[Currency::EUR, Currency::EUR]).checkpoint().as_deref(), Some("42"));
        let other = open(&[Currency::EUR, usd()]);
        assert!(other.is_empty() && other.checkpoint().is_none());
    }

    #[test]
    fn a_damaged_index_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("notes.txt"), "not ours").unwrap();
        let files = || fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        let damage = |name: &str, path: &Path| match name {
            "fast" => fs::remove_file(path).unwrap(),
            "store" => {
                let mut bytes = fs::read(path).unwrap();
                bytes[3] ^= 1;
                fs::write(path, bytes).unwrap();
            }
            _ => fs::write(path, "{").unwrap(),
        };
        for name in ["meta.json", ".managed.json", "term", "fast", "store"] {
            let index = Index::open(Some(dir.path()), &[Currency::EUR]).unwrap();
            index.apply(vec![put(product("Mug"))], Some("1".into())).unwrap();
            drop(index);
            files()
                .filter(|path| path.to_string_lossy().ends_with(name))
                .for_each(|path| damage(name, &path));
            let index = Index::open(Some(dir.path()), &[Currency::EUR]).unwrap();
            assert!(index.is_empty() && index.checkpoint().is_none(), "{name}");
            index.apply(vec![put(product("Mug"))], None).unwrap();
            assert_eq!(total(&index), 1);
        }
        assert!(dir.path().join("notes.txt").exists());
    }

    #[test]
    fn a_file_left_by_a_killed_process_locks_nobody_out() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".tantivy-writer.lock"), "").unwrap();
        Index::open(Some(dir.path()), &[Currency::EUR]).unwrap();
    }
}
