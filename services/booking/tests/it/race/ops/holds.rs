//! Time that is kept: for one, for some who come together.

use futures_util::future::join_all;
use proto::booking::v1::{
    self as pb, booking_service_client::BookingServiceClient as Bookings,
    group_service_client::GroupServiceClient as Groups,
};
use rpc::convert::to_timestamp;
use tonic::Status;

use super::{
    super::{dice::Decision, ledger::why, run::Client},
    NO_TIME, TAKEN, Tried,
};
use crate::world::id;

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

pub(super) async fn hold(client: &Client, decision: &Decision) -> Tried {
    let request = wanted(client, decision);
    let held = send_hold(client, &request).await;
    if held.as_ref().is_err_and(|refused| why(refused) == TAKEN) {
        client.run.ledger.told().missed.push((request.item, client.run.shop.start(decision)));
    }
    held.into()
}

/// The same request, sent twice at once, has one effect, and from then on one answer. One of the two may be refused: it
/// may have come before the time was given back.
pub(super) async fn hold_twice(client: &Client, decision: &Decision) -> Tried {
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
pub(super) async fn hold_too_many(client: &Client, decision: &Decision) -> Tried {
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
pub(super) async fn hold_group(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    // On the second day fewer others are in the way.
    let start = if decision.chance(50) {
        shop.start(&Decision { when: decision.when & !3, ..*decision })
    } else {
        shop.start(decision)
    };
    let guest = |n| pb::GroupGuest {
        item: decision.pick(decision.whom.wrapping_add(n), &shop.items).cloned().unwrap_or_default(),
        ..pb::GroupGuest::default()
    };
    let id = id();
    let request = pb::HoldGroupRequest {
        store: shop.world.store.clone(),
        guests: (0..2 + decision.which % 2).map(guest).collect(),
        within_minutes: if decision.whom.is_multiple_of(2) { 15 } else { 0 },
        start_time: Some(to_timestamp(start)),
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

pub(super) async fn cancel_group(client: &Client, decision: &Decision) -> Tried {
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
