//! `bodega copy`: a whole shop from some databases to others, of the same family or not.

use std::path::Path;

use serde::Serialize;
use shared::{
    Database, Error, Result, events,
    time::system_clock,
    transfer::{self, Tables, Transfer},
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

/// Copies all four databases, the pictures and the secret, and compares them. `Invalid/not_movable` for MongoDB. Neither shop may run meanwhile. A copy
/// that was interrupted goes on where it stopped.
///
/// `Conflict/different` if the target is not equal in the end, `Conflict/other_secret` if it has a secret of its own
/// already: what is signed and masked with the source's could not be read with it.
pub async fn copy(from: &Settings, to: &Settings, progress: &Progress) -> Result<Vec<Copied>> {
    secret(from, to)?;
    let source = Databases::open(from, system_clock()).await?;
    let target = Databases::open(to, system_clock()).await?;
    // What cannot be moved is said before anything is written.
    let mut moves = Vec::new();
    for (source, target) in source.contents().iter().zip(&target.contents()) {
        moves.push((source.name, parts(source)?, parts(target)?));
    }
    target.migrate().await?;
    let mut copied = Vec::new();
    for (database, here, there) in moves {
        for (here, there) in here.into_iter().zip(there) {
            let tell = |kind: &str, count: u64| progress.tell(&format!("{database}/{kind}"), count);
            let sums = transfer::copy(&*here, &*there, &tell).await?;
            copied.extend(sums.into_iter().map(|(kind, sum)| Copied {
                database,
                kind,
                count: sum.count,
                hash: format!("{:032x}", sum.hash),
            }));
        }
    }
    pictures(&from.data_dir.join("media"), &to.data_dir.join("media"))?;
    progress.finish();
    Ok(copied)
}

/// What is moved of a database: its events, and its modules' tables. `Invalid/not_movable` for MongoDB, whose documents
/// cannot be moved yet.
fn parts(contents: &Contents) -> Result<[Box<dyn Transfer>; 2]> {
    let Database::Sql(db) = &contents.database else {
        let detail = format!("database.{}: documents cannot be moved to or from MongoDB yet", contents.name);
        return Err(Error::invalid("database", "not_movable", detail));
    };
    let own: Vec<_> =
        contents.tables.iter().filter(|tables| tables.module != events::MIGRATIONS.module).copied().collect();
    Ok([events::transfer(contents.database.clone()), Box::new(Tables::new(db.clone(), &own))])
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
