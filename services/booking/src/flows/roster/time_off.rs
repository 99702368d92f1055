//! A therapist asks for time off; a manager decides; it can be taken back.
//!
//! Accounts of staff know their store but not which therapist they are, so a request names the therapist. Therapists see
//! and take back only the requests that they made themselves.

use kernel::{
    Error, Result, Timestamp,
    ids::{StoreId, TherapistId, TimeOffId},
};
use proto::{access::Role, booking::v1 as pb};
use rpc::Caller;

use super::{blocks, events, therapist};
use crate::{
    App, db,
    domain::{
        etag,
        roster::{
            block::{Kind, Resource, check_times},
            time_off::{Decision, State, TimeOff},
        },
    },
    flows::{
        Once,
        edit::{Frame, Started},
    },
    rpc::convert::roster::to_time_off,
};

/// Asks.
pub async fn request(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::CreateTimeOffRequestRequest>,
    of: TherapistId,
    (start_time, end_time): (Timestamp, Timestamp),
    reason: String,
) -> Result<pb::TimeOffRequest> {
    let therapist = therapist(app, caller, of).await?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    check_times("time_off_request", start_time, end_time, edit.now)?;
    let request = TimeOff {
        id: TimeOffId::new(edit.now),
        therapist: of,
        store: therapist.store,
        start_time,
        end_time,
        reason,
        requester: caller.subject().to_owned(),
        create_time: edit.now,
        state: State::Requested,
        version: 1,
    };
    db::time_off::insert(&mut edit.tx, &request).await?;
    events::time_off(&mut edit.tx, &request, edit.now).await?;
    edit.finish(caller, "time_off.request", request.id.name(), to_time_off(&request)).await
}

/// Grants it: the time can't be booked any more.
pub async fn approve(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::ApproveTimeOffRequestRequest>,
    id: TimeOffId,
    given_etag: &str,
    reason: String,
) -> Result<pb::TimeOffRequest> {
    let (mut edit, request) = match begin(app, caller, &once, id, given_etag).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(edit, request) => (*edit, *request),
    };
    let terms = blocks::Terms {
        resource: Resource::Therapist(request.therapist),
        kind: Kind::TimeOff,
        start_time: request.start_time,
        end_time: request.end_time,
        reason: String::new(),
    };
    let block = blocks::made(request.store, terms, edit.now);
    let request = request.approve(decision(caller, &edit, reason), block.id)?;
    blocks::insert(&mut edit, &block).await?;
    finish(edit, caller, "time_off.approve", &request).await
}

/// Refuses it.
pub async fn reject(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::RejectTimeOffRequestRequest>,
    id: TimeOffId,
    given_etag: &str,
    reason: String,
) -> Result<pb::TimeOffRequest> {
    let (edit, request) = match begin(app, caller, &once, id, given_etag).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(edit, request) => (*edit, *request),
    };
    let request = request.reject(decision(caller, &edit, reason))?;
    finish(edit, caller, "time_off.reject", &request).await
}

/// Takes it back; what was kept for it is free again.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::WithdrawTimeOffRequestRequest>,
    id: TimeOffId,
    given_etag: &str,
) -> Result<pb::TimeOffRequest> {
    let (mut edit, before) = match begin(app, caller, &once, id, given_etag).await? {
        Begun::Before(reply) => return Ok(reply),
        Begun::Now(edit, request) => (*edit, *request),
    };
    let kept = before.state.block();
    let request = before.withdraw(edit.now)?;
    db::time_off::save(&mut edit.tx, &request).await?;
    if let Some(id) = kept {
        let block = db::block::get(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
        blocks::remove(&mut edit, &block).await?;
    }
    events::time_off(&mut edit.tx, &request, edit.now).await?;
    edit.finish(caller, "time_off.withdraw", request.id.name(), to_time_off(&request)).await
}

/// Reads a request that the caller may see.
pub async fn known(app: &App, caller: &Caller, id: TimeOffId) -> Result<TimeOff> {
    let request = db::time_off::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    caller.see_own(None, Some(request.store))?;
    match only_own(caller) {
        Some(subject) if subject != request.requester => Err(Error::not_found(id)),
        _ => Ok(request),
    }
}

/// Lists the requests at a store that the caller may see, in one state if that is given.
pub async fn list(
    app: &App,
    caller: &Caller,
    store: StoreId,
    state: Option<&str>,
    after: Option<(Timestamp, kernel::Uuid)>,
    limit: i64,
) -> Result<Vec<TimeOff>> {
    caller.see_own(None, Some(store))?;
    Ok(db::time_off::list(&mut *app.pg.conn().await?, store, only_own(caller), state, after, limit).await?)
}

/// The caller's name, if he sees but his own requests: a therapist who is nothing else.
fn only_own(caller: &Caller) -> Option<&str> {
    caller.roles().iter().all(|role| *role == Role::Therapist).then(|| caller.subject())
}

enum Begun<R> {
    Before(R),
    Now(Box<Frame>, Box<TimeOff>),
}

async fn begin<Q: prost::Message, R: prost::Message + Default>(
    app: &App,
    caller: &Caller,
    once: &Once<'_, Q>,
    id: TimeOffId,
    given_etag: &str,
) -> Result<Begun<R>> {
    let known = known(app, caller, id).await?;
    let mut edit = match Frame::begin(app, once).await? {
        Started::Before(reply) => return Ok(Begun::Before(reply)),
        Started::Now(edit) => edit,
    };
    db::roster::own(&mut edit.tx, known.store).await?;
    let request = db::time_off::lock(&mut edit.tx, id).await?.ok_or_else(|| Error::not_found(id))?;
    etag::check("etag", given_etag, request.version)?;
    Ok(Begun::Now(edit, Box::new(request)))
}

fn decision(caller: &Caller, edit: &Frame, reason: String) -> Decision {
    Decision { decider: caller.subject().to_owned(), decide_time: edit.now, reason }
}

async fn finish(mut edit: Frame, caller: &Caller, action: &str, request: &TimeOff) -> Result<pb::TimeOffRequest> {
    db::time_off::save(&mut edit.tx, request).await?;
    events::time_off(&mut edit.tx, request, edit.now).await?;
    edit.finish(caller, action, request.id.name(), to_time_off(request)).await
}
