//! Walk-ins: whoever comes without a booking stands in a queue until he can be served.
//!
//! Every change of a store's queue happens under a lock on its name, so that the order of the line and the numbers are
//! never made twice from one state. A visit is made when a ticket is called, by the one way in which all keep their time
//! ([`super::keep`]): what appointments have is never touched.

pub mod call;
pub mod join;
pub mod leave;
pub mod queue;

use kernel::{Result, Timestamp};
use pg::{
    Tx, audit,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use crate::{db, domain::walk_in::Ticket, rpc::convert::walk_in::to_state};

/// Stores a change of a ticket and tells of it.
async fn save(tx: &mut Tx, ticket: &Ticket, now: Timestamp) -> Result<()> {
    db::walk_in::save(tx, ticket).await?;
    tell(tx, ticket, now).await
}

/// Tells of the state that a ticket came into.
async fn tell(tx: &mut Tx, ticket: &Ticket, now: Timestamp) -> Result<()> {
    let changed = pb::QueueTicketChanged {
        ticket: ticket.id().name(),
        store: ticket.store.name(),
        customer: ticket.customer.name(),
        state: to_state(ticket.state).into(),
        skip_count: ticket.skip_count,
        booking: ticket.booking.map(|booking| booking.name()).unwrap_or_default(),
    };
    outbox::append(tx, NewEvent::new(ticket.id().uuid(), ticket.version, now, &changed)).await?;
    Ok(())
}

/// What others than the customer do goes on record.
async fn on_record(tx: &mut Tx, caller: &Caller, action: &str, ticket: &Ticket, now: Timestamp) -> Result<()> {
    if caller.member().is_some() {
        return Ok(());
    }
    let entry = audit::Entry {
        actor: caller.subject().to_owned(),
        action: action.to_owned(),
        target: ticket.id().name(),
        detail: json!({ "urgent_reason": ticket.urgent_reason, "skip_count": ticket.skip_count }),
    };
    audit::record(tx, now, entry).await?;
    Ok(())
}
