//! What moves cash at a store goes through its open drawer, in the transaction that moves it.

use kernel::{Currency, Error, Result, Timestamp, ids::StoreId};
use pg::Tx;

use crate::{
    db,
    domain::{
        Order, Tender,
        drawer::Movement,
        ledger::{Account, Transaction},
        payout::Payout,
    },
};

/// Notes what of an order's postings went through a drawer. What moves while none is open is taken over by the next one.
///
/// # Errors
/// `DRAWER_NOT_OPEN` if staff take cash, set it aside or hand it back while none is open, where one is required.
pub async fn follow(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    (before, after): (&Order, &Order),
    postings: &[Transaction],
) -> Result<()> {
    let mut movements = Vec::new();
    for posting in postings {
        for account in [Account::CashDrawer, Account::CardTerminal] {
            movements.extend(Movement::of_posting(posting, account, after.store)?);
        }
    }
    let set_aside = after
        .payments
        .iter()
        .any(|payment| payment.tender == Tender::Cash && payment.is_reserved() && before.payment(payment.id).is_none());
    note(tx, now, actor, (after.store, after.currency()), &movements, set_aside).await
}

/// Notes what a payout took out of a drawer.
///
/// # Errors
/// As [`follow`].
pub async fn follow_payout(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    payout: &Payout,
    posting: &Transaction,
) -> Result<()> {
    let movement = Movement::of_posting(posting, Account::CashDrawer, payout.store)?;
    note(tx, now, actor, (payout.store, payout.amount.currency()), movement.as_slice(), false).await
}

async fn note(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    (store, currency): (StoreId, Currency),
    movements: &[Movement],
    set_aside: bool,
) -> Result<()> {
    if movements.is_empty() && !set_aside {
        return Ok(());
    }
    match db::drawers::hold_open(tx, store, currency, actor).await? {
        Some(drawer) => Ok(db::drawers::insert_movements(tx, drawer, now, actor, movements).await?),
        None => {
            let cash = set_aside || movements.iter().any(|movement| movement.account == Account::CashDrawer);
            // What a service or a provider decides has happened; it can't wait until somebody comes to the desk.
            let by_staff = actor.starts_with("staff/");
            if cash && by_staff && db::drawers::policy(tx, store).await?.required {
                return Err(Error::precondition(
                    "DRAWER_NOT_OPEN",
                    "open a drawer before you take cash or hand it back",
                )
                .with("store", store));
            }
            Ok(())
        }
    }
}
