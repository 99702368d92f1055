//! The lines of a bill on their way into the database.
//!
//! A bill is only known to be whole at its end, and no transaction is open while a provider is talked to: until then its
//! lines wait in a file without a name, as Postgres copies them, so that a million of them take no memory.

use std::{
    fmt::Write as _,
    fs::File,
    io::{BufWriter, Seek, Write},
};

use kernel::{Error, Result, Uuid};
use pg::PgConnection;
use sqlx::postgres::PgCopyIn;
use tokio::io::AsyncReadExt;

use crate::peers::{BillKind, BillLine, port::number_of};

/// How much is handed to Postgres at once, in bytes.
const PIECE: usize = 64 * 1024;

/// The most that may wait, in bytes: some five million lines.
const MAX_BYTES: usize = 1 << 30;

/// The lines of a bill, in the text format of `COPY`. The file is gone with it, also after a crash.
#[derive(Debug)]
pub struct Spool {
    file: BufWriter<File>,
    row: String,
    lines: i32,
    bytes: usize,
}

impl Spool {
    /// One without lines.
    ///
    /// # Errors
    /// `Internal` if no temporary file can be made.
    pub fn try_new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(Error::internal)?;
        Ok(Self { file: BufWriter::new(file), row: String::new(), lines: 0, bytes: 0 })
    }

    /// Takes in a line.
    ///
    /// # Errors
    /// `BILL_TOO_LARGE`; `Internal` if the disk is full.
    pub fn push(&mut self, line: &BillLine) -> Result<()> {
        let (what, kind, reference) = match line.kind {
            BillKind::Sale => ("sale", "sale", &line.payment),
            BillKind::Revoked => ("sale", "revoked", &line.payment),
            BillKind::Refund => ("refund", "refund", &line.refund),
        };
        let (named, payment) = (id(reference), id(&line.payment));
        self.row.clear();
        write!(self.row, "{}\t{what}\t{kind}\t{named}\t{payment}\t", self.lines).map_err(Error::internal)?;
        for text in [reference, &line.transaction, &line.currency, &line.state] {
            escape(&mut self.row, text);
            self.row.push('\t');
        }
        writeln!(self.row, "{}\t{}\t{}", line.amount_minor, line.fee_fine, line.time).map_err(Error::internal)?;
        self.bytes += self.row.len();
        if self.bytes > MAX_BYTES {
            let message = "the bill is larger than any that is taken";
            return Err(Error::precondition("BILL_TOO_LARGE", message).with("lines", self.lines));
        }
        self.lines += 1;
        self.file.write_all(self.row.as_bytes()).map_err(Error::internal)
    }

    /// How many lines there are.
    pub fn lines(&self) -> i32 {
        self.lines
    }

    /// Hands the lines on, piece by piece.
    pub(super) async fn read(self, copy: &mut PgCopyIn<&mut PgConnection>) -> pg::Result<()> {
        let mut file = self.file.into_inner().map_err(|error| Error::internal(error.into_error()))?;
        file.rewind().map_err(Error::internal)?;
        let (mut file, mut piece) = (tokio::fs::File::from_std(file), vec![0; PIECE]);
        loop {
            let read = file.read(&mut piece).await.map_err(Error::internal)?;
            let Some(piece) = piece.get(..read).filter(|piece| !piece.is_empty()) else { return Ok(()) };
            copy.send(piece).await?;
        }
    }
}

/// The id that a number is, if it is one that we give.
fn id(number: &str) -> String {
    let own = Uuid::try_parse(number).ok().filter(|id| number_of(*id) == number);
    own.map_or_else(|| "\\N".to_owned(), |id| id.to_string())
}

fn escape(row: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '\\' => row.push_str("\\\\"),
            '\t' => row.push_str("\\t"),
            '\n' => row.push_str("\\n"),
            '\r' => row.push_str("\\r"),
            // Postgres stores no such character.
            '\0' => row.push('\u{fffd}'),
            char => row.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_an_id_only_as_we_write_it_and_text_is_one_value() {
        assert_eq!(id("00000000000000000000000000000007"), "00000000-0000-0000-0000-000000000007");
        for foreign in ["", "order-7", "00000000-0000-0000-0000-000000000007", "0000000000000000000000000000000A"] {
            assert_eq!(id(foreign), "\\N", "{foreign}");
        }
        let mut row = String::new();
        escape(&mut row, "a\tb\\N\n\r\0按");
        assert_eq!(row, "a\\tb\\\\N\\n\\r\u{fffd}按");
    }
}
