//! `bodega copy`: a whole shop from some databases to others, of the same family or not.

use std::path::Path;

use serde::Serialize;
use shared::{
    Database, Error, Result, events,
    time::system_clock,
    transfer::{self, Kind, Tables, Transfer},
};

use crate::{
    Settings,
    app::write_private,
    databases::{Contents, Databases},
    seed::Progress,
};

/// What was copied of one kind.
#[derive(Debug, Serialize)]
pub struct Copied {
    /// `orders`: see [`Contents::name`].
    pub database: &'static str,
    /// The table, or what is in it.
    pub kind: String,
    /// How many there are, in both.
    pub count: u64,
    /// Equal in both: see [`transfer::Sum`].
    pub hash: String,
}

/// Copies all four databases, the pictures and the secret, and compares them. Neither shop may run meanwhile. A copy
/// that was interrupted goes on where it stopped.
///
/// `Conflict/not_empty` before anything is written, if the target has something that is not the source's;
/// `Conflict/different` if it is not equal in the end; `Conflict/other_secret` if it has a secret of its own already: what
/// is signed and masked with the source's could not be read with it.
pub async fn copy(from: &Settings, to: &Settings, progress: &Progress) -> Result<Vec<Copied>> {
    let source = Databases::open(from, system_clock()).await?.contents();
    let target = Databases::open(to, system_clock()).await?;
    let moves = pairs(&source, &target.contents())?;
    target.migrate().await?;
    for Move { here, there, .. } in &moves {
        transfer::check(&**here, &**there).await?;
    }
    secret(from, to)?;
    let mut copied = Vec::new();
    for Move { database, here, there } in &moves {
        let tell = |kind: &str, count: u64| progress.tell(&format!("{database}/{kind}"), count);
        let sums = transfer::copy(&**here, &**there, &tell).await?;
        copied.extend(sums.into_iter().map(|(kind, sum)| Copied {
            database,
            kind,
            count: sum.count,
            hash: format!("{:032x}", sum.hash),
        }));
    }
    pictures(&from.data_dir.join("media"), &to.data_dir.join("media"))?;
    progress.finish();
    Ok(copied)
}

/// What one module keeps, and where it goes.
struct Move {
    database: &'static str,
    here: Box<dyn Transfer>,
    there: Box<dyn Transfer>,
}

/// `Invalid/other_modules` if one side has databases that the other has not.
fn pairs(source: &[Contents], target: &[Contents]) -> Result<Vec<Move>> {
    if !source.iter().map(|contents| contents.name).eq(target.iter().map(|contents| contents.name)) {
        let detail = "modules.host must be the same on both sides";
        return Err(Error::invalid("/modules/host", "other_modules", detail));
    }
    let mut moves = Vec::new();
    for (from, to) in source.iter().zip(target) {
        for (here, there) in parts(from).into_iter().zip(parts(to)) {
            moves.push(Move { database: from.name, here, there });
        }
    }
    Ok(moves)
}

/// What is moved of a database: what its modules say of both families, or else its tables.
fn parts(contents: &Contents) -> Vec<Box<dyn Transfer>> {
    let open = |kinds| transfer::open(contents.database.clone(), kinds);
    let mut parts: Vec<_> = kinds(contents.name).into_iter().map(open).collect();
    if let (1, Database::Sql(db)) = (parts.len(), &contents.database) {
        let events = events::MIGRATIONS.module;
        let own: Vec<_> = contents.tables.iter().filter(|tables| tables.module != events).copied().collect();
        parts.push(Box::new(Tables::new(db.clone(), &own)));
    }
    parts
}

/// What is kept in a database of either family. Where modules need a relational one, that is only the events.
fn kinds(database: &str) -> Vec<&'static [Kind]> {
    match database {
        "products" => vec![events::KINDS, product::KINDS],
        "metadata" => vec![
            events::KINDS,
            cart::KINDS,
            notification::KINDS,
            recommendation::KINDS,
            metadata::KINDS,
            review::KINDS,
        ],
        _ => vec![events::KINDS],
    }
}

/// The secret that is kept in the data folder goes along: passwords' pepper, keys and links depend on it.
fn secret(from: &Settings, to: &Settings) -> Result<()> {
    let (here, there) = (from.data_dir.join("secret.key"), to.data_dir.join("secret.key"));
    let Ok(secret) = std::fs::read(&here) else { return Ok(()) };
    if !from.secret_key.0.is_empty() || !to.secret_key.0.is_empty() || here == there {
        return Ok(());
    }
    match std::fs::read(&there) {
        Ok(other) if other != secret => {
            let detail = format!("{} is there already and is not the source's", there.display());
            Err(Error::conflict("other_secret", detail))
        }
        Ok(_) => Ok(()),
        Err(_) => {
            std::fs::create_dir_all(&to.data_dir).map_err(Error::internal)?;
            write_private(&there, &secret).map_err(Error::internal)
        }
    }
}

/// Copies the files that are not there in the same size.
fn pictures(from: &Path, to: &Path) -> Result<()> {
    if from == to || !from.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(to).map_err(Error::internal)?;
    for entry in std::fs::read_dir(from).map_err(Error::internal)? {
        let entry = entry.map_err(Error::internal)?;
        let (here, there) = (entry.path(), to.join(entry.file_name()));
        let size = |path: &Path| std::fs::metadata(path).map(|file| file.len()).ok();
        if here.is_dir() {
            pictures(&here, &there)?;
        } else if size(&here) != size(&there) {
            // Under another name first: a copy that is interrupted leaves no half picture.
            let part = there.with_extension("part");
            std::fs::copy(&here, &part)
                .and_then(|_| std::fs::rename(&part, &there))
                .map_err(Error::internal)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is made anew by its first use.
    const LEFT: [&str; 4] = ["category_tree", "recommendation_turns", "relays", "review_turns"];

    #[tokio::test]
    async fn every_table_and_every_collection_is_moved_or_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::with(&[("data_dir", folder.path().to_str().unwrap())]).unwrap();
        let all = Databases::open(&settings, system_clock()).await.unwrap().contents();
        for contents in all.iter().filter(|contents| kinds(contents.name).len() > 1) {
            let kinds = || kinds(contents.name).into_iter().flatten();
            let tables =
                kinds().flat_map(|kind| kind.parts.iter().map(|part| part.table).chain([kind.table]));
            let made = transfer::made(&contents.tables);
            assert_eq!(
                made.iter().map(String::as_str).collect::<BTreeSet<_>>(),
                tables.collect::<BTreeSet<_>>()
            );
            let collections =
                kinds().flat_map(|kind| kind.beside.iter().map(|(name, _)| *name).chain([kind.collection]));
            let specs = contents.documents.iter().flat_map(|schema| (schema.collections)());
            let kept = specs.map(|spec| spec.name).filter(|name| !LEFT.contains(name));
            assert_eq!(kept.collect::<BTreeSet<_>>(), collections.collect::<BTreeSet<_>>());
        }
    }
}
