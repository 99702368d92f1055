//! What a provider's bill of a day says, whatever its format.
//!
//! A bill is read as it comes, line by line, and only at its end is it known to be whole: until [`Ok`] is answered its
//! lines must not be acted upon.

use kernel::{Error, Result, Timestamp};

/// One line of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// When it happened.
    pub time: Timestamp,
    /// What.
    pub kind: BillKind,
    /// How the provider calls the payment: our number, if it is ours.
    pub payment: String,
    /// How the provider calls the refund, as we asked for it; empty for a sale.
    pub refund: String,
    /// The provider's own id of the payment.
    pub transaction: String,
    /// How much, in minor units, above zero.
    pub amount_minor: i64,
    /// The code of the currency.
    pub currency: String,
    /// What the provider keeps for it, in hundred-thousandths of the currency's unit; below zero if it gives a fee back.
    pub fee_fine: i64,
    /// The provider's word for the state.
    pub state: String,
}

/// What a line of a bill is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BillKind {
    /// Money came.
    Sale,
    /// Money went back.
    Refund,
    /// A payment was undone at once.
    Revoked,
}

/// The sums of a bill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillTotals {
    /// How many lines.
    pub lines: u64,
    /// The sales, in minor units.
    pub sales_minor: i64,
    /// The refunds, in minor units.
    pub refunds_minor: i64,
    /// The fees, in hundred-thousandths of the currency's unit.
    pub fees_fine: i64,
}

impl BillTotals {
    /// Counts a line in.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` if the sums are more than fits.
    pub fn count(&mut self, line: &BillLine) -> Result<()> {
        let sum =
            |to: i64, more: i64| to.checked_add(more).ok_or_else(|| unreadable(self.lines, "adds up to too much"));
        let (sales, refunds) = match line.kind {
            BillKind::Sale => (line.amount_minor, 0),
            BillKind::Refund => (0, line.amount_minor),
            BillKind::Revoked => (0, 0),
        };
        (self.sales_minor, self.refunds_minor) = (sum(self.sales_minor, sales)?, sum(self.refunds_minor, refunds)?);
        self.fees_fine = sum(self.fees_fine, line.fee_fine)?;
        self.lines += 1;
        Ok(())
    }
}

/// A bill that was read to its end and is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bill {
    /// Its sums.
    pub totals: BillTotals,
    /// SHA-256 of the file as it came; of its text, if that came packed by gzip.
    pub sha256: [u8; 32],
}

/// Reads a bill of one provider as it comes, from wherever.
pub trait BillReader: Send {
    /// Takes in a further piece.
    ///
    /// # Errors
    /// `BILL_UNREADABLE`, `BILL_BROKEN` or `BILL_FOREIGN`; and what `sink` answers.
    fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()>;

    /// Takes in the end; `sha1` is what was said of the file, in hex.
    ///
    /// # Errors
    /// Those of [`BillReader::push`]; `BILL_BROKEN` if it was cut, is not what was said, or doesn't add up.
    fn finish(self: Box<Self>, sha1: &str, sink: Sink<'_>) -> Result<Bill>;
}

/// What takes in the lines of a bill.
pub type Sink<'a> = &'a mut (dyn FnMut(BillLine) -> Result<()> + Send);

/// A line of a bill can't be read. Lines are counted from 1.
pub fn unreadable(line: u64, what: impl std::fmt::Display) -> Error {
    Error::precondition("BILL_UNREADABLE", format!("line {line} of the bill {what}")).with("line", line)
}

/// A bill is not whole: it was cut, or changed.
pub fn broken(why: impl std::fmt::Display) -> Error {
    Error::precondition("BILL_BROKEN", format!("the bill is not whole: {why}"))
}

/// A bill is not the one of which that was said.
pub fn check_sha1(actual: &str, said: &str) -> Result<()> {
    if actual.eq_ignore_ascii_case(said) { Ok(()) } else { Err(broken(format!("its SHA-1 is {actual}, not {said}"))) }
}

/// A bill is of another merchant.
pub fn foreign(line: u64) -> Error {
    Error::precondition("BILL_FOREIGN", format!("line {line} of the bill is of another merchant")).with("line", line)
}
