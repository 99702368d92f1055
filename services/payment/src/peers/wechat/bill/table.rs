//! A bill as a table: names of columns, lines of values, names of sums, one line of sums.
//!
//! Values are separated by commas, and each begins with a backtick, so that spreadsheets leave long numbers alone; a value
//! may hold commas. The text is UTF-8, perhaps with a byte-order mark.

use kernel::Result;

use crate::peers::{
    bill::{broken, check_sha1, unreadable},
    crypto::Sha1,
};

/// The longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;

/// Takes a bill apart as it comes.
#[derive(Debug)]
pub struct Table {
    sha1: Sha1,
    rest: Vec<u8>,
    number: u64,
    next: Part,
}

/// What the next line may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Columns,
    Rows,
    Sums,
    End,
}

/// A line of a bill.
#[derive(Debug)]
pub enum Line<'a> {
    /// The names of the columns.
    Columns(Vec<&'a str>),
    /// A line of values.
    Row(Vec<&'a str>),
    /// The names of the sums.
    SumColumns(Vec<&'a str>),
    /// The sums.
    Sums(Vec<&'a str>),
}

impl Table {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { sha1: Sha1::new(), rest: Vec::new(), number: 0, next: Part::Columns }
    }

    /// Takes in a further piece, and hands each whole line with its number to `take`.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` naming the line; and what `take` answers.
    pub fn push(&mut self, piece: &[u8], take: &mut dyn FnMut(u64, Line<'_>) -> Result<()>) -> Result<()> {
        self.sha1.update(piece);
        let mut piece = piece;
        while let Some(end) = piece.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = piece.split_at(end);
            piece = tail.get(1..).unwrap_or_default();
            if self.rest.is_empty() {
                self.line(head, take)?;
            } else {
                self.rest.extend_from_slice(head);
                let line = std::mem::take(&mut self.rest);
                self.line(&line, take)?;
                // Its room is used again.
                self.rest = line;
                self.rest.clear();
            }
        }
        self.rest.extend_from_slice(piece);
        if self.rest.len() > MAX_LINE { Err(unreadable(self.number + 1, "is too long")) } else { Ok(()) }
    }

    /// Takes in the end.
    ///
    /// # Errors
    /// `BILL_BROKEN` if the bill has no sums, or its SHA-1 is not that which the provider has named.
    pub fn finish(mut self, sha1: &str, take: &mut dyn FnMut(u64, Line<'_>) -> Result<()>) -> Result<()> {
        check_sha1(&self.sha1.clone().hex(), sha1)?;
        let last = std::mem::take(&mut self.rest);
        if !last.is_empty() {
            self.line(&last, take)?;
        }
        if self.next == Part::End { Ok(()) } else { Err(broken("it has no sums")) }
    }

    fn line(&mut self, line: &[u8], take: &mut dyn FnMut(u64, Line<'_>) -> Result<()>) -> Result<()> {
        self.number += 1;
        let number = self.number;
        let text = std::str::from_utf8(line).map_err(|_| unreadable(number, "is not UTF-8"))?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = if number == 1 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        let names = || text.split(',').map(str::trim).collect();
        let values = text.strip_prefix('`').map(|text| text.split(",`").map(str::trim).collect());
        let line = match (self.next, values) {
            (Part::Columns, None) if !text.is_empty() => {
                self.next = Part::Rows;
                Line::Columns(names())
            }
            (Part::Rows, Some(values)) => Line::Row(values),
            (Part::Rows, None) if !text.is_empty() => {
                self.next = Part::Sums;
                Line::SumColumns(names())
            }
            (Part::Sums, Some(values)) => {
                self.next = Part::End;
                Line::Sums(values)
            }
            (Part::End, None) if text.is_empty() => return Ok(()),
            _ => return Err(unreadable(number, "is not what must come there")),
        };
        take(number, line)
    }
}

/// Where in a line the columns are that one wants.
#[derive(Debug, Clone, Copy)]
pub struct Columns<const N: usize> {
    at: [usize; N],
    len: usize,
}

impl<const N: usize> Columns<N> {
    /// Finds columns by their names.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` naming the one that is missing.
    pub fn find(line: u64, names: &[&str], wanted: [&str; N]) -> Result<Self> {
        let mut at = [0; N];
        for (at, wanted) in at.iter_mut().zip(wanted) {
            let found = names.iter().position(|name| *name == wanted);
            *at = found.ok_or_else(|| unreadable(line, format!("has no column {wanted}")))?;
        }
        Ok(Self { at, len: names.len() })
    }

    /// The values of a line in the order in which the columns were wanted.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` if the line has more or fewer values than there are columns.
    pub fn of<'a>(&self, line: u64, values: &[&'a str]) -> Result<[&'a str; N]> {
        if values.len() != self.len {
            return Err(unreadable(line, format!("has {} values for {} columns", values.len(), self.len)));
        }
        Ok(self.at.map(|at| values.get(at).copied().unwrap_or_default()))
    }
}
