//! The trade bill (交易账单): every sale and refund of a day.

use kernel::{Error, Result};

use super::table::{Columns, Line, Table};
use crate::peers::{
    bill::{BillKind, BillLine, BillTotals, Sink, broken, foreign, unreadable},
    china_time, yuan,
};

const COLUMNS: [&str; 12] = [
    "交易时间",
    "商户号",
    "微信订单号",
    "商户订单号",
    "交易状态",
    "货币种类",
    "商户退款单号",
    "退款状态",
    "手续费",
    "订单金额",
    "申请退款金额",
    "微信退款单号",
];

const SUMS: [&str; 4] = ["总交易单数", "订单总金额", "申请退款总金额", "手续费总金额"];

/// How far the sum of the fees may be off: the provider rounds it to a fen.
const FEES_TOLERANCE: u64 = 1_000;

/// Reads a trade bill as it comes.
#[derive(Debug)]
pub struct TradeBill {
    merchant_id: String,
    table: Table,
    body: Body,
}

#[derive(Debug, Default)]
struct Body {
    columns: Option<Columns<12>>,
    sums: Option<Columns<4>>,
    counted: BillTotals,
    stated: Option<BillTotals>,
}

impl TradeBill {
    /// That of a merchant; nothing has come yet.
    pub fn new(merchant_id: &str) -> Self {
        Self { merchant_id: merchant_id.to_owned(), table: Table::new(), body: Body::default() }
    }

    /// Takes in a further piece.
    ///
    /// # Errors
    /// `BILL_UNREADABLE` or `BILL_FOREIGN`, naming the line; and what `sink` answers.
    pub fn push(&mut self, piece: &[u8], sink: Sink<'_>) -> Result<()> {
        let Self { merchant_id, table, body } = self;
        table.push(piece, &mut |number, line| body.take(merchant_id, number, line, sink))
    }

    /// Takes in the end.
    ///
    /// # Errors
    /// Those of [`TradeBill::push`]; `BILL_BROKEN` if it was cut, its SHA-1 is another, or its sums are not those of its
    /// lines.
    pub fn finish(self, sha1: &str, sink: Sink<'_>) -> Result<BillTotals> {
        let Self { merchant_id, table, mut body } = self;
        table.finish(sha1, &mut |number, line| body.take(&merchant_id, number, line, sink))?;
        let (counted, stated) = (body.counted, body.stated.ok_or_else(|| broken("it has no sums"))?);
        let fees_fit = counted.fees_fine.abs_diff(stated.fees_fine) < FEES_TOLERANCE;
        let stated = BillTotals { fees_fine: counted.fees_fine, ..stated };
        if fees_fit && counted == stated {
            Ok(counted)
        } else {
            Err(broken(format!("its lines add up to {counted:?}, its sums say {stated:?}")))
        }
    }
}

impl Body {
    fn take(&mut self, merchant_id: &str, number: u64, line: Line<'_>, sink: Sink<'_>) -> Result<()> {
        match line {
            Line::Columns(names) => self.columns = Some(Columns::find(number, &names, COLUMNS)?),
            Line::SumColumns(names) => self.sums = Some(Columns::find(number, &names, SUMS)?),
            Line::Sums(values) => {
                let columns = self.sums.ok_or_else(|| unreadable(number, "comes too early"))?;
                self.stated = Some(read_sums(number, columns.of(number, &values)?)?);
            }
            Line::Row(values) => {
                let columns = self.columns.ok_or_else(|| unreadable(number, "comes too early"))?;
                let line = read(merchant_id, number, columns.of(number, &values)?)?;
                self.counted.count(&line)?;
                sink(line)?;
            }
        }
        Ok(())
    }
}

fn read(merchant_id: &str, number: u64, values: [&str; 12]) -> Result<BillLine> {
    let [time, merchant, transaction, payment, state, currency, refund, refund_state, fee, total, refunded, _] = values;
    if merchant != merchant_id {
        return Err(foreign(number));
    }
    let bad = |error: Error| unreadable(number, "has an amount that can't be read").caused_by(error);
    let kind = match state {
        "SUCCESS" => BillKind::Sale,
        "REFUND" => BillKind::Refund,
        "REVOKED" => BillKind::Revoked,
        other => return Err(unreadable(number, format!("is in the state {other}"))),
    };
    let (amount, refund, state) = match kind {
        BillKind::Refund => (refunded, refund, refund_state),
        BillKind::Sale | BillKind::Revoked => (total, "", state),
    };
    let amount_minor = yuan::parse("amount", amount).map_err(bad)?;
    if amount_minor < 0 || payment.is_empty() || (kind == BillKind::Refund && refund.is_empty()) {
        return Err(unreadable(number, "has a number or an amount that can't be"));
    }
    Ok(BillLine {
        time: china_time::read_plain(time).ok_or_else(|| unreadable(number, "has no time"))?,
        kind,
        payment: payment.to_owned(),
        refund: refund.to_owned(),
        transaction: transaction.to_owned(),
        amount_minor,
        currency: currency.to_owned(),
        fee_fine: yuan::parse_fine("fee", fee).map_err(bad)?,
        state: state.to_owned(),
    })
}

fn read_sums(number: u64, values: [&str; 4]) -> Result<BillTotals> {
    let bad = |error: Error| unreadable(number, "has a sum that can't be read").caused_by(error);
    let [count, sales, refunds, fees] = values;
    // The count is written as an amount is: `45.0`.
    let count = yuan::parse("count", count).map_err(bad)?;
    let lines = u64::try_from(count).ok().filter(|count| count % 100 == 0).map(|count| count / 100);
    Ok(BillTotals {
        lines: lines.ok_or_else(|| unreadable(number, "has a count that is none"))?,
        sales_minor: yuan::parse("sales", sales).map_err(bad)?,
        refunds_minor: yuan::parse("refunds", refunds).map_err(bad)?,
        fees_fine: yuan::parse_fine("fees", fees).map_err(bad)?,
    })
}
