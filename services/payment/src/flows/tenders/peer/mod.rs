//! Points and cash coupons, which other services keep: one frame around both.
//!
//! ```text
//! asked ──the checkout is stored──▶ reserved ──▶ captured | voided
//!   └──────refused, or not gone on with in time──────────▶ voided
//! ```
//!
//! | step | what | if the process dies after it |
//! |---|---|---|
//! | [`ask`] | what will be asked for is stored; then its keeper sets it aside | the same request goes on; else it is given up |
//! | the arm's `reserve` | the payment counts on it, in the transaction that stores the checkout | as any checkout |
//! | the arm's `commit`, `void`, `give_back` | what was decided is stored, with a task to tell its keeper | the task is there |
//! | [`tell`] | the keeper is told, for ever until he answers | he is told again, which changes nothing |
//!
//! No transaction is open across a call. The keeper's hold outlives the checkout's and the ledger's by a week, in which he
//! is told that it is spent: so nothing is captured without it.

pub mod ask;
pub mod tell;

use std::time::Duration;

use kernel::{Error, Result, Timestamp};
use pg::{
    Tx,
    tasks::{self, NewTask},
};

use super::{GRACE, Part, Use};
use crate::{
    db::peer_tenders as stored,
    domain::{
        Payment, Refund,
        ledger::Account,
        payment,
        peer_tender::{GivenBack, State},
    },
};

/// How much longer than its checkout the keeper sets it aside.
const HOLD: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// How long a request may take until what it asked for is given up.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Its keeper is to be told what was decided.
const TELL: &str = "tell_peer_tender";

/// What was asked for is to be given up, unless a payment counts on it.
const GIVE_UP: &str = "give_up_peer_tender";

/// The payment counts on what its keeper has set aside. What it is worth is given away by the store.
pub(super) async fn reserve(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<Vec<Part>> {
    let until = of.payment.checkout.map_or(now, |checkout| checkout.expire_time) + GRACE;
    if !stored::reserve(tx, of.payment, until).await? {
        return Err(ended());
    }
    tasks::call_off(tx, now, of.payment.id.uuid(), GIVE_UP).await?;
    Ok(given_away(of, of.payment.amount))
}

/// It is spent.
pub(super) async fn commit(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<()> {
    stored::decide(tx, of.payment.id, State::Captured, now).await?;
    have_told(tx, now, of.payment).await
}

/// It is free again.
pub(super) async fn void(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<()> {
    stored::decide(tx, of.payment.id, State::Voided, now).await?;
    have_told(tx, now, of.payment).await
}

/// What goes back is not given away any more.
pub(super) async fn give_back(tx: &mut Tx, now: Timestamp, of: Use<'_>, refund: &Refund) -> Result<Vec<Part>> {
    let back = GivenBack { refund: refund.id, amount: refund.amount, whole: is_whole_with(of, refund)? };
    stored::insert_return(tx, of.payment.id, &back, now).await?;
    have_told(tx, now, of.payment).await?;
    Ok(given_away(of, refund.amount))
}

/// Whether the last refund of all that are decided by now is this, and they are all that was captured.
fn is_whole_with(of: Use<'_>, refund: &Refund) -> Result<bool> {
    let all = of.order.refunds.iter().filter(|other| other.payment == of.payment.id);
    let last = all.clone().next_back().is_some_and(|last| last.id == refund.id);
    let sum = all
        .map(|other| other.amount)
        .try_fold(kernel::Money::zero(refund.amount.currency()), |sum, amount| sum.try_add(amount))?;
    Ok(last && sum == of.payment.amount && matches!(of.payment.state, payment::State::Captured { .. }))
}

fn given_away(of: Use<'_>, amount: kernel::Money) -> Vec<Part> {
    vec![Part { on: Account::PromotionExpense.at(of.order.store), amount }]
}

async fn have_told(tx: &mut Tx, now: Timestamp, of: &Payment) -> Result<()> {
    let task = NewTask { kind: TELL, aggregate_id: of.id.uuid(), payload: Vec::new(), due_time: now };
    tasks::add(tx, now, task).await?;
    Ok(())
}

/// What was asked for is not there any more.
fn ended() -> Error {
    let message = "this was refused, or not gone on with in time; start another checkout with a new request_id";
    Error::precondition("CHECKOUT_ENDED", message)
}
