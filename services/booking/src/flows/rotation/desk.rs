//! What the front desk does to a turn list.

use kernel::{
    Error, Result,
    ids::{StoreId, TherapistId},
};
use pg::{
    audit,
    idempotency::{self, Begin},
};
use prost::Message;
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{Note, follow_shifts_in_tx, read, write};
use crate::{App, db, domain::assignment::rotation::Deed, flows::Once, rpc::convert::rotation::name};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtDesk {
    /// Put on at the end.
    Join,
    /// Taken off.
    Leave,
    /// Passed over from now on.
    Skip,
    /// Not passed over any more.
    Resume,
    /// He refused his turn.
    Penalise,
    /// Moved to this place, from 1.
    Move(usize),
}

impl AtDesk {
    fn action(self) -> &'static str {
        match self {
            Self::Join => "rotation.join",
            Self::Leave => "rotation.leave",
            Self::Skip => "rotation.skip",
            Self::Resume => "rotation.resume",
            Self::Penalise => "rotation.penalise",
            Self::Move(_) => "rotation.move",
        }
    }
}

/// Changes the place of a therapist. Fails as [`crate::domain::assignment::rotation::Rotation::plan`] does.
pub async fn change_turn<Q: Message>(
    app: &App,
    caller: &Caller,
    once: Once<'_, Q>,
    (store, therapist): (StoreId, TherapistId),
    deed: AtDesk,
    reason: &str,
) -> Result<pb::Rotation> {
    caller.see_own(None, Some(store))?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let known = db::catalog::get_therapist(&mut tx, therapist).await?.ok_or_else(|| Error::not_found(therapist))?;
    if known.store != store {
        return Err(Error::invalid("therapist", "works at another store; name one of this store"));
    }
    db::rotation::lock(&mut tx, store).await?;
    let mut rotation = follow_shifts_in_tx(&mut tx, store, now).await?;
    let planned = match deed {
        AtDesk::Join => Deed::Join,
        AtDesk::Leave => Deed::Leave,
        AtDesk::Skip => Deed::Skip,
        AtDesk::Resume => Deed::Resume,
        AtDesk::Penalise => Deed::Refuse(db::rotation::rules(&mut tx, store).await?.refusal),
        AtDesk::Move(place) => Deed::Move(place),
    };
    let change = rotation.plan(therapist, planned)?;
    // The shift in which he comes or goes has done its part: it does not put him on again.
    let shift_start = match deed {
        AtDesk::Join | AtDesk::Leave => db::rotation::shift_at(&mut tx, store, therapist, now).await?,
        _ => None,
    };
    let note = Note { booking: None, shift_start, actor: caller.subject().to_owned(), reason: reason.to_owned(), now };
    write(&mut tx, store, &mut rotation, change, note).await?;
    let entry = audit::Entry {
        actor: caller.subject().to_owned(),
        action: deed.action().to_owned(),
        target: name(store),
        detail: json!({
            "therapist": therapist.name(),
            "version": rotation.version,
            "place_before": change.before,
            "place_after": change.after,
        }),
    };
    audit::record(&mut tx, now, entry).await?;
    let reply = read::view(&mut tx, store, rotation, now).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    Ok(reply)
}
