//! Products from a CSV file: Shopify's export, or Bodega's own.
//!
//! The file is read once, row by row; a few hundred products are in memory at a time, whatever its size (of those that
//! are done only a hash of their handle stays). A product that is wrong is reported with its rows, the others are
//! taken. The same file twice changes nothing the second time.

pub(crate) mod bodega;
pub(crate) mod cells;
mod draft;
mod pictures;
mod report;
mod sheet;
mod shopify;
#[cfg(test)]
pub(crate) mod tests;

use std::path::Path;

use contracts::Ports;
use contracts::product::{ImportOutcome, ImportResult, Products};
use shared::{Currency, Error, Result};

pub use report::{ImportReport, RowError};

use crate::seed::Progress;
use draft::Draft;
use pictures::Gallery;
use report::Source;
use sheet::{Group, Header, Sheet};

/// Products in one call.
const BATCH: usize = 200;

/// Imports the products of the file at `path`. Shopify's prices have no currency: they are in `currency`. A `dry_run`
/// only says what would happen. Pictures are taken from beside the file, never from the network.
pub async fn products_csv(
    ports: &Ports,
    path: &Path,
    currency: Currency,
    dry_run: bool,
    progress: &Progress,
) -> Result<ImportReport> {
    let unreadable =
        |error| Error::invalid("file", "file", format!("cannot read {}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut sheet = Sheet::open(file)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let import =
        Import { products: ports.products.as_ref(), gallery: Gallery::beside(folder), currency, dry_run };
    progress.begin("rows", size);
    let report = import.run(&mut sheet, progress).await?;
    progress.finish();
    Ok(report)
}

/// Whose columns they are and where.
enum Columns {
    Shopify(Box<shopify::Columns>),
    Bodega(Box<bodega::Columns>),
}

impl Columns {
    fn of(source: Source, header: &Header) -> Self {
        match source {
            Source::Shopify => Self::Shopify(Box::new(shopify::Columns::of(header))),
            Source::Bodega => Self::Bodega(Box::new(bodega::Columns::of(header))),
        }
    }
}

struct Import<'a> {
    products: &'a dyn Products,
    gallery: Gallery,
    currency: Currency,
    dry_run: bool,
}

impl Import<'_> {
    async fn run<R: std::io::Read>(&self, sheet: &mut Sheet<R>, progress: &Progress) -> Result<ImportReport> {
        let mut report = ImportReport::new(sheet.source, self.dry_run);
        let columns = Columns::of(sheet.source, &sheet.header);
        let mut batch: Vec<Draft> = Vec::with_capacity(BATCH);
        let mut position = 0;
        while let Some(group) = sheet.next_group(&mut report) {
            report.products += 1;
            match self.draft(&columns, &group) {
                Ok(draft) => batch.push(draft),
                Err(errors) => report.fail(errors),
            }
            if batch.len() == BATCH {
                self.take(std::mem::take(&mut batch), &mut report).await?;
                progress.advance(sheet.position() - position);
                position = sheet.position();
            }
        }
        self.take(batch, &mut report).await?;
        report.errors.sort_by_key(|error| error.row);
        Ok(report)
    }

    fn draft(&self, columns: &Columns, group: &Group) -> Result<Draft, Vec<RowError>> {
        match columns {
            Columns::Shopify(columns) => shopify::draft(columns, group, self.currency, &self.gallery),
            Columns::Bodega(columns) => bodega::draft(columns, group, &self.gallery),
        }
    }

    async fn take(&self, mut batch: Vec<Draft>, report: &mut ImportReport) -> Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        for draft in &mut batch {
            report.images_skipped += draft.images_skipped;
            if !self.dry_run {
                self.store_pictures(draft, report).await?;
            }
        }
        let imports = batch.iter().map(|draft| draft.import.clone()).collect();
        let outcomes = self.products.import(imports, self.dry_run).await?;
        for (draft, outcome) in batch.iter().zip(outcomes) {
            count(draft, outcome, report);
        }
        Ok(())
    }

    /// A product whose picture cannot be shown is taken without it.
    async fn store_pictures(&self, draft: &mut Draft, report: &mut ImportReport) -> Result<()> {
        for picture in std::mem::take(&mut draft.pictures) {
            let stored = match picture.content() {
                Ok(content) => self.products.store_media(picture.file.clone(), content).await,
                Err(error) => Err(error),
            };
            match stored {
                Ok(()) => {}
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    report.images_skipped += 1;
                    report.note(draft.error(picture.line, "image", &error.code, error.detail));
                    draft.import.product.images.retain(|image| image.file != picture.file);
                }
            }
        }
        Ok(())
    }
}

fn count(draft: &Draft, outcome: ImportOutcome, report: &mut ImportReport) {
    match outcome.result {
        ImportResult::Created => report.created += 1,
        ImportResult::Updated => report.updated += 1,
        ImportResult::Unchanged => report.unchanged += 1,
        ImportResult::Failed { code, pointer, detail } => {
            report.fail(vec![draft.error(draft.line_of(&pointer), &pointer, &code, detail)]);
        }
    }
}
