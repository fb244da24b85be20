//! Lists are read page by page with opaque cursors: page 10,000 costs what page 1 costs.

use data_encoding::BASE64URL_NOPAD as BASE64;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{Error, Kind, Result};

/// Which part of a list is wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PageRequest {
    /// How many items, 1..=100.
    pub limit: u32,
    /// Where the previous page ended.
    pub cursor: Option<String>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: 20, cursor: None }
    }
}

/// A part of a list. There is no total: counting is what makes lists slow.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub data: Vec<T>,
    /// Ask for the next page with this; absent on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of `rows`, which were read with `limit + 1`: the extra row only proves that there is a next page.
    /// `position` is what the next page starts after; `scope` names the list and its filters.
    pub fn cut<P: Serialize>(mut rows: Vec<T>, limit: u32, scope: &str, position: impl Fn(&T) -> P) -> Self {
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|last| encode(scope, &position(last)));
        Self { data: rows, next_cursor }
    }

    /// The same page of something made from each item.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(f).collect(), next_cursor: self.next_cursor }
    }
}

impl PageRequest {
    /// The position the cursor holds, or `Malformed/invalid_cursor` for one that this list did not give out.
    pub fn position<P: DeserializeOwned>(&self, scope: &str) -> Result<Option<P>> {
        self.cursor.as_deref().map(|cursor| decode(scope, cursor)).transpose()
    }
}

/// A position in the list `scope`, as opaque text.
pub fn encode<P: Serialize>(scope: &str, position: &P) -> String {
    let json = serde_json::to_vec(position).expect("a position is plain data");
    BASE64.encode(&[seal(scope, &json).as_slice(), &json].concat())
}

/// The position in `cursor`, or `Malformed/invalid_cursor`.
pub fn decode<P: DeserializeOwned>(scope: &str, cursor: &str) -> Result<P> {
    let wrong = || Error::new(Kind::Malformed, "invalid_cursor", "this cursor does not belong to this list");
    let bytes = BASE64.decode(cursor.as_bytes()).map_err(|_| wrong())?;
    let (checksum, json) = bytes.split_at_checked(6).ok_or_else(wrong)?;
    if checksum != seal(scope, json) {
        return Err(wrong());
    }
    serde_json::from_slice(json).map_err(|_| wrong())
}

/// Binds a position to its list. It keeps mistakes out, not attackers: a position reveals and permits nothing.
fn seal(scope: &str, json: &[u8]) -> [u8; 6] {
    let digest = Sha256::new().chain_update(scope).chain_update([0]).chain_update(json).finalize();
    std::array::from_fn(|i| digest[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_list_and_cannot_be_made_up() {
        let page = Page::cut(vec![1, 2, 3], 2, "orders", |n| *n);
        assert_eq!(page.data, [1, 2]);
        let cursor = page.next_cursor.unwrap();
        assert_eq!(decode::<i32>("orders", &cursor).unwrap(), 2);
        assert_eq!(decode::<i32>("customers", &cursor).unwrap_err().code, "invalid_cursor");
        for forged in ["", "x", "AAAAAAAA", "%%%", &cursor[1..]] {
            assert_eq!(decode::<i32>("orders", forged).unwrap_err().code, "invalid_cursor", "{forged}");
        }
        assert!(Page::cut(vec![1, 2], 2, "orders", |n| *n).next_cursor.is_none());
    }
}
