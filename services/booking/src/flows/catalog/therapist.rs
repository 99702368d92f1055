//! Therapists.

use kernel::{Error, Result, Timestamp, ids::TherapistId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::Caller;

use super::{detail, own};
use crate::{
    App, db,
    domain::{
        catalog::{Therapist, check_in_use},
        etag,
        hours::time_zone,
    },
    flows::{
        Once,
        edit::{Frame, Started},
        roster::therapist,
        stranded::{refuse, stranded},
    },
    rpc::convert::{self, Edit, View, to_therapist},
};

/// Takes on a therapist.
pub async fn create_therapist(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateTherapistRequest>,
    therapist: Therapist,
) -> Result<pb::Therapist> {
    caller.see_own(None, Some(therapist.store))?;
    let now = therapist.create_time;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    own(&mut frame.tx, therapist.store).await?;
    db::catalog::insert_therapist(&mut frame.tx, &therapist).await?;
    tell(&mut frame.tx, &therapist, now).await?;
    frame
        .finish_with(
            caller,
            "therapist.create",
            therapist.id.name(),
            detail(therapist.version, &[]),
            to_therapist(&therapist, View::Staff),
        )
        .await
}

/// Changes a therapist, unless he could not give visits any more that are booked with him.
pub async fn update_therapist(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::UpdateTherapistRequest>,
    id: TherapistId,
    edit: Edit<pb::Therapist>,
) -> Result<pb::Therapist> {
    let known = therapist(app, caller, id).await?;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let before = locked(&mut frame.tx, &known, edit.etag()).await?;
    let after = convert::therapist(edit.onto(to_therapist(&before, View::Staff))?, now)?;
    let after = Therapist { id, version: before.version + 1, create_time: before.create_time, ..after };
    check_visits(&mut frame.tx, &before, &after, now).await?;
    db::catalog::update_therapist(&mut frame.tx, &after).await?;
    tell(&mut frame.tx, &after, now).await?;
    frame
        .finish_with(
            caller,
            "therapist.update",
            id.name(),
            detail(after.version, &edit.fields),
            to_therapist(&after, View::Staff),
        )
        .await
}

/// A therapist works here no longer; refused while visits with him are booked.
pub async fn retire_therapist(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RetireTherapistRequest>,
    id: TherapistId,
    given: &str,
) -> Result<pb::Therapist> {
    let known = therapist(app, caller, id).await?;
    let mut frame = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(frame) => *frame,
    };
    let now = frame.now;
    let therapist = locked(&mut frame.tx, &known, given).await?;
    stranded(&mut frame.tx, &[id.uuid()], now, |_| false).await?;
    let therapist = Therapist { version: therapist.version + 1, retire_time: Some(now), ..therapist };
    db::catalog::update_therapist(&mut frame.tx, &therapist).await?;
    tell(&mut frame.tx, &therapist, now).await?;
    frame
        .finish_with(
            caller,
            "therapist.retire",
            id.name(),
            detail(therapist.version, &[]),
            to_therapist(&therapist, View::Staff),
        )
        .await
}

/// A therapist never changes store.
async fn locked(tx: &mut Tx, known: &Therapist, given: &str) -> Result<Therapist> {
    own(tx, known.store).await?;
    let therapist = db::catalog::get_therapist(tx, known.id).await?.ok_or_else(|| Error::not_found(known.id))?;
    etag::check("therapist.etag", given, therapist.version)?;
    check_in_use(therapist.retire_time)?;
    Ok(therapist)
}

/// Refuses to take away a skill or certificate that a booked visit needs on its day.
async fn check_visits(tx: &mut Tx, before: &Therapist, after: &Therapist, now: Timestamp) -> Result<()> {
    if before.skills == after.skills && before.certificates == after.certificates {
        return Ok(());
    }
    let which = db::catalog::Which { therapist: Some(before.id), ..db::catalog::Which::default() };
    let mut lacking = Vec::new();
    for part in db::catalog::live_parts(tx, which, now).await? {
        let day = part.end_time.to_zoned(time_zone("store.time_zone", &part.time_zone)?).date();
        let gives = |therapist: &Therapist| therapist.can_give(&part.skill, part.certificate.as_deref(), day);
        if gives(before) && !gives(after) {
            lacking.push(part.booking);
        }
    }
    refuse(lacking)
}

async fn tell(tx: &mut Tx, therapist: &Therapist, now: Timestamp) -> Result<()> {
    let changed = pb::TherapistChanged {
        therapist: therapist.id.name(),
        store: therapist.store.name(),
        display_name: therapist.display_name.clone(),
        grade: i32::from(therapist.grade),
        skills: therapist.skills.clone(),
        retired: therapist.retire_time.is_some(),
    };
    outbox::append(tx, NewEvent::new(therapist.id.uuid(), therapist.version, now, &changed)).await?;
    Ok(())
}
