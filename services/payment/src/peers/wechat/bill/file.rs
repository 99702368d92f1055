//! The trade bill as a file that somebody has at hand: text, or that packed by gzip, as the provider offers both.

use std::io::Write;

use flate2::write::GzDecoder;
use kernel::Result;
use sha2::{Digest, Sha256};

use super::TradeBill;
use crate::peers::bill::{Bill, BillReader, Sink, broken};

/// What a file that is packed by gzip begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// How much is unpacked at once, in bytes: at most a thousand times as much comes out.
const PIECE: usize = 4 * 1024;

/// Reads a file with a trade bill as it comes. The SHA-1 that the provider names is that of the text.
#[derive(Debug)]
pub struct TradeFile {
    packing: Packing,
    text: Text,
}

#[derive(Debug)]
enum Packing {
    /// Too little has come to tell.
    Unknown(Vec<u8>),
    None,
    Gzip(Box<GzDecoder<Vec<u8>>>),
}

#[derive(Debug)]
struct Text {
    bill: TradeBill,
    sha256: Sha256,
}

impl TradeFile {
    /// That of a merchant; nothing has come yet.
    pub fn new(merchant_id: &str) -> Self {
        let text = Text { bill: TradeBill::new(merchant_id), sha256: Sha256::new() };
        Self { packing: Packing::Unknown(Vec::new()), text }
    }

    fn unpack(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        let Packing::Gzip(gzip) = &mut self.packing else { return self.text.push(piece, sink) };
        for piece in piece.chunks(PIECE) {
            gzip.write_all(piece).map_err(|error| broken(format!("its packing is damaged: {error}")))?;
            self.text.push(&std::mem::take(gzip.get_mut()), sink)?;
        }
        Ok(())
    }
}

impl Text {
    fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        self.sha256.update(piece);
        self.bill.push(piece, sink)
    }
}

impl BillReader for TradeFile {
    fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        let Packing::Unknown(head) = &mut self.packing else { return self.unpack(piece, sink) };
        head.extend_from_slice(piece);
        if head.len() < GZIP.len() {
            return Ok(());
        }
        let head = std::mem::take(head);
        let is_packed = head.starts_with(&GZIP);
        self.packing = if is_packed { Packing::Gzip(Box::new(GzDecoder::new(Vec::new()))) } else { Packing::None };
        self.unpack(&head, sink)
    }

    fn finish(self: Box<Self>, sha1: &str, sink: Sink<'_>) -> Result<Bill> {
        let Self { packing, mut text } = *self;
        let rest = match packing {
            Packing::None => Vec::new(),
            Packing::Unknown(head) => head,
            Packing::Gzip(gzip) => gzip.finish().map_err(|error| broken(format!("its packing was cut: {error}")))?,
        };
        text.push(&rest, sink)?;
        let Text { bill, sha256 } = text;
        Ok(Bill { totals: bill.finish(sha1, sink)?, sha256: sha256.finalize().into() })
    }
}
