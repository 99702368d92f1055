//! Tables for spreadsheets: RFC 4180 in UTF-8, and nothing in them is a formula.

use std::fmt::Write as _;

use kernel::Money;

/// What makes spreadsheets take a file for UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// What a cell may not begin with, as a spreadsheet would reckon with it.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A table, or a piece of one, row by row.
#[derive(Debug, Clone, Default)]
pub struct Table(String);

/// What is in a cell.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// What somebody may have written: never a formula.
    Text(&'a str),
    /// An amount without its currency; nothing if there is none.
    Amount(Option<Money>),
}

impl Table {
    /// The beginning of a table: its columns.
    pub fn with_columns(columns: &[&str]) -> Self {
        let mut table = Self(BYTE_ORDER_MARK.to_string());
        table.row(columns.iter().map(|name| Cell::Text(name)));
        table
    }

    /// Adds a row.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) {
        for (at, cell) in cells.into_iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            match cell {
                Cell::Text(text) => self.text(text),
                Cell::Amount(amount) => self.amount(amount),
            }
        }
        self.0.push_str("\r\n");
    }

    /// All of it.
    pub fn into_string(self) -> String {
        self.0
    }

    fn text(&mut self, text: &str) {
        let guard = if text.starts_with(FORMULA) { "'" } else { "" };
        if text.contains([',', '"', '\r', '\n']) {
            // Writing to a string can't fail.
            let _ = write!(self.0, "\"{guard}{}\"", text.replace('"', "\"\""));
        } else {
            self.0.extend([guard, text]);
        }
    }

    fn amount(&mut self, amount: Option<Money>) {
        let shown = amount.map(|amount| amount.to_string()).unwrap_or_default();
        self.0.push_str(shown.split(' ').next().unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    fn row(cells: &[&str]) -> String {
        let mut table = Table::default();
        table.row(cells.iter().map(|text| Cell::Text(text)));
        table.into_string()
    }

    #[test]
    fn cells_are_kept_apart_and_none_is_a_formula() {
        assert_eq!(Table::with_columns(&["a", "b"]).into_string(), "\u{feff}a,b\r\n");
        assert_eq!(row(&["", "plain", "按摩"]), ",plain,按摩\r\n");
        assert_eq!(row(&["a,b", "say \"hi\"", "two\nlines"]), "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n");
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"] {
            assert_eq!(row(&[formula]), format!("'{formula}\r\n"));
        }
        assert_eq!(row(&["=HYPERLINK(\"http://x\",\"y\")"]), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"\r\n");
        assert_eq!(row(&["\r=1"]), "\"'\r=1\"\r\n");
    }

    #[test]
    fn amounts_are_numbers_without_currency() {
        let mut table = Table::default();
        let yen = Currency::parse("currency", "JPY").expect("a currency");
        let amounts = [Some(Money::new(-1_205, Currency::CNY)), Some(Money::new(7, yen)), None];
        table.row(amounts.map(Cell::Amount));
        assert_eq!(table.into_string(), "-12.05,7,\r\n");
    }
}
