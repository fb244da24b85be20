//! A product as a file has it, with the lines it came from.

use contracts::product::ImportProduct;

use super::{
    pictures::Picture,
    report::RowError,
    sheet::{Group, Row},
};

/// A product that can be handed over.
pub(super) struct Draft {
    pub import: ImportProduct,
    /// Where the product begins.
    pub line: u64,
    /// Where each variant is.
    pub variant_lines: Vec<u64>,
    /// To be stored first.
    pub pictures: Vec<Picture>,
    pub images_skipped: u64,
}

impl Draft {
    pub fn error(&self, row: u64, column: &str, code: &str, message: String) -> RowError {
        let handle = self.import.product.slug.clone().unwrap_or_default();
        RowError { row, handle, code: code.to_owned(), column: column.to_owned(), message }
    }

    /// The line of what a pointer such as `/variants/2/sku` points at.
    pub fn line_of(&self, pointer: &str) -> u64 {
        let variant =
            pointer.strip_prefix("/variants/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
        variant.and_then(|index| self.variant_lines.get(index).copied()).unwrap_or(self.line)
    }
}

/// What is wrong with the rows of a product.
pub(super) struct Faults<'a> {
    handle: &'a str,
    errors: Vec<RowError>,
}

impl<'a> Faults<'a> {
    /// Begins with what the rows themselves already had.
    pub fn of(group: &'a Group) -> Self {
        let mut faults = Self { handle: &group.handle, errors: Vec::new() };
        for row in &group.rows {
            if let Some((code, message)) = row.fault {
                faults.add(row, "", code, message);
            }
        }
        faults
    }

    pub fn add(&mut self, row: &Row, column: &str, code: &str, message: impl Into<String>) {
        self.errors.push(RowError {
            row: row.line,
            handle: self.handle.to_owned(),
            code: code.to_owned(),
            column: column.to_owned(),
            message: message.into(),
        });
    }

    /// What `parse` makes of the text, which is in `column`; a fault if it makes nothing of it.
    pub fn parse<T>(
        &mut self,
        (row, column): (&Row, &str),
        text: &str,
        code: &str,
        wanted: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(text);
        if parsed.is_none() {
            let shown: String = text.chars().take(60).collect();
            self.add(row, column, code, format!("{shown:?} is not {wanted}"));
        }
        parsed
    }

    /// The errors, if there are any.
    pub fn done(self) -> Result<(), Vec<RowError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}
