//! Which pictures there are, and their smaller forms.

use contracts::product::PicturesReady;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use shared::{
    Result, Time,
    db::{Conn, Tx},
    on,
};

use super::MODULE;
use crate::{schema::pictures, store::Finished};

/// A picture that has failed so often, or has taken the process down with it, is let be.
const MAX_TRIES: i64 = 5;

pub(super) async fn add(tx: &mut Tx, files: &[String], due_at: Time) -> Result<()> {
    for file in files {
        on!(tx, |c| diesel::insert_into(pictures::table)
            .values(fresh(file, due_at))
            .on_conflict_do_nothing()
            .execute(c)
            .await)?;
    }
    Ok(())
}

pub(super) async fn replace(tx: &mut Tx, file: &str, due_at: Time) -> Result<()> {
    on!(tx, |c| diesel::insert_into(pictures::table)
        .values(fresh(file, due_at))
        .on_conflict(pictures::file)
        .do_update()
        .set((
            pictures::due_at.eq(Some(due_at)),
            pictures::tries.eq(0_i64),
            pictures::widths.eq(""),
            pictures::avif.eq(false),
            pictures::color.eq(None::<String>),
        ))
        .execute(c)
        .await)?;
    Ok(())
}

type Fresh<'a> = (
    diesel::dsl::Eq<pictures::file, &'a str>,
    diesel::dsl::Eq<pictures::due_at, Time>,
    diesel::dsl::Eq<pictures::tries, i64>,
    diesel::dsl::Eq<pictures::widths, &'static str>,
    diesel::dsl::Eq<pictures::avif, bool>,
);

fn fresh(file: &str, due_at: Time) -> Fresh<'_> {
    (
        pictures::file.eq(file),
        pictures::due_at.eq(due_at),
        pictures::tries.eq(0),
        pictures::widths.eq(""),
        pictures::avif.eq(false),
    )
}

pub(super) async fn known(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(on!(conn, |c| pictures::table.select(pictures::file).load(c).await)?)
}

pub(super) async fn claim(tx: &mut Tx, now: Time, until: Time, limit: i64) -> Result<Vec<String>> {
    let due: Vec<String> = on!(tx, |c| pictures::table
        .filter(pictures::due_at.le(now).and(pictures::tries.lt(MAX_TRIES)))
        .order(pictures::due_at)
        .select(pictures::file)
        .limit(limit)
        .load(c)
        .await)?;
    let mut claimed = Vec::new();
    for file in due {
        let row = pictures::table.find(&file).filter(pictures::due_at.le(now));
        let values = (pictures::due_at.eq(until), pictures::tries.eq(pictures::tries + 1));
        if on!(tx, |c| diesel::update(row).set(values).execute(c).await)? == 1 {
            claimed.push(file);
        }
    }
    Ok(claimed)
}

pub(super) async fn finish(tx: &mut Tx, until: Time, done: &[Finished]) -> Result<()> {
    for picture in done {
        let widths = picture.widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        // One whose content has been replaced in the meantime is due again.
        let row = pictures::table.find(&picture.file).filter(pictures::due_at.eq(until));
        let values = (
            pictures::due_at.eq(None::<Time>),
            pictures::widths.eq(widths),
            pictures::avif.eq(picture.avif),
            pictures::color.eq(&picture.color),
        );
        on!(tx, |c| diesel::update(row).set(values).execute(c).await)?;
    }
    let files = done.iter().map(|picture| picture.file.clone()).collect();
    tx.emit(MODULE, "pictures", until.micros(), &PicturesReady { files }).await?;
    Ok(())
}

pub(super) async fn finished(conn: &mut Conn, files: &[String]) -> Result<Vec<Finished>> {
    let rows: Vec<(String, String, bool, Option<String>)> = on!(conn, |c| pictures::table
        .filter(pictures::file.eq_any(files).and(pictures::due_at.is_null()))
        .select((pictures::file, pictures::widths, pictures::avif, pictures::color))
        .load(c)
        .await)?;
    let picture = |(file, widths, avif, color): (String, String, bool, Option<String>)| {
        let widths = widths.split(',').filter_map(|width| width.parse().ok()).collect();
        Finished { file, widths, avif, color }
    };
    Ok(rows.into_iter().map(picture).collect())
}
