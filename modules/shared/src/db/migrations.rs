//! Migrations: SQL compiled into the binary, applied once per database, module by module.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::{Conn, Db, Tx, on};
use crate::{Result, Time};

/// The migrations of one module, oldest first.
#[derive(Clone, Copy, Debug)]
pub struct Migrations {
    /// The module's name: `order`.
    pub module: &'static str,
    /// Oldest first.
    pub list: &'static [Migration],
}

/// One step and its way back, each a few SQL statements that both databases understand.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The name of its folder: `2026-11-23_start`.
    pub version: &'static str,
    /// `include_str!` of `up.sql`.
    pub up: &'static str,
    /// `include_str!` of `down.sql`.
    pub down: &'static str,
}

mod schema {
    diesel::table! {
        schema_migrations (module, version) {
            module -> Text,
            version -> Text,
            applied_at -> crate::time::SqlTime,
        }
    }
}
use schema::schema_migrations as table;

impl Db {
    /// Applies what is missing, all in one transaction, and returns the names (`order/2026-11-23_start`).
    ///
    /// Instances that start together wait for each other, and only one of them finds anything to do.
    pub async fn migrate(&self, all: &[Migrations]) -> Result<Vec<String>> {
        let all = all.to_vec();
        self.transaction(async move |tx| {
            let applied = begin(tx).await?;
            let mut names = Vec::new();
            for (module, migration) in steps(&all) {
                if !is_applied(&applied, module, migration) {
                    apply(tx, module, migration).await?;
                    names.push(name(module, migration));
                }
            }
            Ok(names)
        })
        .await
    }

    /// Every migration's name and whether this database has it.
    pub async fn migration_status(&self, all: &[Migrations]) -> Result<Vec<(String, bool)>> {
        let all = all.to_vec();
        self.transaction(async move |tx| {
            let applied = begin(tx).await?;
            let status =
                |(module, migration)| (name(module, migration), is_applied(&applied, module, migration));
            Ok(steps(&all).map(status).collect())
        })
        .await
    }

    /// Takes back the migration that was applied last and returns its name; `None` if none of `all` is applied.
    pub async fn revert_last(&self, all: &[Migrations]) -> Result<Option<String>> {
        let all = all.to_vec();
        self.transaction(async move |tx| {
            let applied = begin(tx).await?;
            let when = |module: &str, migration: &Migration| {
                applied.iter().find(|row| row.0 == module && row.1 == migration.version).map(|row| row.2)
            };
            // Those applied together share a time; the later in the list is then the later one.
            let last =
                steps(&all).filter(|(m, step)| when(m, step).is_some()).max_by_key(|(m, step)| when(m, step));
            let Some((module, migration)) = last else { return Ok(None) };
            on!(tx, |c| c.batch_execute(migration.down).await)?;
            let row = table::table.find((module, migration.version));
            on!(tx, |c| diesel::delete(row).execute(c).await)?;
            Ok(Some(name(module, migration)))
        })
        .await
    }
}

fn steps(all: &[Migrations]) -> impl Iterator<Item = (&'static str, &'static Migration)> {
    all.iter().flat_map(|module| module.list.iter().map(|migration| (module.module, migration)))
}

fn name(module: &str, migration: &Migration) -> String {
    format!("{module}/{}", migration.version)
}

fn is_applied(applied: &[(String, String, Time)], module: &str, migration: &Migration) -> bool {
    applied.iter().any(|row| row.0 == module && row.1 == migration.version)
}

/// Waits for other instances and returns what is applied.
async fn begin(tx: &mut Tx) -> Result<Vec<(String, String, Time)>> {
    if let Conn::Postgres(c) = &mut **tx {
        // The wait for another instance, and a big table, may take longer than a query of the shop may.
        c.batch_execute(
            "set local lock_timeout = '60s'; set local statement_timeout = 0;
             select pg_advisory_xact_lock(6206151)",
        )
        .await?;
    }
    let create = "create table if not exists schema_migrations (
            module text not null, version text not null, applied_at timestamptz not null,
            primary key (module, version))";
    on!(tx, |c| c.batch_execute(create).await)?;
    Ok(on!(tx, |c| table::table.select((table::module, table::version, table::applied_at)).load(c).await)?)
}

async fn apply(tx: &mut Tx, module: &str, migration: &Migration) -> Result<()> {
    on!(tx, |c| c.batch_execute(migration.up).await)?;
    let now = tx.now();
    on!(tx, |c| diesel::insert_into(table::table)
        .values((table::module.eq(module), table::version.eq(migration.version), table::applied_at.eq(now)))
        .execute(c)
        .await)?;
    tracing::info!(module, version = migration.version, "migrated");
    Ok(())
}
