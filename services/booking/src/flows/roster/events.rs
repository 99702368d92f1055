//! What others hear of the roster. Every version of a shift, pattern, block or request has exactly one event.

use kernel::{Result, Timestamp};
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use proto::booking::v1 as pb;
use rpc::convert::to_timestamp;

use crate::{
    domain::roster::{
        block::Block,
        pattern::ShiftPattern,
        shift::Shift,
        time_off::{State, TimeOff},
    },
    rpc::convert::roster::{to_block_kind, to_date, to_time_off_state},
};

/// A shift came (`before` is missing), changed, or went (`after` is missing).
pub async fn shift_changed(tx: &mut Tx, before: Option<&Shift>, after: Option<&Shift>, now: Timestamp) -> Result<()> {
    let facts = |shift: &Shift| pb::ShiftFacts {
        shift: shift.id.name(),
        therapist: shift.therapist.name(),
        store: shift.store.name(),
        start_time: Some(to_timestamp(shift.start_time)),
        end_time: Some(to_timestamp(shift.end_time)),
    };
    let Some((id, version)) = of(before, after, |shift| (shift.id.uuid(), shift.version)) else { return Ok(()) };
    let event = pb::ShiftChanged { before: before.map(facts), after: after.map(facts) };
    Ok(outbox::append(tx, NewEvent::new(id, version, now, &event)).await.map(drop)?)
}

/// A pattern came (`before` is missing), changed, or went (`after` is missing).
pub async fn pattern_changed(
    tx: &mut Tx,
    before: Option<&ShiftPattern>,
    after: Option<&ShiftPattern>,
    now: Timestamp,
) -> Result<()> {
    let facts = |pattern: &ShiftPattern| pb::ShiftPatternFacts {
        shift_pattern: pattern.id.name(),
        therapist: pattern.therapist.name(),
        store: pattern.store.name(),
        start_date: Some(to_date(pattern.start_date)),
        end_date: pattern.end_date.map(to_date),
    };
    let Some((id, version)) = of(before, after, |pattern| (pattern.id.uuid(), pattern.version)) else { return Ok(()) };
    let event = pb::ShiftPatternChanged { before: before.map(facts), after: after.map(facts) };
    Ok(outbox::append(tx, NewEvent::new(id, version, now, &event)).await.map(drop)?)
}

/// A block came (`before` is missing), changed, or went (`after` is missing). Breaks of shifts are told of by these.
pub async fn block_changed(tx: &mut Tx, before: Option<&Block>, after: Option<&Block>, now: Timestamp) -> Result<()> {
    let facts = |block: &Block| pb::BlockFacts {
        block: block.id.name(),
        resource: block.resource.name(),
        store: block.store.name(),
        kind: to_block_kind(block.kind).into(),
        start_time: Some(to_timestamp(block.start_time)),
        end_time: Some(to_timestamp(block.end_time)),
    };
    let Some((id, version)) = of(before, after, |block| (block.id.uuid(), block.version)) else { return Ok(()) };
    let event = pb::BlockChanged { before: before.map(facts), after: after.map(facts) };
    Ok(outbox::append(tx, NewEvent::new(id, version, now, &event)).await.map(drop)?)
}

/// A request for time off is where it is now.
pub async fn time_off(tx: &mut Tx, request: &TimeOff, now: Timestamp) -> Result<()> {
    let facts = Some(pb::TimeOffFacts {
        time_off_request: request.id.name(),
        therapist: request.therapist.name(),
        store: request.store.name(),
        start_time: Some(to_timestamp(request.start_time)),
        end_time: Some(to_timestamp(request.end_time)),
        state: to_time_off_state(&request.state).into(),
    });
    let (id, version) = (request.id.uuid(), request.version);
    let event = match request.state {
        State::Requested => NewEvent::new(id, version, now, &pb::TimeOffRequested { time_off: facts }),
        State::Approved { .. } | State::Rejected(_) => {
            NewEvent::new(id, version, now, &pb::TimeOffDecided { time_off: facts })
        }
        State::Withdrawn(_) => NewEvent::new(id, version, now, &pb::TimeOffWithdrawn { time_off: facts }),
    };
    Ok(outbox::append(tx, event).await.map(drop)?)
}

/// The aggregate, and the version that the change makes of it: that of what is there now, or the one after the last.
fn of<T, K>(before: Option<&T>, after: Option<&T>, key: impl Fn(&T) -> (K, i64)) -> Option<(K, i64)> {
    match (before.map(&key), after.map(&key)) {
        (_, Some(now)) => Some(now),
        (Some((id, version)), None) => Some((id, version + 1)),
        (None, None) => None,
    }
}
