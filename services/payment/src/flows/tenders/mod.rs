//! The tenders that spend what was paid ahead, or given away: the one place that knows who keeps it.
//!
//! An internal tender has an arm: four functions that run in the caller's transaction, which holds the order's row, and
//! which lock the rows of their own (card, contract) by id.
//!
//! | function | when | it |
//! |---|---|---|
//! | `reserve` | a payment is set aside | checks that this may be spent, sets it aside, and tells which accounts give it |
//! | `commit` | the payment is captured | notes that it is spent |
//! | `void` | the payment comes to nothing | sets it free |
//! | `give_back` | a refund of the payment is done | takes it in again, and tells which accounts get it |
//!
//! `reserve` comes first and once; then `commit` or `void`, once; `give_back` after `commit`, for each refund. Arms move no
//! money: the ledger is booked here, by transfers in two phases, so that what is set aside can't be spent twice and what is
//! captured was set aside before.

pub mod peer;
mod prepaid_session;
mod stored_value;

use std::time::Duration;

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{LedgerTransferId, MemberId},
};
use pg::{
    Tx,
    audit::{self, Entry as AuditEntry},
};
use serde_json::json;

use crate::{
    db,
    domain::{
        Order, Payment, Refund, Tender,
        ledger::{Account, Entry, Kind, SubAccount, Transaction, Transfer},
        payment::State,
    },
};

/// How much longer than its checkout a transfer lives, so that it never ends first.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);

/// A payment by an internal tender, and the order that it pays.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use<'a> {
    /// What is paid; its row is locked.
    pub order: &'a Order,
    /// By what.
    pub payment: &'a Payment,
}

/// What one account gives for a payment, or gets back of it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The account.
    pub on: SubAccount,
    /// How much; above zero.
    pub amount: Money,
}

/// What a tender gives for a payment: parts that add up to its amount, and what is set aside besides.
#[derive(Debug)]
pub(super) struct Given {
    pub parts: Vec<Part>,
    pub besides: Option<Transfer>,
}

/// What a tender takes back of a payment: parts that add up to the refund, and what is booked besides.
#[derive(Debug)]
pub(super) struct Taken {
    pub parts: Vec<Part>,
    pub besides: Option<Transaction>,
}

/// Lets the internal tenders follow what became of the payments and refunds of an order.
///
/// # Errors
/// Those of the arms; `INSUFFICIENT_BALANCE`.
pub(super) async fn follow(tx: &mut Tx, now: Timestamp, actor: &str, before: &Order, after: &Order) -> Result<()> {
    let mut uses: Vec<Use<'_>> = after
        .payments
        .iter()
        .filter(|payment| payment.tender.is_internal())
        .map(|payment| Use { order: after, payment })
        .collect();
    if uses.is_empty() {
        return Ok(());
    }
    // Cards and contracts are locked in the same order by everybody.
    uses.sort_by_key(|of| (of.payment.tender.as_str(), of.payment.tender.source()));
    let chosen = |wanted: fn(Option<&State>, &State) -> bool| -> Vec<Use<'_>> {
        let was = |of: &Use<'_>| before.payment(of.payment.id).map(|payment| &payment.state);
        uses.iter().filter(|of| wanted(was(of), &of.payment.state)).copied().collect()
    };
    let open = |was: Option<&State>| was.is_none_or(|was| *was == State::Reserved);
    let fresh = chosen(|was, is| was.is_none() && matches!(is, State::Reserved | State::Captured { .. }));
    let captured: Vec<Use<'_>> = chosen(|_, is| matches!(is, State::Captured { .. }))
        .into_iter()
        .filter(|of| open(before.payment(of.payment.id).map(|payment| &payment.state)))
        .collect();
    let failed = chosen(|was, is| was == Some(&State::Reserved) && matches!(is, State::Failed { .. }));
    // Only staff have a card before them that isn't the customer's.
    let shown = !actor.starts_with(MemberId::COLLECTION);
    reserve_all(tx, now, &fresh, shown).await?;
    let mut posted = transfers(&captured);
    for of in &captured {
        posted.extend(commit(tx, now, actor, *of).await?);
    }
    db::ledger::commit(tx, now, &posted).await?;
    let mut voided = transfers(&failed);
    for of in &failed {
        voided.extend(void(tx, now, *of).await?);
    }
    db::ledger::void(tx, now, &voided).await?;
    give_back_all(tx, now, actor, before, &uses).await?;
    for (word, uses) in [("reserved", &fresh), ("captured", &captured), ("voided", &failed)] {
        for of in uses {
            let amount = of.payment.amount;
            audit::record(tx, now, audit_entry(actor, word, *of, amount)).await?;
        }
    }
    Ok(())
}

async fn reserve_all(tx: &mut Tx, now: Timestamp, uses: &[Use<'_>], shown: bool) -> Result<()> {
    let mut made = Vec::new();
    for of in uses {
        let Use { order, payment } = *of;
        let mut entries = Vec::new();
        let Given { parts, besides } = reserve(tx, now, *of, shown).await?;
        for Part { on, amount } in parts {
            entries.push(Entry::debit(on, amount)?);
        }
        let deposits = Account::CustomerDeposits.at(order.store).of(order.customer);
        entries.push(Entry::credit(deposits, payment.amount)?);
        let transaction = Transaction::try_new(Kind::Capture, payment.id, entries)?.of_order(order.id);
        let until = payment.checkout.map_or(now, |checkout| checkout.expire_time) + GRACE;
        made.push(Transfer::try_new(transfer_of(payment), transaction, now, until)?);
        made.extend(besides);
    }
    Ok(db::ledger::reserve(tx, &made).await?)
}

async fn give_back_all(tx: &mut Tx, now: Timestamp, actor: &str, before: &Order, uses: &[Use<'_>]) -> Result<()> {
    let mut booked = Vec::new();
    for of in uses {
        let done = of.order.refunds.iter().filter(|refund| refund.payment == of.payment.id && refund.is_done());
        for refund in done.filter(|refund| before.refund(refund.id).is_none_or(|known| !known.is_done())) {
            let payable = Account::RefundsPayable.at(of.order.store).of(of.order.customer);
            let mut entries = vec![Entry::debit(payable, refund.amount)?];
            let Taken { parts, besides } = give_back(tx, now, actor, *of, refund).await?;
            for Part { on, amount } in parts {
                entries.push(Entry::credit(on, amount)?);
            }
            booked.push(Transaction::try_new(Kind::RefundDone, refund.id, entries)?.of_order(of.order.id));
            booked.extend(besides);
            audit::record(tx, now, audit_entry(actor, "given_back", *of, refund.amount)).await?;
        }
    }
    db::ledger::post_all(tx, now, &booked).await?;
    Ok(())
}

fn transfer_of(payment: &Payment) -> LedgerTransferId {
    LedgerTransferId::derive(payment.id.uuid(), "capture")
}

fn transfers(uses: &[Use<'_>]) -> Vec<LedgerTransferId> {
    uses.iter().map(|of| transfer_of(of.payment)).collect()
}

fn audit_entry(actor: &str, word: &str, of: Use<'_>, amount: Money) -> AuditEntry {
    let Use { order, payment } = of;
    AuditEntry {
        actor: actor.to_owned(),
        action: format!("payment.tender.{word}"),
        target: order.id.name(),
        detail: json!({
            "payment": payment.id.name(),
            "tender": payment.tender.as_str(),
            "source": payment.tender.source(),
            "currency": amount.currency().code(),
            "amount_minor": amount.minor(),
        }),
    }
}

async fn reserve(tx: &mut Tx, now: Timestamp, of: Use<'_>, shown: bool) -> Result<Given> {
    match of.payment.tender {
        Tender::StoredValue(card) => {
            let parts = stored_value::reserve(tx, now, of, card, shown).await?;
            Ok(Given { parts, besides: None })
        }
        Tender::PrepaidSession { contract, item } => prepaid_session::reserve(tx, now, of, contract, item).await,
        Tender::PointsVoucher | Tender::Coupon(_) => {
            let parts = peer::reserve(tx, now, of).await?;
            Ok(Given { parts, besides: None })
        }
        other => Err(not_offered(other)),
    }
}

/// What was set aside is spent. Returns what is to be posted besides.
async fn commit(tx: &mut Tx, now: Timestamp, actor: &str, of: Use<'_>) -> Result<Option<LedgerTransferId>> {
    match of.payment.tender {
        Tender::StoredValue(_) => stored_value::commit(tx, now, of).await.map(|()| None),
        Tender::PrepaidSession { .. } => prepaid_session::commit(tx, now, actor, of).await,
        Tender::PointsVoucher | Tender::Coupon(_) => peer::commit(tx, now, of).await.map(|()| None),
        other => Err(not_offered(other)),
    }
}

/// What was set aside is free again. Returns what is to be voided besides.
async fn void(tx: &mut Tx, now: Timestamp, of: Use<'_>) -> Result<Option<LedgerTransferId>> {
    match of.payment.tender {
        Tender::StoredValue(_) => stored_value::void(tx, now, of).await.map(|()| None),
        Tender::PrepaidSession { .. } => prepaid_session::void(tx, now, of).await,
        Tender::PointsVoucher | Tender::Coupon(_) => peer::void(tx, now, of).await.map(|()| None),
        other => Err(not_offered(other)),
    }
}

/// Where a refund goes back to.
async fn give_back(tx: &mut Tx, now: Timestamp, actor: &str, of: Use<'_>, refund: &Refund) -> Result<Taken> {
    match of.payment.tender {
        Tender::StoredValue(_) => {
            let parts = stored_value::give_back(tx, now, of, refund).await?;
            Ok(Taken { parts, besides: None })
        }
        Tender::PrepaidSession { .. } => prepaid_session::give_back(tx, now, actor, of, refund).await,
        Tender::PointsVoucher | Tender::Coupon(_) => {
            let parts = peer::give_back(tx, now, of, refund).await?;
            Ok(Taken { parts, besides: None })
        }
        other => Err(not_offered(other)),
    }
}

fn not_offered(tender: Tender) -> Error {
    Error::precondition("TENDER_NOT_OFFERED", "one can't pay in this way here; choose another")
        .with("tender", tender.as_str())
}
