//! Notes whom a customer likes to have, and whom he doesn't.

use kernel::{
    Error, Result,
    ids::{MemberId, TherapistId},
};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::Once;
use crate::{App, db, domain::assignment::history::Preference, rpc::convert::preference::to_preference};

/// Of how many therapists a customer may have said something.
pub const MOST: usize = 100;

/// Notes what a customer says of a therapist; `None` takes back what he said.
///
/// Fails with `FailedPrecondition`/TOO_MANY_PREFERENCES if he has said something of [`MOST`] others.
pub async fn set_preference(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::SetTherapistPreferenceRequest>,
    customer: MemberId,
    (therapist, preference): (TherapistId, Option<Preference>),
) -> Result<pb::TherapistPreference> {
    caller.see_own(Some(customer), None)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::catalog::get_therapist(&mut tx, therapist).await?.ok_or_else(|| Error::not_found(therapist))?;
    db::preference::set(&mut tx, customer, therapist, preference, now).await?;
    if db::preference::of_customer(&mut tx, customer).await?.len() > MOST {
        return Err(Error::precondition(
            "TOO_MANY_PREFERENCES",
            "something was said of 100 therapists already; take something back first",
        ));
    }
    if caller.member().is_none() {
        let entry = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "preference.set".to_owned(),
            target: customer.name(),
            // Whom he likes is his own affair: the audit log can never be erased.
            detail: json!({}),
        };
        audit::record(&mut tx, now, entry).await?;
    }
    let reply = to_preference(therapist, preference);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
