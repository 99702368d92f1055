//! The trade bill as a file that somebody has at hand: the archive as the provider makes it.

use kernel::Result;
use sha2::{Digest, Sha256};

use super::TradeBill;
use crate::peers::{
    bill::{Bill, BillReader, Sink, check_sha1},
    crypto::Sha1,
};

/// Reads an archive with a trade bill as it comes. The provider names no digest of it: whoever sends it does.
#[derive(Debug)]
pub struct TradeFile {
    bill: TradeBill,
    sha1: Sha1,
    sha256: Sha256,
}

impl TradeFile {
    /// That of a seller; nothing has come yet.
    pub fn new(seller_id: &str) -> Self {
        Self { bill: TradeBill::new(seller_id), sha1: Sha1::new(), sha256: Sha256::new() }
    }
}

impl BillReader for TradeFile {
    fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        self.sha1.update(piece);
        self.sha256.update(piece);
        self.bill.push(piece, sink)
    }

    fn finish(self: Box<Self>, sha1: &str, _sink: Sink<'_>) -> Result<Bill> {
        let Self { bill, sha1: actual, sha256 } = *self;
        check_sha1(&actual.hex(), sha1)?;
        Ok(Bill { totals: bill.finish()?, sha256: sha256.finalize().into() })
    }
}
