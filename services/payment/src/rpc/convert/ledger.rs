//! The ledger for the wire.

use kernel::{
    Money, Uuid,
    ids::{LedgerTransactionId, OrderId, StoreId},
};
use pg::seal::{Seal, hex};
use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use super::date::to_date;
use crate::{
    db::ledger::{SheetLine, StatementLine},
    domain::ledger::{Account, AccountKind, Entry, PartyKind, Record, RecordEntry, Transfer, TransferState},
    flows::ledger::{chain::Page, get_balance_sheet::Sheet, get_statement::Statement},
};

/// An account of the chart with its balances.
pub fn account(account: Account, balances: &[Money]) -> pb::ChartAccount {
    use pb::chart_account::Kind;
    let kind = match account.kind() {
        AccountKind::Asset => Kind::Asset,
        AccountKind::Liability => Kind::Liability,
        AccountKind::Revenue => Kind::Revenue,
        AccountKind::Expense => Kind::Expense,
    };
    pb::ChartAccount {
        name: name(account),
        kind: kind.into(),
        party_kind: account.party().map_or("", PartyKind::as_str).to_owned(),
        checked: account.is_checked(),
        balances: balances.iter().copied().map(to_money).collect(),
    }
}

fn name(account: Account) -> String {
    format!("accounts/{}", account.code())
}

/// A store, or the head office, which has all zeros for its id.
pub(super) fn store(store: Option<StoreId>) -> String {
    StoreId::from_uuid(store.map_or(Uuid::nil(), StoreId::uuid)).name()
}

/// The balance sheet of a day.
pub fn sheet(sheet: &Sheet) -> pb::BalanceSheet {
    use pb::balance_sheet::State;
    let line = |line: &SheetLine| pb::balance_sheet::Line {
        account: name(line.account),
        opening: Some(to_money(line.opening)),
        debits: Some(to_money(line.debits)),
        credits: Some(to_money(line.credits)),
        closing: Some(to_money(line.closing)),
    };
    pb::BalanceSheet {
        name: format!("{}/balanceSheets/{}", sheet.store, sheet.day.date),
        store: sheet.store.name(),
        date: Some(to_date(sheet.day.date)),
        start_time: Some(to_timestamp(sheet.day.start)),
        end_time: Some(to_timestamp(sheet.day.end)),
        state: if sheet.close_time.is_some() { State::Closed } else { State::Open }.into(),
        close_time: sheet.close_time.map(to_timestamp),
        lines: sheet.lines.iter().map(line).collect(),
    }
}

/// A page of a statement.
pub fn statement(statement: Statement) -> pb::Statement {
    let line = |(line, balance): (StatementLine, Money)| pb::statement::Line {
        transaction: line.transaction().name(),
        create_time: Some(to_timestamp(line.time)),
        kind: line.kind,
        source: line.source.to_string(),
        order: line.order.map(OrderId::name).unwrap_or_default(),
        store: store(line.store),
        party: line.party.map(|party| party.name().to_owned()).unwrap_or_default(),
        amount: Some(to_money(line.amount)),
        balance: Some(to_money(balance)),
    };
    pb::Statement {
        account: name(statement.account),
        opening: Some(to_money(statement.opening)),
        lines: statement.lines.into_iter().map(line).collect(),
        closing: Some(to_money(statement.closing)),
        end_time: Some(to_timestamp(statement.end_time)),
        next_page_token: statement.next_page_token,
    }
}

/// A transfer.
pub fn transfer(transfer: &Transfer) -> pb::LedgerTransfer {
    use pb::ledger_transfer::State;
    let state = match transfer.state {
        TransferState::Pending => State::Pending,
        TransferState::Posted(_) => State::Posted,
        TransferState::Voided(_) => State::Voided,
        TransferState::Expired(_) => State::Expired,
    };
    let entry = |(position, entry): (i32, &Entry)| pb::LedgerEntry {
        position,
        account: entry.on.account.code().to_owned(),
        store: store(entry.on.store),
        party: entry.on.party.as_ref().map(|party| party.name().to_owned()).unwrap_or_default(),
        currency_code: entry.amount.currency().code().to_owned(),
        amount_minor: entry.amount.minor(),
    };
    let transaction = &transfer.transaction;
    pb::LedgerTransfer {
        name: transfer.id.name(),
        kind: transaction.kind().as_str().to_owned(),
        source: transaction.source().to_string(),
        order: transaction.order().map(OrderId::name).unwrap_or_default(),
        state: state.into(),
        create_time: Some(to_timestamp(transfer.create_time)),
        expire_time: Some(to_timestamp(transfer.expire_time)),
        decide_time: transfer.state.decide_time().map(to_timestamp),
        entries: (0..).zip(transaction.entries()).map(entry).collect(),
    }
}

/// A page of an export.
pub fn export(page: Page) -> pb::ExportEntriesResponse {
    pb::ExportEntriesResponse {
        transactions: page.records.into_iter().map(record).collect(),
        seals: page.seals.iter().map(seal).collect(),
        next_page_token: page.next_page_token,
    }
}

fn record(record: Record) -> pb::LedgerTransaction {
    let entry = |entry: RecordEntry| pb::LedgerEntry {
        position: entry.position,
        account: entry.account,
        store: StoreId::from_uuid(entry.store).name(),
        party: entry.party.unwrap_or_default(),
        currency_code: entry.currency,
        amount_minor: entry.amount_minor,
    };
    pb::LedgerTransaction {
        name: LedgerTransactionId::from_uuid(record.id).name(),
        xid: record.xid,
        position: record.position,
        kind: record.kind,
        source: record.source.to_string(),
        order: record.order.map(|id| OrderId::from_uuid(id).name()).unwrap_or_default(),
        create_time: Some(to_timestamp(record.create_time)),
        entries: record.entries.into_iter().map(entry).collect(),
    }
}

fn seal(seal: &Seal) -> pb::LedgerSeal {
    pb::LedgerSeal {
        number: seal.number,
        until_xid: seal.until.xid.parse().unwrap_or_default(),
        until_position: seal.until.position,
        transactions: seal.rows,
        hash: hex(&seal.hash),
    }
}
