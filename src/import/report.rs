//! What became of the rows.

use std::fmt;

use serde::Serialize;

/// How many errors are kept; the others are only counted.
const KEPT: usize = 1_000;

/// Whose columns a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Shopify's product export, of old or new.
    Shopify,
    /// `bodega export products`.
    Bodega,
}

/// What an import did, or in a dry run would do.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    pub source: Source,
    pub dry_run: bool,
    /// Rows with anything in them, without the header.
    pub rows: u64,
    pub products: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    /// Products and stray rows that could not be taken.
    pub failed: u64,
    /// Pictures that are not beside the file: nothing is fetched from the network.
    pub images_skipped: u64,
    /// By row, the first 1,000 that were met.
    pub errors: Vec<RowError>,
    /// How many there were in all.
    pub errors_total: u64,
}

/// Something wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowError {
    /// The line of the file on which the row begins; the header is on line 1.
    pub row: u64,
    pub handle: String,
    pub code: String,
    /// The column, or a pointer into the product.
    pub column: String,
    pub message: String,
}

impl ImportReport {
    pub(super) fn new(source: Source, dry_run: bool) -> Self {
        Self {
            source,
            dry_run,
            rows: 0,
            products: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            failed: 0,
            images_skipped: 0,
            errors: Vec::new(),
            errors_total: 0,
        }
    }

    /// One product, or one stray row, could not be taken.
    pub(super) fn fail(&mut self, errors: Vec<RowError>) {
        self.failed += 1;
        errors.into_iter().for_each(|error| self.note(error));
    }

    /// Something is wrong, but the product is taken.
    pub(super) fn note(&mut self, error: RowError) {
        self.errors_total += 1;
        if self.errors.len() < KEPT {
            self.errors.push(error);
        }
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, rows) = (if self.dry_run { "would take" } else { "took" }, self.rows);
        writeln!(
            f,
            "{verb} {} products of {rows} rows: {} created, {} updated, {} unchanged, {} failed",
            self.created + self.updated + self.unchanged,
            self.created,
            self.updated,
            self.unchanged,
            self.failed
        )?;
        if self.images_skipped > 0 {
            writeln!(f, "{} pictures are not beside the file and were left out", self.images_skipped)?;
        }
        for RowError { row, handle, code, column, message } in &self.errors {
            writeln!(f, "row {row}  {handle}  {column}: {message} ({code})")?;
        }
        let hidden = self.errors_total - self.errors.len() as u64;
        if hidden > 0 {
            writeln!(f, "and {hidden} more errors")?;
        }
        Ok(())
    }
}
