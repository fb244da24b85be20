//! The file as a sequence of groups: the rows that belong to one product.

use std::{
    collections::{HashMap, HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
    io::{BufRead, BufReader, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use csv::{ByteRecord, ReaderBuilder, StringRecord};
use shared::{Error, Result};

use super::report::{ImportReport, RowError, Source};

/// A row may have so many bytes: a quotation mark that is never closed must not swallow the file into memory.
const MAX_ROW: u64 = 16 * 1024 * 1024;
/// A product may have so many rows: 250 variants and 50 pictures leave room.
const MAX_ROWS: usize = 1_000;

/// A row with something in it.
pub(super) struct Row {
    /// The line it begins on.
    pub line: u64,
    cells: StringRecord,
    /// Code and message.
    pub fault: Option<(&'static str, &'static str)>,
}

/// The rows of one product.
pub(super) struct Group {
    /// As it is in the file.
    pub handle: String,
    /// As the shop writes it.
    pub slug: String,
    /// At least one.
    pub rows: Vec<Row>,
}

/// Which column is where. Names are compared by their letters and digits alone, in any case.
pub(super) struct Header {
    columns: HashMap<String, usize>,
    width: usize,
}

impl Header {
    fn new(record: &StringRecord) -> Self {
        let mut columns = HashMap::new();
        for (index, name) in record.iter().enumerate() {
            columns.entry(plain(name)).or_insert(index);
        }
        Self { columns, width: record.len() }
    }

    /// The column with the first of these names that the file has.
    pub fn column(&self, names: &[&'static str]) -> Column {
        let there = names.iter().find_map(|name| Some((*name, *self.columns.get(&plain(name))?)));
        match there {
            Some((name, index)) => Column { name, index: Some(index) },
            None => Column { name: names.first().copied().unwrap_or_default(), index: None },
        }
    }

    fn has(&self, name: &str) -> bool {
        self.columns.contains_key(&plain(name))
    }

    fn source(&self) -> Result<Source> {
        if self.has("Handle") || self.has("URL handle") {
            return Ok(Source::Shopify);
        }
        if self.has("slug") && self.has("prices") {
            return Ok(Source::Bodega);
        }
        let detail = "the first line must name the columns: \"Handle\" or \"URL handle\" (Shopify), or \"slug\" and \"prices\" (Bodega)";
        Err(Error::invalid("file", "unknown_format", detail))
    }
}

/// Where something is in each row, if anywhere.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    index: Option<usize>,
}

impl Column {
    pub fn is_there(self) -> bool {
        self.index.is_some()
    }

    /// Empty where there is none.
    pub fn raw(self, row: &Row) -> &str {
        self.index.and_then(|index| row.cells.get(index)).unwrap_or_default()
    }

    pub fn text(self, row: &Row) -> &str {
        self.raw(row).trim()
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A file that is being read.
pub(super) struct Sheet<R: Read> {
    pub header: Header,
    pub source: Source,
    handle: Column,
    title: Column,
    reader: csv::Reader<Rationed<BufReader<R>>>,
    /// Bytes since the last row.
    ration: Arc<AtomicU64>,
    /// The first row of the next group.
    pending: Option<(String, Row)>,
    /// The file could not be read to its end.
    broken: bool,
    /// Hashes of the slugs so far.
    seen: HashSet<u64>,
}

impl<R: Read> Sheet<R> {
    /// Reads the header. `Invalid/unknown_format` for a file of somebody else.
    pub fn open(file: R) -> Result<Self> {
        let mut file = BufReader::with_capacity(1 << 16, file);
        let first = file.fill_buf().map_err(|e| Error::invalid("file", "file", e.to_string()))?;
        let separator = separator(first)?;
        let ration = Arc::new(AtomicU64::new(0));
        let rationed = Rationed { file, used: ration.clone() };
        let mut reader = ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(rationed);
        let wrong =
            |e: csv::Error| Error::invalid("file", "header", format!("the first line cannot be read: {e}"));
        let header = Header::new(reader.headers().map_err(wrong)?);
        Ok(Self {
            source: header.source()?,
            handle: header.column(&["Handle", "URL handle", "slug"]),
            title: header.column(&["Title"]),
            header,
            reader,
            ration,
            pending: None,
            broken: false,
            seen: HashSet::new(),
        })
    }

    /// Bytes so far.
    pub fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The rows of the next product. Rows that belong to none are reported.
    pub fn next_group(&mut self, report: &mut ImportReport) -> Option<Group> {
        loop {
            let group = self.group(report)?;
            let mut hasher = DefaultHasher::new();
            group.slug.hash(&mut hasher);
            if self.seen.insert(hasher.finish()) {
                return Some(group);
            }
            let message = "this handle was further up already: the rows of a product must follow each other";
            report.products += 1;
            report.fail(vec![stray(group.rows[0].line, &group.handle, "handle_repeated", message)]);
        }
    }

    fn group(&mut self, report: &mut ImportReport) -> Option<Group> {
        let (handle, first) = match self.pending.take() {
            Some(pending) => pending,
            None => self.row(report)?,
        };
        let mut group = Group { slug: slug::slugify(&handle), handle, rows: vec![first] };
        while let Some((handle, mut row)) = self.row(report) {
            if handle != group.handle && slug::slugify(&handle) != group.slug {
                self.pending = Some((handle, row));
                break;
            }
            if group.rows.len() < MAX_ROWS {
                if group.rows.len() == MAX_ROWS - 1 {
                    row.fault = Some(("too_many_rows", "a product may have at most 1,000 rows"));
                }
                group.rows.push(row);
            }
        }
        if self.broken && self.pending.is_none() {
            group.rows[0].fault = Some(("unreadable", "the file cannot be read to the end of this product"));
        }
        Some(group)
    }

    /// The next row with a handle. What cannot be read ends the file.
    fn row(&mut self, report: &mut ImportReport) -> Option<(String, Row)> {
        let mut record = ByteRecord::new();
        loop {
            self.ration.store(0, Ordering::Relaxed);
            match self.reader.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.broken = true;
                    let line = self.reader.position().line();
                    report.fail(vec![stray(
                        line,
                        "",
                        "unreadable",
                        format!("the file cannot be read on: {error}"),
                    )]);
                    return None;
                }
            }
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            report.rows += 1;
            let row = self.parse(&record);
            let handle = self.handle(&row);
            if !slug::slugify(&handle).is_empty() {
                return Some((handle, row));
            }
            report.fail(vec![stray(
                row.line,
                &handle,
                "handle_missing",
                "the row has no handle, so it belongs to no product",
            )]);
        }
    }

    fn parse(&self, record: &ByteRecord) -> Row {
        let line = record.position().map_or(0, csv::Position::line);
        let (cells, mut fault) = match StringRecord::from_byte_record(record.clone()) {
            Ok(cells) => (cells, None),
            Err(_) => {
                let cells = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>();
                let fault = ("encoding", "the row is not UTF-8 text: save the file as \"CSV UTF-8\"");
                (StringRecord::from_iter(cells.iter().map(AsRef::as_ref)), Some(fault))
            }
        };
        if fault.is_none() && cells.iter().skip(self.header.width).any(|cell| !cell.trim().is_empty()) {
            fault = Some((
                "too_many_cells",
                "the row has more cells than there are columns: is a quotation mark missing?",
            ));
        }
        Row { line, cells, fault }
    }

    /// A product that has no handle yet has a title.
    fn handle(&self, row: &Row) -> String {
        let handle = self.handle.text(row);
        if handle.is_empty() { self.title.text(row).to_owned() } else { handle.to_owned() }
    }
}

fn stray(row: u64, handle: &str, code: &str, message: impl Into<String>) -> RowError {
    RowError {
        row,
        handle: handle.to_owned(),
        code: code.to_owned(),
        column: String::new(),
        message: message.into(),
    }
}

/// The one of comma, semicolon and tab that separates the columns of the first line.
fn separator(start: &[u8]) -> Result<u8> {
    if start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]) {
        return Err(Error::invalid("file", "encoding", "the file is UTF-16 text: save it as \"CSV UTF-8\""));
    }
    let line = start.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |separator: &u8| line.iter().filter(|b| *b == separator).count();
    Ok([b',', b';', b'\t'].into_iter().rev().max_by_key(count).unwrap_or(b','))
}

/// Stops when too much was read since somebody last set `used` to 0.
struct Rationed<R> {
    file: R,
    used: Arc<AtomicU64>,
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        if self.used.fetch_add(read as u64, Ordering::Relaxed) > MAX_ROW {
            return Err(std::io::Error::other("a row has more than 16 MiB: is a quotation mark missing?"));
        }
        Ok(read)
    }
}
