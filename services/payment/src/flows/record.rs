//! Storing what a transition of an order brought about: rows, ledger, events and audit, all in its transaction.

use kernel::{Error, Result, Timestamp};
use pg::{
    Tx,
    audit::{self, Entry},
    outbox::{self, NewEvent},
};
use proto::payment::v1 as pb;
use rpc::convert::to_money;
use serde_json::json;

use super::{
    commission::take_back::take_back, drawer::follow::follow as follow_cash, invoice::excess::take_back_excess,
    prepaid::follow_order::follow_order_in_tx, stored_value::follow_order, tenders,
};
use crate::{
    db,
    domain::{Event, Happened, Order, Outcome, Subject, ledger::Transaction},
    rpc::convert,
};

/// Stores the outcome of a transition of `before`, an order that this transaction has locked.
pub async fn record(tx: &mut Tx, now: Timestamp, actor: &str, before: &Order, outcome: &Outcome) -> Result<()> {
    db::orders::save(tx, before, &outcome.order).await?;
    if let Subject::Contract(_) = outcome.order.subject {
        follow_order_in_tx(tx, now, actor, outcome).await?;
    }
    if outcome.order.refunds.len() > before.refunds.len() {
        // What was decided to go back takes its proportion of what was earned by the visit.
        take_back(tx, now, &outcome.order).await?;
    }
    let more = follow_order::follow(tx, now, outcome).await?;
    let postings: Vec<Transaction> = outcome.postings.iter().cloned().chain(more).collect();
    db::ledger::post_all(tx, now, &postings).await?;
    follow_cash(tx, now, actor, (before, &outcome.order), &postings).await?;
    take_back_excess(tx, now, actor, before, &outcome.order).await?;
    for posting in &postings {
        audit::record(tx, now, audit_entry(actor, &outcome.order, posting)).await?;
    }
    tenders::follow(tx, now, actor, before, &outcome.order).await?;
    publish(tx, now, outcome).await
}

/// Writes the events of a transition.
pub async fn publish(tx: &mut Tx, now: Timestamp, outcome: &Outcome) -> Result<()> {
    for event in &outcome.events {
        outbox::append(tx, encode(now, &outcome.order, event)?).await?;
    }
    Ok(())
}

fn encode(now: Timestamp, order: &Order, event: &Event) -> Result<NewEvent> {
    let facts = Some(convert::order_facts(order, &event.facts));
    let missing = |what: String| Error::internal(format!("{what} is not of {}", order.id));
    let payment = |id| order.payment(id).ok_or_else(|| missing(format!("{id}")));
    let (id, version) = (order.id.uuid(), event.version);
    Ok(match &event.happened {
        Happened::Created => NewEvent::new(id, version, now, &pb::OrderCreated { order: facts }),
        Happened::Amended(line) => {
            let amended = pb::OrderAmended { order: facts, line: Some(convert::line(line)) };
            NewEvent::new(id, version, now, &amended)
        }
        Happened::Paid => NewEvent::new(id, version, now, &pb::OrderPaid { order: facts }),
        Happened::Closed => {
            let reason = convert::close_reason(&event.facts.state);
            NewEvent::new(id, version, now, &pb::OrderClosed { order: facts, reason })
        }
        Happened::Captured(of) => {
            let payment = payment(*of)?;
            let captured = pb::PaymentCaptured {
                order: facts,
                payment: of.name(),
                amount: Some(to_money(payment.amount)),
                purpose: convert::purpose(payment.purpose).into(),
                tender: convert::tender(payment.tender).into(),
            };
            NewEvent::new(id, version, now, &captured)
        }
        Happened::PaymentFailed(of) => {
            let reason = convert::failure_reason(payment(*of)?);
            NewEvent::new(id, version, now, &pb::PaymentFailed { order: facts, payment: of.name(), reason })
        }
        Happened::Returned(of) => {
            let made = order.returns.iter().find(|made| made.id == *of).ok_or_else(|| missing(format!("{of}")))?;
            let returned = pb::OrderReturned {
                order: facts,
                order_return: of.name(),
                amount: Some(to_money(made.amount)),
                lines: convert::giving_back::lines(&made.lines),
                reason: made.reason.clone(),
            };
            NewEvent::new(id, version, now, &returned)
        }
        Happened::Refunded(of) => {
            let refund = order.refund(*of).ok_or_else(|| missing(format!("{of}")))?;
            let succeeded = pb::RefundSucceeded {
                order: facts,
                refund: of.name(),
                payment: refund.payment.name(),
                amount: Some(to_money(refund.amount)),
                reason: refund.reason.clone(),
            };
            NewEvent::new(id, version, now, &succeeded)
        }
    })
}

fn audit_entry(actor: &str, order: &Order, posting: &Transaction) -> Entry {
    let entries: Vec<_> = posting
        .entries()
        .iter()
        .map(|entry| json!({ "account": entry.on.account.code(), "amount_minor": entry.amount.minor() }))
        .collect();
    Entry {
        actor: actor.to_owned(),
        action: format!("payment.{}", posting.kind().as_str()),
        target: order.id.name(),
        detail: json!({ "source": posting.source(), "currency": order.currency().code(), "entries": entries }),
    }
}
