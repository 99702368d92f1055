//! What clients do. An operation is a small function and a row of [`OPS`].

use std::time::Duration;

use booking::worker::{close_missed, expire_bookings, keep_waitlist, run_tasks};
use futures_util::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use proto::booking::v1::{
    self as pb,
    booking::State::{self, AwaitingPayment, CheckedIn, Confirmed, Expired, Held, InService},
    booking_service_client::BookingServiceClient as Bookings,
    group_service_client::GroupServiceClient as Groups,
    life_cycle_service_client::LifeCycleServiceClient as LifeCycle,
    roster_service_client::RosterServiceClient as Roster,
    waitlist_service_client::WaitlistServiceClient as Waitlist,
};
use rpc::convert::{money, to_timestamp};
use tonic::Status;

use super::{
    dice::Decision,
    ledger::{Known, why},
    run::Client,
};
use crate::world::id;

/// Something that clients do.
pub struct Op {
    /// What it is called in a report.
    pub name: &'static str,
    /// How often it is done, compared with the others.
    pub weight: u64,
    /// For what reasons it may be refused; for bad input, the field.
    pub refusals: &'static [&'static str],
    /// Does it.
    pub run: for<'a> fn(&'a Client, &'a Decision) -> BoxFuture<'a, Tried>,
}

/// What came of it.
#[derive(Debug)]
pub enum Tried {
    /// It was done.
    Done,
    /// It was refused.
    Refused(Status),
    /// There was nothing at hand.
    Nothing,
}

impl<T> From<Result<T, Status>> for Tried {
    fn from(outcome: Result<T, Status>) -> Self {
        outcome.map_or_else(Self::Refused, |_| Self::Done)
    }
}

// A time that can't be had, or not any more.
const TAKEN: &str = "SLOT_TAKEN";
const OFF: &str = "NOT_ON_SHIFT";
const CLOSED: &str = "OUTSIDE_OPENING_HOURS";
const WORKED: &str = "WORK_LIMIT";
const PAST: &str = "start_time";
const NO_TIME: [&str; 5] = [TAKEN, OFF, CLOSED, WORKED, PAST];

/// All that clients do.
pub const OPS: [Op; 20] = [
    Op {
        name: "hold",
        weight: 30,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold(client, decision)),
    },
    Op {
        name: "hold twice at once",
        weight: 4,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_twice(client, decision)),
    },
    Op { name: "pay", weight: 20, refusals: &[], run: |client, decision| Box::pin(pay(client, decision)) },
    Op {
        name: "hold too many",
        weight: 1,
        refusals: &["TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_too_many(client, decision)),
    },
    Op {
        name: "hold group",
        weight: 6,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_group(client, decision)),
    },
    Op {
        name: "cancel group",
        weight: 2,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(cancel_group(client, decision)),
    },
    Op {
        name: "wait",
        weight: 7,
        refusals: &["TIMES_FREE", "ON_WAITLIST", OFF, CLOSED, WORKED, "end_time"],
        run: |client, decision| Box::pin(wait(client, decision)),
    },
    Op { name: "hear of offer", weight: 7, refusals: &[], run: |client, decision| Box::pin(hear(client, decision)) },
    Op {
        name: "leave the line",
        weight: 2,
        refusals: &["WRONG_STATE", "WAITLIST_SERVED"],
        run: |client, decision| Box::pin(leave(client, decision)),
    },
    Op {
        name: "extend hold",
        weight: 3,
        refusals: &["WRONG_STATE", "HOLD_ENDED", "HOLD_LIMIT"],
        run: |client, decision| Box::pin(extend_hold(client, decision)),
    },
    Op {
        name: "cancel",
        weight: 8,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(cancel(client, decision)),
    },
    Op {
        name: "reschedule",
        weight: 14,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "WRONG_STATE", "HOLD_ENDED", "TOO_LATE"],
        run: |client, decision| Box::pin(reschedule(client, decision)),
    },
    Op {
        name: "move",
        weight: 10,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "WRONG_STATE", "HOLD_ENDED"],
        run: |client, decision| Box::pin(move_visit(client, decision)),
    },
    Op {
        name: "go on",
        weight: 14,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(go_on(client, decision)),
    },
    Op {
        name: "extend",
        weight: 6,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, "WRONG_STATE"],
        run: |client, decision| Box::pin(extend(client, decision)),
    },
    Op {
        name: "no-show",
        weight: 4,
        refusals: &["WRONG_STATE", "TOO_EARLY"],
        run: |client, decision| Box::pin(no_show(client, decision)),
    },
    Op { name: "time passes", weight: 8, refusals: &[], run: |client, decision| Box::pin(tick(client, decision)) },
    Op {
        name: "block",
        weight: 4,
        refusals: &["STRANDS_BOOKINGS", "block.start_time", "block.end_time"],
        run: |client, decision| Box::pin(block(client, decision)),
    },
    Op {
        name: "unblock",
        weight: 3,
        refusals: &["NOT_FOUND"],
        run: |client, decision| Box::pin(unblock(client, decision)),
    },
    Op {
        name: "shift",
        weight: 7,
        refusals: &["STRANDS_BOOKINGS", "SHIFT_OVERLAPS", "NOT_FOUND"],
        run: |client, decision| Box::pin(shift(client, decision)),
    },
];

fn wanted(client: &Client, decision: &Decision) -> pb::HoldSlotRequest {
    let shop = &client.run.shop;
    let therapist = if decision.chance(30) { decision.pick(decision.which, &shop.world.therapists) } else { None };
    pb::HoldSlotRequest {
        store: shop.world.store.clone(),
        item: decision.pick(decision.whom, &shop.items).cloned().unwrap_or_default(),
        start_time: Some(to_timestamp(shop.start(decision))),
        therapist: therapist.cloned().unwrap_or_default(),
        request_id: id(),
        ..pb::HoldSlotRequest::default()
    }
}

/// Whoever was answered finds his booking at once.
async fn send_hold(client: &Client, request: &pb::HoldSlotRequest) -> Result<pb::Booking, Status> {
    let token = (client.token.as_str(), client.token.as_str());
    let held = client
        .change(token, (&request.request_id, request.clone()), |channel, request| async move {
            Bookings::new(channel).hold_slot(request).await
        })
        .await?;
    let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
    let found = client.read(token, pb::GetBookingRequest { name: held.name.clone() }, call).await;
    if !found.as_ref().is_ok_and(|found| found.version >= held.version) {
        client.run.ledger.fault(format!("{} was acknowledged, and then: {found:?}", held.name));
    }
    Ok(held)
}

async fn hold(client: &Client, decision: &Decision) -> Tried {
    send_hold(client, &wanted(client, decision)).await.into()
}

/// The same request, sent twice at once, has one effect, and from then on one answer. One of the two may be refused: it
/// may have come before the time was given back.
async fn hold_twice(client: &Client, decision: &Decision) -> Tried {
    let request = wanted(client, decision);
    let (one, other) = tokio::join!(send_hold(client, &request), send_hold(client, &request));
    let answers: Vec<pb::Booking> = [&one, &other].into_iter().flatten().cloned().collect();
    if answers.is_empty() {
        return one.into();
    }
    let again = send_hold(client, &request).await;
    if !again.as_ref().is_ok_and(|again| answers.iter().all(|answer| answer == again)) {
        client.run.ledger.fault(format!("one request had these answers: {one:?}, {other:?}, {again:?}"));
    }
    Tried::Done
}

/// More at once than one customer may have.
async fn hold_too_many(client: &Client, decision: &Decision) -> Tried {
    let requests: Vec<pb::HoldSlotRequest> =
        (0..7).map(|n| wanted(client, &Decision { when: decision.when.wrapping_add(n * 13), ..*decision })).collect();
    let mut tried = Tried::Done;
    for outcome in join_all(requests.iter().map(|request| send_hold(client, request))).await {
        match outcome {
            Err(status) if !NO_TIME.contains(&why(&status).as_str()) => tried = Tried::Refused(status),
            _ => {}
        }
    }
    tried
}

/// Two or three who come together, within a quarter of an hour.
async fn hold_group(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let guest = |n| pb::GroupGuest {
        item: decision.pick(decision.whom.wrapping_add(n), &shop.items).cloned().unwrap_or_default(),
        ..pb::GroupGuest::default()
    };
    let id = id();
    let request = pb::HoldGroupRequest {
        store: shop.world.store.clone(),
        guests: (0..2 + decision.which % 2).map(guest).collect(),
        within_minutes: if decision.chance(50) { 15 } else { 0 },
        start_time: Some(to_timestamp(shop.start(decision))),
        payer: pb::booking_group::Payer::One.into(),
        request_id: id.clone(),
        ..pb::HoldGroupRequest::default()
    };
    let call = |channel, request| async move { Groups::new(channel).hold_group(request).await };
    let held = client.send(&client.token, (&id, request), call).await;
    if let Ok(group) = &held {
        group.bookings.iter().for_each(|booking| client.run.ledger.note(booking, &client.token));
        client.run.ledger.told().groups.push((group.name.clone(), client.token.clone()));
    }
    held.into()
}

async fn cancel_group(client: &Client, decision: &Decision) -> Tried {
    let groups = client.run.ledger.told().groups.clone();
    let Some((name, token)) = decision.pick(decision.which, &groups).cloned() else { return Tried::Nothing };
    let id = id();
    let request = pb::CancelGroupRequest { name, request_id: id.clone(), ..Default::default() };
    let call = |channel, request| async move { Groups::new(channel).cancel_group(request).await };
    let gone = client.send(&token, (&id, request), call).await;
    if let Ok(group) = &gone {
        group.bookings.iter().for_each(|booking| client.run.ledger.note(booking, &token));
    }
    gone.into()
}

/// Gets into the line for a quarter of an hour that is taken.
async fn wait(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let (id, start) = (id(), shop.start(decision));
    let request = pb::JoinWaitlistRequest {
        store: shop.world.store.clone(),
        item: decision.pick(decision.whom, &shop.items).cloned().unwrap_or_default(),
        start_time: Some(to_timestamp(start)),
        end_time: Some(to_timestamp(start + SignedDuration::from_mins(15))),
        request_id: id.clone(),
        ..pb::JoinWaitlistRequest::default()
    };
    let call = |channel, request| async move { Waitlist::new(channel).join_waitlist(request).await };
    let joined = client.send(&client.token, (&id, request), call).await;
    if let Ok(entry) = &joined {
        client.run.ledger.told().entries.push((entry.name.clone(), client.token.clone()));
    }
    joined.into()
}

/// Looks whether there is an offer; from then on its booking is one like any other.
async fn hear(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let entries = client.run.ledger.told().entries.clone();
    let Some((name, token)) = decision.pick(decision.which, &entries).cloned() else { return Tried::Nothing };
    let call = |channel, request| async move { Waitlist::new(channel).get_waitlist_entry(request).await };
    let name = match client.repeat(&token, pb::GetWaitlistEntryRequest { name }, call).await {
        Ok(entry) if entry.booking.is_empty() => return Tried::Nothing,
        Ok(entry) => entry.booking,
        Err(status) => return Tried::Refused(status),
    };
    let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
    client.read((&world.admin, &token), pb::GetBookingRequest { name }, call).await.into()
}

async fn leave(client: &Client, decision: &Decision) -> Tried {
    let entries = client.run.ledger.told().entries.clone();
    let Some((name, token)) = decision.pick(decision.which, &entries).cloned() else { return Tried::Nothing };
    let id = id();
    let request = pb::LeaveWaitlistRequest { name, request_id: id.clone() };
    let call = |channel, request| async move { Waitlist::new(channel).leave_waitlist(request).await };
    client.send(&token, (&id, request), call).await.into()
}

async fn pay(client: &Client, decision: &Decision) -> Tried {
    let run = &client.run;
    let Some(Known { booking, token }) = run.ledger.pick(decision, &[Held, AwaitingPayment, Expired]) else {
        return Tried::Nothing;
    };
    let deposit = money("deposit", booking.deposit.as_ref()).map_or(0, kernel::Money::minor);
    run.shop.world.fake.pay(&booking.order, deposit);
    client.redo("a deposit", || run.shop.world.try_paid(&booking, deposit)).await;
    run.ledger.told().paid.push(booking.name.clone());
    let request = pb::GetBookingRequest { name: booking.name };
    let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
    client.read((&run.shop.world.admin, &token), request, call).await.into()
}

async fn extend_hold(client: &Client, decision: &Decision) -> Tried {
    let Some(known) = client.run.ledger.pick(decision, &[Held, AwaitingPayment]) else { return Tried::Nothing };
    let id = id();
    let request = pb::ExtendHoldRequest { name: known.booking.name, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).extend_hold(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

async fn cancel(client: &Client, decision: &Decision) -> Tried {
    let states = [Held, AwaitingPayment, Confirmed];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let id = id();
    let request = pb::CancelBookingRequest { name: known.booking.name, request_id: id.clone(), ..Default::default() };
    let call = |channel, request| async move { Bookings::new(channel).cancel_booking(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

async fn reschedule(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let states = [Held, AwaitingPayment, Confirmed];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let therapist = if decision.chance(30) { decision.pick(decision.whom, &shop.world.therapists) } else { None };
    let id = id();
    let request = pb::RescheduleBookingRequest {
        name: known.booking.name,
        start_time: Some(to_timestamp(shop.start(decision))),
        therapist: therapist.cloned().unwrap_or_default(),
        request_id: id.clone(),
        max_price: None,
    };
    let call = |channel, request| async move { LifeCycle::new(channel).reschedule_booking(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

/// Staff move it to another time, therapist or room; now and then onto others.
async fn move_visit(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let states = [Held, AwaitingPayment, Confirmed, CheckedIn];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let id = id();
    let mut request = pb::MoveBookingRequest { name: known.booking.name, request_id: id.clone(), ..Default::default() };
    match decision.whom % 3 {
        0 => request.start_time = Some(to_timestamp(client.run.shop.start(decision))),
        1 => request.therapist = decision.pick(decision.when, &world.therapists).cloned().unwrap_or_default(),
        _ => request.room = decision.pick(decision.when, &world.rooms).cloned().unwrap_or_default(),
    }
    if decision.chance(10) {
        request.overbook_reason = "she is a friend".to_owned();
    }
    let call = |channel, request| async move { LifeCycle::new(channel).move_booking(request).await };
    client.change((&world.admin, &known.token), (&id, request), call).await.into()
}

/// Check in, start, complete: whatever comes next.
async fn go_on(client: &Client, decision: &Decision) -> Tried {
    let desk = &client.run.shop.world.admin;
    let Some(known) = client.run.ledger.pick(decision, &[Confirmed, CheckedIn, InService]) else {
        return Tried::Nothing;
    };
    let (id, name, state) = (id(), known.booking.name.clone(), known.booking.state());
    let who = (desk.as_str(), known.token.as_str());
    let request_id = id.clone();
    match state {
        State::Confirmed => {
            let call = |channel, request| async move { Bookings::new(channel).check_in_booking(request).await };
            client.change(who, (&id, pb::CheckInBookingRequest { name, request_id }), call).await.into()
        }
        State::CheckedIn => {
            let call = |channel, request| async move { Bookings::new(channel).start_booking(request).await };
            client.change(who, (&id, pb::StartBookingRequest { name, request_id }), call).await.into()
        }
        // Runs on, so that it can be made longer.
        _ if !decision.chance(40) => Tried::Nothing,
        _ => {
            let call = |channel, request| async move { Bookings::new(channel).complete_booking(request).await };
            client.change(who, (&id, pb::CompleteBookingRequest { name, request_id }), call).await.into()
        }
    }
}

async fn extend(client: &Client, decision: &Decision) -> Tried {
    let Some(known) = client.run.ledger.pick(decision, &[InService]) else { return Tried::Nothing };
    let id = id();
    let minutes = i32::try_from(decision.whom % 6 * 5 + 5).unwrap_or(5);
    let by = Some(pb::extend_booking_request::By::Minutes(minutes));
    let request = pb::ExtendBookingRequest { name: known.booking.name, by, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).extend_booking(request).await };
    client.change((&client.run.shop.world.admin, &known.token), (&id, request), call).await.into()
}

async fn no_show(client: &Client, decision: &Decision) -> Tried {
    let Some(known) = client.run.ledger.pick(decision, &[Confirmed]) else { return Tried::Nothing };
    let id = id();
    let request = pb::MarkNoShowRequest { name: known.booking.name, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).mark_no_show(request).await };
    client.change((&client.run.shop.world.admin, &known.token), (&id, request), call).await.into()
}

/// Some minutes go by, and the worker makes its steps.
async fn tick(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    world.clock.advance(Duration::from_secs(60 * (decision.when % 6)));
    client.redo("expiry", || expire_bookings(&world.app)).await;
    client.redo("closing the missed", || close_missed(&world.app)).await;
    client.redo("tasks", || run_tasks(&world.app)).await;
    client.redo("the waitlist", || keep_waitlist(&world.app)).await;
    Tried::Done
}

async fn block(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let block = pb::Block {
        resource: decision.pick(decision.which, &shop.resources).cloned().unwrap_or_default(),
        kind: pb::block::Kind::Other.into(),
        start_time: Some(to_timestamp(shop.start(decision))),
        end_time: Some(to_timestamp(shop.end(decision))),
        ..pb::Block::default()
    };
    let id = id();
    let request = pb::CreateBlockRequest { block: Some(block), request_id: id.clone() };
    let call = |channel, request| async move { Roster::new(channel).create_block(request).await };
    let made = client.send(&shop.world.admin, (&id, request), call).await;
    if let Ok(block) = &made {
        client.run.ledger.told().blocks.push(block.name.clone());
    }
    made.into()
}

async fn unblock(client: &Client, decision: &Decision) -> Tried {
    let blocks = client.run.ledger.told().blocks.clone();
    let Some(name) = decision.pick(decision.which, &blocks).cloned() else { return Tried::Nothing };
    let id = id();
    let request = pb::DeleteBlockRequest { name: name.clone(), request_id: id.clone(), ..Default::default() };
    let call = |channel, request| async move { Roster::new(channel).delete_block(request).await };
    let gone = client.send(&client.run.shop.world.admin, (&id, request), call).await;
    if gone.is_ok() {
        client.run.ledger.told().blocks.retain(|known| *known != name);
    }
    gone.into()
}

/// Takes a shift of the second day away, or gives it back.
async fn shift(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let Some(therapist) = decision.pick(decision.which, &shop.world.therapists).cloned() else { return Tried::Nothing };
    let shifts = client.run.ledger.told().shifts.clone();
    let id = id();
    match shifts.into_iter().find(|(of, _)| *of == therapist) {
        Some((_, name)) => {
            let request = pb::DeleteShiftRequest { name: name.clone(), request_id: id.clone(), ..Default::default() };
            let call = |channel, request| async move { Roster::new(channel).delete_shift(request).await };
            let gone = client.send(&shop.world.admin, (&id, request), call).await;
            if gone.is_ok() {
                client.run.ledger.told().shifts.retain(|(_, known)| *known != name);
            }
            gone.into()
        }
        None => {
            let (start, end) = super::shop::tomorrow();
            let shift = pb::Shift {
                therapist: therapist.clone(),
                start_time: Some(to_timestamp(start)),
                end_time: Some(to_timestamp(end)),
                ..pb::Shift::default()
            };
            let request = pb::CreateShiftRequest { shift: Some(shift), request_id: id.clone() };
            let call = |channel, request| async move {
                pb::catalog_service_client::CatalogServiceClient::new(channel).create_shift(request).await
            };
            let made = client.send(&shop.world.admin, (&id, request), call).await;
            if let Ok(shift) = &made {
                client.run.ledger.told().shifts.push((therapist, shift.name.clone()));
            }
            made.into()
        }
    }
}
