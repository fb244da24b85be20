//! The rows that have pictures.

use std::collections::BTreeMap;

use contracts::product::Image;

use super::{Columns, variants::Offer};
use crate::import::{
    cells,
    draft::Faults,
    pictures::{Gallery, Picture},
    sheet::{Group, Row},
};

/// The pictures that are there, in their order.
#[derive(Default)]
pub(super) struct Hung {
    pub images: Vec<Image>,
    pub pictures: Vec<Picture>,
    pub skipped: u64,
}

pub(super) fn hang(
    columns: &Columns,
    group: &Group,
    offer: &Offer,
    gallery: &Gallery,
    faults: &mut Faults<'_>,
) -> Hung {
    let mut hung = Hung::default();
    for (source, alt, line) in sources(columns, group, faults) {
        match gallery.find(source, line) {
            Some(picture) if hung.pictures.iter().any(|other| other.file == picture.file) => {}
            Some(picture) => {
                let options = shown_by(columns, group, offer, source);
                hung.images.push(Image { options, ..picture.image(alt) });
                hung.pictures.push(picture);
            }
            None => hung.skipped += 1,
        }
    }
    hung
}

/// Each picture once, by its position; those that only a variant names come last.
fn sources<'a>(columns: &Columns, group: &'a Group, faults: &mut Faults<'_>) -> Vec<(&'a str, &'a str, u64)> {
    let mut found: Vec<(i64, &str, &str, u64)> = Vec::new();
    let mut add = |position: i64, source: &'a str, alt: &'a str, row: &'a Row| {
        if !source.is_empty() && found.iter().all(|(_, known, ..)| *known != source) {
            found.push((position, source, alt, row.line));
        }
    };
    for row in &group.rows {
        let position = match columns.image_position.text(row) {
            "" => None,
            text => {
                faults.parse((row, columns.image_position.name), text, "number", "a number", cells::count)
            }
        };
        add(position.unwrap_or(i64::MAX), columns.image.text(row), columns.image_alt.text(row), row);
    }
    for row in &group.rows {
        add(i64::MAX, columns.variant_image.text(row), "", row);
    }
    found.sort_by_key(|(position, ..)| *position);
    found.into_iter().map(|(_, source, alt, line)| (source, alt, line)).collect()
}

/// What the variants with this picture have in common: `Colour: red` when it shows the red ones of all sizes.
fn shown_by(columns: &Columns, group: &Group, offer: &Offer, source: &str) -> BTreeMap<String, String> {
    let with_it = |line: &u64| {
        group.rows.iter().any(|row| row.line == *line && columns.variant_image.text(row) == source)
    };
    let mut variants =
        offer.lines.iter().zip(&offer.variants).filter(|(line, _)| with_it(line)).map(|(_, variant)| variant);
    let mut common = variants.next().map(|variant| variant.options.clone()).unwrap_or_default();
    for variant in variants {
        common.retain(|name, value| variant.options.get(name) == Some(value));
    }
    common
}
