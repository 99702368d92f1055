//! The ledger. Rows are only ever added; triggers and privileges see to that, and to the balance of each transaction.
//!
//! The owner of the tables has no right to change them either. He could still give it to himself and switch the triggers
//! off; then the chain of seals shows what was changed ([`verify`]), and the newest seals, which nobody but their maker could
//! miss, are in the log, which leaves the machine.
//!
//! Everybody posts by [`post`] or [`post_all`], in the transaction of the effect, and sets money aside by [`reserve`]. That
//! transaction is READ COMMITTED, as [`pg::Pg::begin`] makes it; any other is refused.
//!
//! Whoever locks more than rows of the ledger locks in this order: the aggregate (order, card, contract …), transfers by
//! id, balances by key. All that is posted in one transaction is best posted by one [`post_all`]: two in a row may lock
//! balances against the order, and then Postgres refuses one of two such flows (`ABORTED`, to be tried again).

mod balance;
mod day;
mod post;
mod read;
mod seal;
mod statement;
mod transfer;

pub use day::{
    ClosedDay, SheetLine, StoreBooks, cut_off, last_closed, make_sheet, preview, put_up_fences, sheet, stores,
    without_sheet,
};
pub use post::{post, post_all};
pub use read::{Balance, Owed, balances, balances_at, owed};
pub use seal::{SEAL_LIMIT, last_seal, place_of, records, seal, seals_between, verify, verify_after};
pub use statement::{Of, Place, Selection, StatementLine, closing_before, lines, sum};
pub use transfer::{commit, expire_due, get as get_transfer, reserve, void};

use kernel::{Money, Uuid, ids::StoreId};
use pg::{Error, Result};

use super::currency;
use crate::domain::ledger::{Account, Entry, Party, SubAccount};

/// How the head office is stored where a store would be.
const HEAD_OFFICE: Uuid = Uuid::nil();

fn store_id(store: Option<StoreId>) -> Uuid {
    store.map_or(HEAD_OFFICE, StoreId::uuid)
}

fn read_store(id: Uuid) -> Option<StoreId> {
    (id != HEAD_OFFICE).then(|| StoreId::from_uuid(id))
}

fn read_account(table: &'static str, row: impl ToString, code: &str) -> Result<Account> {
    Account::from_stored(code).ok_or_else(|| Error::inconsistent(table, row, format!("has the account {code}")))
}

/// Entries as columns.
#[derive(Default)]
struct Columns {
    owners: Vec<Uuid>,
    positions: Vec<i32>,
    accounts: Vec<String>,
    stores: Vec<Uuid>,
    parties: Vec<Option<String>>,
    currencies: Vec<String>,
    amounts: Vec<i64>,
}

impl Columns {
    fn push(&mut self, owner: Uuid, entries: &[Entry]) {
        for (position, Entry { on, amount }) in (0_i32..).zip(entries) {
            self.owners.push(owner);
            self.positions.push(position);
            self.accounts.push(on.account.code().to_owned());
            self.stores.push(store_id(on.store));
            self.parties.push(on.party.as_ref().map(|party| party.name().to_owned()));
            self.currencies.push(amount.currency().code().to_owned());
            self.amounts.push(amount.minor());
        }
    }
}

/// An entry as it is stored.
struct EntryRow {
    account: String,
    store_id: Uuid,
    party: Option<String>,
    currency: String,
    amount_minor: i64,
}

impl EntryRow {
    fn read(self, table: &'static str, row: impl ToString) -> Result<Entry> {
        let row = row.to_string();
        let account = read_account(table, &row, &self.account)?;
        let currency = currency(table, &row, &self.currency)?;
        let on = SubAccount { account, store: read_store(self.store_id), party: self.party.map(Party::from_stored) };
        Ok(Entry { on, amount: Money::new(self.amount_minor, currency) })
    }
}
