//! Settlement lists for the wire, and for spreadsheets.

use kernel::{Money, Result, ids::CommissionRuleId};
use proto::{google::api::HttpBody, payment::v1 as pb};
use rpc::convert::{to_money, to_timestamp};

use super::date::to_date;
use crate::{
    db::commission::ExportRow,
    domain::commission::{Settlement, SettlementLine, SettlementState},
};

/// What RFC 4180 ends a row with.
const ROW_END: &str = "\r\n";

/// The columns of an export.
const COLUMNS: [&str; 11] = [
    "payee",
    "booking",
    "item",
    "rule",
    "completed",
    "currency",
    "base",
    "earned",
    "taken_back",
    "clawed_back",
    "amount",
];

/// A list with its lines.
///
/// # Errors
/// `AMOUNT_OVERFLOW`, which no sound list has.
pub fn to_settlement(settlement: &Settlement, lines: &[SettlementLine]) -> Result<pb::CommissionSettlement> {
    let line = |line: &SettlementLine| {
        Ok(pb::commission_settlement::Line {
            payee: line.payee.name(),
            accruals: line.accruals,
            earned: Some(to_money(line.earned)),
            reversed: Some(to_money(line.reversed)),
            clawed_back: Some(to_money(line.clawed_back)),
            amount: Some(to_money(line.amount()?)),
        })
    };
    Ok(pb::CommissionSettlement {
        lines: lines.iter().map(line).collect::<Result<_>>()?,
        total: Some(to_money(settlement.total(lines)?)),
        ..to_head(settlement)
    })
}

/// A list without its lines.
pub fn to_head(settlement: &Settlement) -> pb::CommissionSettlement {
    use pb::commission_settlement::State;
    let (state, confirm_time, pay_time) = match settlement.state {
        SettlementState::Draft => (State::Draft, None, None),
        SettlementState::Confirmed { time } => (State::Confirmed, Some(time), None),
        SettlementState::Paid { confirm_time, time } => (State::Paid, Some(confirm_time), Some(time)),
    };
    pb::CommissionSettlement {
        name: settlement.id.name(),
        store: settlement.store.name(),
        start_date: Some(to_date(settlement.start_date)),
        end_date: Some(to_date(settlement.end_date)),
        state: state.into(),
        lines: Vec::new(),
        total: None,
        create_time: Some(to_timestamp(settlement.create_time)),
        confirm_time: confirm_time.map(to_timestamp),
        pay_time: pay_time.map(to_timestamp),
        etag: settlement.etag(),
    }
}

/// All that is in a list, as a table.
///
/// # Errors
/// `AMOUNT_OVERFLOW`, which no sound list has.
pub fn to_csv(rows: &[ExportRow]) -> Result<HttpBody> {
    let mut text = COLUMNS.join(",");
    text.push_str(ROW_END);
    for row in rows {
        let cells = [
            cell(&row.payee.name()),
            row.booking.name(),
            row.item.name(),
            row.rule.map(CommissionRuleId::name).unwrap_or_default(),
            row.complete_time.to_string(),
            row.earned.currency().code().to_owned(),
            decimal(row.base),
            decimal(row.earned),
            decimal(row.reversed),
            decimal(row.clawed_back),
            decimal(row.amount()?),
        ];
        text.push_str(&cells.join(","));
        text.push_str(ROW_END);
    }
    let content_type = "text/csv; charset=utf-8".to_owned();
    Ok(HttpBody { content_type, data: text.into_bytes().into(), extensions: Vec::new() })
}

/// A text that a spreadsheet takes for nothing but a text.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        format!("{guard}{text}")
    }
}

/// An amount in decimals of the major unit, without its currency.
fn decimal(amount: Money) -> String {
    let text = amount.to_string();
    text.split_once(' ').map_or(text.clone(), |(figure, _)| figure.to_owned())
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell("partners/meituan"), "partners/meituan");
        assert_eq!(cell("partners/a,b"), "\"partners/a,b\"");
        assert_eq!(cell("partners/\"a\""), "\"partners/\"\"a\"\"\"");
        assert_eq!(cell("=1+1"), "'=1+1");
        assert_eq!(cell("@a,b"), "\"'@a,b\"");
    }

    #[test]
    fn amounts_are_decimals() {
        assert_eq!(decimal(Money::new(-5, Currency::CNY)), "-0.05");
        assert_eq!(decimal(Money::new(500, Currency::parse("c", "JPY").expect("known"))), "500");
    }
}
