//! What becomes of a visit.

use jiff::SignedDuration;
use proto::booking::v1::{
    self as pb,
    booking::State::{self, AwaitingPayment, CheckedIn, Confirmed, Expired, Held, InService},
    booking_service_client::BookingServiceClient as Bookings,
    life_cycle_service_client::LifeCycleServiceClient as LifeCycle,
};
use rpc::convert::{money, timestamp, to_timestamp};

use super::{
    super::{dice::Decision, ledger::Known, run::Client},
    Tried,
};
use crate::world::id;

pub(super) async fn pay(client: &Client, decision: &Decision) -> Tried {
    match client.run.ledger.pick(decision, &[Held, AwaitingPayment, Expired]) {
        Some(known) => pay_for(client, known).await,
        None => Tried::Nothing,
    }
}

/// The deposit of a visit is paid.
pub(super) async fn pay_for(client: &Client, Known { booking, token }: Known) -> Tried {
    let run = &client.run;
    let deposit = money("deposit", booking.deposit.as_ref()).map_or(0, kernel::Money::minor);
    run.shop.world.fake.pay(&booking.order, deposit);
    client.redo("a deposit", || run.shop.world.try_paid(&booking, deposit)).await;
    run.ledger.told().paid.push(booking.name.clone());
    let request = pb::GetBookingRequest { name: booking.name };
    let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
    client.read((&run.shop.world.admin, &token), request, call).await.into()
}

/// A new start for a visit: any, or one so near that the visit would be in its own way.
fn another_start(client: &Client, decision: &Decision, booking: &pb::Booking) -> Option<prost_types::Timestamp> {
    if decision.chance(50) {
        return Some(to_timestamp(client.run.shop.start(decision)));
    }
    let start = timestamp("start_time", booking.start_time.as_ref()).ok()?;
    let later = i64::try_from(decision.when % 12).ok()? * 5 - 25;
    Some(to_timestamp(start + SignedDuration::from_mins(later)))
}

pub(super) async fn extend_hold(client: &Client, decision: &Decision) -> Tried {
    let Some(known) = client.run.ledger.pick(decision, &[Held, AwaitingPayment]) else { return Tried::Nothing };
    let id = id();
    let request = pb::ExtendHoldRequest { name: known.booking.name, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).extend_hold(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

pub(super) async fn cancel(client: &Client, decision: &Decision) -> Tried {
    let states = [Held, AwaitingPayment, Confirmed];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let id = id();
    let request = pb::CancelBookingRequest { name: known.booking.name, request_id: id.clone(), ..Default::default() };
    let call = |channel, request| async move { Bookings::new(channel).cancel_booking(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

pub(super) async fn reschedule(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let states = [Held, AwaitingPayment, Confirmed];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let therapist = if decision.chance(30) { decision.pick(decision.whom, &shop.world.therapists) } else { None };
    let id = id();
    let request = pb::RescheduleBookingRequest {
        start_time: another_start(client, decision, &known.booking),
        name: known.booking.name,
        therapist: therapist.cloned().unwrap_or_default(),
        request_id: id.clone(),
        max_price: None,
    };
    let call = |channel, request| async move { LifeCycle::new(channel).reschedule_booking(request).await };
    client.change((&known.token, &known.token), (&id, request), call).await.into()
}

/// Staff move it to another time, therapist or room; now and then onto others.
pub(super) async fn move_visit(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let states = [Held, AwaitingPayment, Confirmed, CheckedIn];
    let Some(known) = client.run.ledger.pick(decision, &states) else { return Tried::Nothing };
    let id = id();
    let start_time = another_start(client, decision, &known.booking);
    let mut request = pb::MoveBookingRequest { name: known.booking.name, request_id: id.clone(), ..Default::default() };
    match decision.whom % 3 {
        0 => request.start_time = start_time,
        1 => request.therapist = decision.pick(decision.when, &world.therapists).cloned().unwrap_or_default(),
        _ => request.room = decision.pick(decision.when, &world.rooms).cloned().unwrap_or_default(),
    }
    if decision.chance(30) {
        request.overbook_reason = "she is a friend".to_owned();
    }
    let call = |channel, request| async move { LifeCycle::new(channel).move_booking(request).await };
    client.change((&world.admin, &known.token), (&id, request), call).await.into()
}

/// Check in, start, complete: whatever comes next.
pub(super) async fn go_on(client: &Client, decision: &Decision) -> Tried {
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

pub(super) async fn extend(client: &Client, decision: &Decision) -> Tried {
    let Some(known) = client.run.ledger.pick(decision, &[InService]) else { return Tried::Nothing };
    let id = id();
    let minutes = i32::try_from(decision.whom % 6 * 5 + 5).unwrap_or(5);
    let by = Some(pb::extend_booking_request::By::Minutes(minutes));
    let request = pb::ExtendBookingRequest { name: known.booking.name, by, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).extend_booking(request).await };
    client.change((&client.run.shop.world.admin, &known.token), (&id, request), call).await.into()
}

/// Whoever should have come first has not.
pub(super) async fn no_show(client: &Client, _: &Decision) -> Tried {
    let Some(known) = client.run.ledger.first(&[Confirmed]) else { return Tried::Nothing };
    let id = id();
    let request = pb::MarkNoShowRequest { name: known.booking.name, request_id: id.clone() };
    let call = |channel, request| async move { LifeCycle::new(channel).mark_no_show(request).await };
    client.change((&client.run.shop.world.admin, &known.token), (&id, request), call).await.into()
}
