//! Those who come without a booking.

use kernel::ids::MemberId;
use proto::booking::v1::{
    self as pb, booking_service_client::BookingServiceClient as Bookings,
    walk_in_service_client::WalkInServiceClient as WalkIns,
};
use rpc::convert::timestamp;

use super::{
    super::{dice::Decision, run::Client},
    Tried,
};
use crate::world::id;

/// Somebody comes in, of whichever tier; now and then it is urgent, or it must be one therapist.
pub(super) async fn come_in(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let tier = u8::try_from(decision.when % 4).unwrap_or_default();
    world.fake.tiers.lock().expect("not poisoned").insert(client.member, tier);
    let therapist = if decision.chance(30) { decision.pick(decision.which, &world.therapists) } else { None };
    let id = id();
    let request = pb::JoinQueueRequest {
        store: world.store.clone(),
        customer: client.member.name(),
        item: decision.pick(decision.whom, &client.run.shop.items).cloned().unwrap_or_default(),
        therapist: therapist.cloned().unwrap_or_default(),
        urgent_reason: if decision.chance(5) { "her back" } else { "" }.to_owned(),
        request_id: id.clone(),
        ..pb::JoinQueueRequest::default()
    };
    let call = |channel, request| async move { WalkIns::new(channel).join_queue(request).await };
    let joined = client.send(&world.admin, (&id, request), call).await;
    if let Ok(ticket) = &joined {
        client.run.ledger.told().tickets.push((ticket.name.clone(), client.token.clone()));
    }
    joined.into()
}

/// The desk calls the next, who is here and has a visit then; from then on it is one like any other. Now and then the
/// desk asks twice at once, which calls one.
pub(super) async fn call_next(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let asked = kernel::Clock::now(&*world.clock);
    let id = id();
    let request = pb::CallNextRequest { store: world.store.clone(), request_id: id.clone() };
    let call = |channel, request| async move { WalkIns::new(channel).call_next(request).await };
    let send = || client.send(&world.admin, (&id, request.clone()), call);
    let called = match decision.chance(30) {
        false => send().await,
        true => match tokio::join!(send(), send()) {
            (Ok(one), Ok(other)) if one != other => {
                client.run.ledger.fault(format!("one call had these answers: {one:?}, {other:?}"));
                Ok(one)
            }
            (Err(_), other) => other,
            (one, _) => one,
        },
    };
    let ticket = match called {
        Ok(ticket) => ticket,
        Err(status) => return Tried::Refused(status),
    };
    let owner = MemberId::parse_name("customer", &ticket.customer).expect("a member");
    let owner = testkit::keys().member_token(owner);
    let request = pb::GetBookingRequest { name: ticket.booking.clone() };
    let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
    let visit = client.read((&world.admin, &owner), request, call).await;
    let is_his = |visit: &pb::Booking| {
        let start = timestamp("start_time", visit.start_time.as_ref());
        visit.customer == ticket.customer
            && visit.channel() == pb::booking::Channel::WalkIn
            && start.is_ok_and(|start| start >= asked)
    };
    if !visit.as_ref().is_ok_and(is_his) {
        client.run.ledger.fault(format!("{ticket:?} was called at {asked}, and then: {visit:?}"));
    }
    visit.into()
}

/// He does not answer, or has had enough.
pub(super) async fn pass_over(client: &Client, decision: &Decision) -> Tried {
    let tickets = client.run.ledger.told().tickets.clone();
    let Some((name, token)) = decision.pick(decision.which, &tickets).cloned() else { return Tried::Nothing };
    let id = id();
    let request_id = id.clone();
    if decision.chance(50) {
        let call = |channel, request| async move { WalkIns::new(channel).skip_ticket(request).await };
        let request = (id.as_str(), pb::SkipTicketRequest { name, request_id });
        return client.send(&client.run.shop.world.admin, request, call).await.into();
    }
    let call = |channel, request| async move { WalkIns::new(channel).leave_queue(request).await };
    client.send(&token, (&id, pb::LeaveQueueRequest { name, request_id }), call).await.into()
}
