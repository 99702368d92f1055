//! The fund bill (资金账单): every movement of the merchant's account of a day.

use kernel::{Error, Result, Timestamp};

use super::table::{Columns, Line, Table};
use crate::peers::{
    bill::{broken, unreadable},
    china_time, yuan,
};

const COLUMNS: [&str; 8] = [
    "记账时间",
    "微信支付业务单号",
    "资金流水单号",
    "业务名称",
    "收支类型",
    "收支金额(元)",
    "账户结余(元)",
    "业务凭证号",
];

const SUMS: [&str; 5] = ["资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额"];

/// A movement of the merchant's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundLine {
    /// When it was booked.
    pub time: Timestamp,
    /// The provider's own id of what it was for.
    pub transaction: String,
    /// The provider's own id of the movement.
    pub movement: String,
    /// What it was for, in the provider's words, such as `交易` or `退款`.
    pub business: String,
    /// How much, in fen; below zero if it left the account.
    pub amount: i64,
    /// What was on the account after it, in fen.
    pub balance: i64,
    /// The merchant's number, if there is one.
    pub reference: String,
}

/// The sums of a fund bill.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FundTotals {
    /// How many movements came in.
    pub income_lines: u64,
    /// What they brought, in fen.
    pub income: i64,
    /// How many left.
    pub expense_lines: u64,
    /// What they took, in fen, above zero.
    pub expense: i64,
}

/// What takes in the lines of a fund bill.
pub type FundSink<'a> = &'a mut (dyn FnMut(FundLine) -> Result<()> + Send);

/// Reads a fund bill as it comes.
#[derive(Debug)]
pub struct FundBill {
    table: Table,
    body: Body,
}

#[derive(Debug, Default)]
struct Body {
    columns: Option<Columns<8>>,
    sums: Option<Columns<5>>,
    counted: FundTotals,
    stated: Option<FundTotals>,
}

impl FundBill {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self { table: Table::new(), body: Body::default() }
    }

    /// Takes in a further piece.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` naming the line; and what `sink` answers.
    pub fn push(&mut self, piece: &[u8], sink: FundSink<'_>) -> Result<()> {
        let Self { table, body } = self;
        table.push(piece, &mut |number, line| body.take(number, line, sink))
    }

    /// Takes in the end.
    ///
    /// # Errors
    /// Those of [`FundBill::push`]; `BILL_BROKEN` if it was cut, its SHA-1 is another, or its sums are not those of its
    /// lines.
    pub fn finish(self, sha1: &str, sink: FundSink<'_>) -> Result<FundTotals> {
        let Self { table, mut body } = self;
        table.finish(sha1, &mut |number, line| body.take(number, line, sink))?;
        match body.stated {
            Some(stated) if stated == body.counted => Ok(stated),
            Some(stated) => Err(broken(format!("its lines add up to {:?}, its sums say {stated:?}", body.counted))),
            None => Err(broken("it has no sums")),
        }
    }
}

impl Default for FundBill {
    fn default() -> Self {
        Self::new()
    }
}

impl Body {
    fn take(&mut self, number: u64, line: Line<'_>, sink: FundSink<'_>) -> Result<()> {
        match line {
            Line::Columns(names) => self.columns = Some(Columns::find(number, &names, COLUMNS)?),
            Line::SumColumns(names) => self.sums = Some(Columns::find(number, &names, SUMS)?),
            Line::Sums(values) => {
                let columns = self.sums.ok_or_else(|| unreadable(number, "comes too early"))?;
                self.stated = Some(read_sums(number, columns.of(number, &values)?)?);
            }
            Line::Row(values) => {
                let columns = self.columns.ok_or_else(|| unreadable(number, "comes too early"))?;
                let line = read(number, columns.of(number, &values)?)?;
                self.count(number, line.amount)?;
                sink(line)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, number: u64, amount: i64) -> Result<()> {
        let FundTotals { income_lines, income, expense_lines, expense } = &mut self.counted;
        let (lines, sum) = if amount < 0 { (expense_lines, expense) } else { (income_lines, income) };
        *lines += 1;
        let more = amount.checked_abs().and_then(|amount| sum.checked_add(amount));
        *sum = more.ok_or_else(|| unreadable(number, "adds up to too much"))?;
        Ok(())
    }
}

fn read(number: u64, values: [&str; 8]) -> Result<FundLine> {
    let [time, transaction, movement, business, direction, amount, balance, reference] = values;
    let bad = |error: Error| unreadable(number, "has an amount that can't be read").caused_by(error);
    let amount = yuan::parse("amount", amount).map_err(bad)?;
    let amount = match direction {
        "收入" if amount >= 0 => amount,
        "支出" if amount >= 0 => -amount,
        _ => return Err(unreadable(number, "goes neither in nor out")),
    };
    Ok(FundLine {
        time: china_time::read_plain(time).ok_or_else(|| unreadable(number, "has no time"))?,
        transaction: transaction.to_owned(),
        movement: movement.to_owned(),
        business: business.to_owned(),
        amount,
        balance: yuan::parse("balance", balance).map_err(bad)?,
        reference: reference.to_owned(),
    })
}

fn read_sums(number: u64, values: [&str; 5]) -> Result<FundTotals> {
    let bad = |error: Error| unreadable(number, "has a sum that can't be read").caused_by(error);
    let count = |text: &str| -> Result<u64> {
        let count = u64::try_from(yuan::parse("count", text).map_err(bad)?).ok().filter(|count| count % 100 == 0);
        Ok(count.ok_or_else(|| unreadable(number, "has a count that is none"))? / 100)
    };
    let [all, income_lines, income, expense_lines, expense] = values;
    let totals = FundTotals {
        income_lines: count(income_lines)?,
        income: yuan::parse("income", income).map_err(bad)?,
        expense_lines: count(expense_lines)?,
        expense: yuan::parse("expense", expense).map_err(bad)?,
    };
    let lines = totals.income_lines.checked_add(totals.expense_lines);
    if lines == Some(count(all)?) { Ok(totals) } else { Err(unreadable(number, "has counts that don't add up")) }
}
