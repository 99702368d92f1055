//! A booked transaction as it is sealed, and the bytes that are hashed of it.
//!
//! # Byte format
//!
//! Anybody can recompute the chain from an export; `tests/conformance/ledger.py` does so without any code of ours. All
//! numbers are big-endian; a text is its length in bytes as 8 bytes, and its UTF-8.
//!
//! ```text
//! record := text "meridian.ledger.v1"
//!           8 bytes  transaction id of Postgres (xid), unsigned
//!           8 bytes  position, signed: records are sealed in the order of (xid, position)
//!          16 bytes  id: a UUID
//!           text     kind, such as "capture"
//!          16 bytes  source: the UUID of what it is about
//!          16 bytes  order: its UUID, or zeros
//!           8 bytes  create time, signed: microseconds since 1970-01-01T00:00:00Z
//!           8 bytes  number of entries, then each of them in the order of their positions
//! entry  := 8 bytes  position, signed
//!           text     account, such as "takings"
//!          16 bytes  store: its UUID, or zeros for the head office
//!           text     party: a resource name, or empty
//!           text     currency: ISO 4217 code
//!           8 bytes  amount, signed: minor units, a debit above zero
//!
//! hash of a record = SHA-256(record)
//! hash of seal n   = SHA-256(hash of seal n-1 ‖ hash of its first record ‖ … ‖ hash of its last record)
//! hash of seal 0   = 32 zeros
//! ```

use kernel::{Timestamp, Uuid};
use sha2::{Digest, Sha256};

/// The first text of each record.
const FORMAT: &str = "meridian.ledger.v1";

/// A transaction as it is stored: nothing of it is taken to be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The id of the database's transaction that booked it.
    pub xid: u64,
    /// Among all; records stand in the order of `(xid, position)`.
    pub position: i64,
    /// Its id.
    pub id: Uuid,
    /// Why it is booked.
    pub kind: String,
    /// What it is about.
    pub source: Uuid,
    /// The order that it is of.
    pub order: Option<Uuid>,
    /// When it was booked.
    pub create_time: Timestamp,
    /// Its sides.
    pub entries: Vec<RecordEntry>,
}

/// One side of a [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEntry {
    /// Among those of its transaction.
    pub position: i32,
    /// The account's code.
    pub account: String,
    /// Where it happened; all zeros is the head office.
    pub store: Uuid,
    /// Whom it is about.
    pub party: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Minor units; a debit is above zero.
    pub amount_minor: i64,
}

impl Record {
    /// What it hashes to.
    pub fn hash(&self) -> [u8; 32] {
        let mut bytes = Bytes(Sha256::new());
        bytes.text(FORMAT);
        bytes.0.update(self.xid.to_be_bytes());
        bytes.number(self.position);
        bytes.0.update(self.id.as_bytes());
        bytes.text(&self.kind);
        bytes.0.update(self.source.as_bytes());
        bytes.0.update(self.order.unwrap_or_default().as_bytes());
        bytes.number(self.create_time.as_microsecond());
        bytes.0.update((self.entries.len() as u64).to_be_bytes());
        for entry in &self.entries {
            bytes.number(entry.position.into());
            bytes.text(&entry.account);
            bytes.0.update(entry.store.as_bytes());
            bytes.text(entry.party.as_deref().unwrap_or_default());
            bytes.text(&entry.currency);
            bytes.number(entry.amount_minor);
        }
        bytes.0.finalize().into()
    }
}

struct Bytes(Sha256);

impl Bytes {
    fn number(&mut self, number: i64) {
        self.0.update(number.to_be_bytes());
    }

    /// The length first, so that nothing can be moved from one text to the next.
    fn text(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let entry = |position, account: &str, party: Option<&str>, amount_minor| RecordEntry {
            position,
            account: account.to_owned(),
            store: Uuid::from_u128(7),
            party: party.map(str::to_owned),
            currency: "CNY".to_owned(),
            amount_minor,
        };
        Record {
            xid: 745,
            position: 12,
            id: Uuid::from_u128(1),
            kind: "capture".to_owned(),
            source: Uuid::from_u128(2),
            order: Some(Uuid::from_u128(3)),
            create_time: Timestamp::constant(1_803_862_800, 123_456_000),
            entries: vec![
                entry(0, "provider_receivable", Some("providers/sandbox"), 6_000),
                entry(1, "customer_deposits", Some("members/00000000-0000-0000-0000-000000000009"), -6_000),
            ],
        }
    }

    /// The same example is in `tests/conformance/ledger_test.py`.
    #[test]
    fn the_documented_bytes_are_hashed() {
        let hash: String = record().hash().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "f81c782cd3270b2f985f8dc7d6f9e6e835dd0431c3491edf598338de798697b3");
    }

    #[test]
    fn whatever_changes_changes_the_hash() {
        let changes: [fn(&mut Record); 14] = [
            |record| record.xid += 1,
            |record| record.position += 1,
            |record| record.id = Uuid::nil(),
            |record| record.kind.push('x'),
            |record| record.source = Uuid::nil(),
            |record| record.order = None,
            |record| record.create_time = Timestamp::UNIX_EPOCH,
            |record| record.entries.truncate(1),
            |record| record.entries[1].position = 2,
            |record| record.entries[1].account = "takings".to_owned(),
            |record| record.entries[1].store = Uuid::nil(),
            |record| record.entries[1].party = None,
            |record| record.entries[1].currency = "USD".to_owned(),
            |record| record.entries[1].amount_minor -= 1,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = record();
            change(&mut changed);
            assert_ne!(changed.hash(), record().hash(), "change {number}");
        }
    }
}
