//! Pages of a list (AIP-158).
//!
//! A page token holds the key of the last row that was shown, bound by a checksum to the method, filter and order that
//! it was made under. The checksum is no secret: it finds mistakes, it does not keep anybody from making up a position.
//! So a key may only ever be a position within what the caller may see.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Error, Result, Timestamp, Uuid};
use sha2::{Digest, Sha256};

/// Rows on a page when the request states no size.
pub const DEFAULT_SIZE: u32 = 50;

/// The most rows on a page.
pub const MAX_SIZE: u32 = 1_000;

const CHECKSUM_LENGTH: usize = 12;

/// What a page token is bound to: the method and all that selects and orders its rows.
#[derive(Debug, Clone)]
pub struct Listing(Sha256);

impl Listing {
    /// Of `method`, such as `ListBookings`, without anything that selects rows.
    pub fn new(method: &str) -> Self {
        Self(Sha256::new()).with(method)
    }

    /// Adds a filter, parent or order. The same must be added in the same order for each page.
    #[must_use]
    pub fn with(mut self, part: impl AsRef<str>) -> Self {
        let part = part.as_ref();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        self.0.update((part.len() as u64).to_be_bytes());
        self.0.update(part);
        self
    }

    fn checksum(&self, key: &str) -> [u8; CHECKSUM_LENGTH] {
        let digest = self.clone().with(key).0.finalize();
        std::array::from_fn(|i| digest[i])
    }

    fn token(&self, key: &str) -> String {
        URL_SAFE_NO_PAD.encode([self.checksum(key).as_slice(), key.as_bytes()].concat())
    }

    fn key(&self, token: &str) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (checksum, key) = bytes.split_at_checked(CHECKSUM_LENGTH)?;
        let key = std::str::from_utf8(key).ok()?;
        (self.checksum(key) == checksum).then(|| key.to_owned())
    }
}

/// The page that a request asks for.
#[derive(Debug, Clone)]
pub struct PageRequest {
    listing: Listing,
    size: u32,
    after: Option<String>,
}

impl PageRequest {
    /// Reads `page_size` (0 is [`DEFAULT_SIZE`]; negative or above [`MAX_SIZE`] is an error) and `page_token` (empty is
    /// the first page; one of another list, filter or making is an error).
    pub fn parse(size: i32, token: &str, listing: Listing) -> Result<Self> {
        let size = match u32::try_from(size) {
            Ok(0) => DEFAULT_SIZE,
            Ok(size) if size <= MAX_SIZE => size,
            _ => {
                return Err(Error::invalid("page_size", format!("must be from 1 to {MAX_SIZE}, or 0 for the default")));
            }
        };
        let after = if token.is_empty() { None } else { Some(listing.key(token).ok_or_else(foreign)?) };
        Ok(Self { listing, size, after })
    }

    /// Rows on the page.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Rows to read: one more than the page has, which shows whether there is a next page.
    pub fn limit(&self) -> i64 {
        i64::from(self.size) + 1
    }

    /// The key of the row after which the page starts.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// The same, for lists ordered by id.
    pub fn after_id(&self) -> Result<Option<Uuid>> {
        self.after().map(|key| Uuid::try_parse(key).map_err(|_| foreign())).transpose()
    }

    /// The same, for lists ordered by a time and then by id: see [`time_key`].
    pub fn after_time(&self) -> Result<Option<(Timestamp, Uuid)>> {
        let read = |key: &str| {
            let (micros, id) = key.split_once('/')?;
            Some((Timestamp::from_microsecond(micros.parse().ok()?).ok()?, Uuid::try_parse(id).ok()?))
        };
        self.after().map(|key| read(key).ok_or_else(foreign)).transpose()
    }

    /// Cuts what was read with [`PageRequest::limit`] to the page, with the token of the next one (empty at the end).
    /// `key` gives a row's position.
    pub fn cut<T>(&self, mut rows: Vec<T>, key: impl FnOnce(&T) -> String) -> (Vec<T>, String) {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        if rows.len() <= size {
            return (rows, String::new());
        }
        rows.truncate(size);
        let next = rows.last().map(|last| self.token(&key(last))).unwrap_or_default();
        (rows, next)
    }

    /// The token of a page that starts after the row with this key: for one that ends before it is full.
    pub fn token(&self, key: &str) -> String {
        self.listing.token(key)
    }
}

/// The position of a row in a list ordered by a time (kept to the microsecond) and then by id.
pub fn time_key(at: Timestamp, id: Uuid) -> String {
    format!("{}/{id}", at.as_microsecond())
}

fn foreign() -> Error {
    Error::invalid("page_token", "is not one that this list gave out for this filter: start again without it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        Listing::new("ListBookings").with("stores/1").with("state = HELD")
    }

    fn field(result: Result<PageRequest>) -> Option<String> {
        result.err().and_then(|error| error.violations().first().map(|violation| violation.field.clone()))
    }

    fn token_of(listing: Listing, key: &str) -> String {
        let first = PageRequest::parse(1, "", listing).expect("first page");
        first.cut(vec![1, 2], |_| key.to_owned()).1
    }

    #[test]
    fn sizes_outside_the_range_are_refused() {
        assert_eq!(PageRequest::parse(0, "", listing()).map(|page| page.size()).ok(), Some(DEFAULT_SIZE));
        assert_eq!(PageRequest::parse(1_000, "", listing()).map(|page| page.limit()).ok(), Some(1_001));
        for size in [-1, i32::MIN, 1_001, i32::MAX] {
            assert_eq!(field(PageRequest::parse(size, "", listing())), Some("page_size".to_owned()), "{size}");
        }
    }

    #[test]
    fn pages_follow_each_other_to_the_end() {
        let all: Vec<u128> = (1..=5).collect();
        let (mut shown, mut token) = (Vec::new(), String::new());
        loop {
            let page = PageRequest::parse(2, &token, listing()).expect("our own token");
            let after = page.after_id().expect("our own key").map_or(0, |id| id.as_u128());
            let rows = all.iter().copied().filter(|id| *id > after).take(3).collect();
            let (rows, next) = page.cut(rows, |id| Uuid::from_u128(*id).to_string());
            assert!(rows.len() <= 2);
            shown.extend(rows);
            if next.is_empty() {
                break;
            }
            token = next;
        }
        assert_eq!(shown, all);
    }

    #[test]
    fn a_foreign_or_edited_token_is_refused() {
        let token = token_of(listing(), "0192");
        assert!(PageRequest::parse(1, &token, listing()).is_ok());
        let foreign = [
            token_of(Listing::new("ListOrders").with("stores/1").with("state = HELD"), "0192"),
            token_of(Listing::new("ListBookings").with("stores/2").with("state = HELD"), "0192"),
            token_of(Listing::new("ListBookings").with("stores/1state = HELD"), "0192"),
            token.replacen(|c: char| c.is_ascii_lowercase(), "_", 1),
            format!("{token}AAAA"),
            token[..8].to_owned(),
            "not base64 !".to_owned(),
            "é".repeat(40),
        ];
        for token in foreign {
            assert_eq!(field(PageRequest::parse(1, &token, listing())), Some("page_token".to_owned()), "{token}");
        }
    }

    #[test]
    fn a_time_key_reads_back() {
        let (at, id) = (Timestamp::from_microsecond(1_700_000_000_123_456).expect("in range"), Uuid::from_u128(7));
        let token = token_of(listing(), &time_key(at, id));
        let page = PageRequest::parse(1, &token, listing()).expect("our own token");
        assert_eq!(page.after_time().ok(), Some(Some((at, id))));
        assert!(page.after_id().is_err());
    }
}
