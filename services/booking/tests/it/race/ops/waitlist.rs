//! Those who wait for a time that is taken.

use jiff::SignedDuration;
use proto::booking::v1::{
    self as pb, booking_service_client::BookingServiceClient as Bookings,
    waitlist_service_client::WaitlistServiceClient as Waitlist,
};
use rpc::convert::to_timestamp;

use super::{
    super::{dice::Decision, ledger::Known, run::Client},
    Tried,
    visits::pay_for,
};
use crate::world::id;

/// Gets into the line for what somebody was refused, or for a quarter of an hour that may be free.
pub(super) async fn wait(client: &Client, decision: &Decision) -> Tried {
    let shop = &client.run.shop;
    let missed = client.run.ledger.told().missed.clone();
    let any = (decision.pick(decision.whom, &shop.items).cloned().unwrap_or_default(), shop.start(decision));
    let (item, start) = match decision.chance(75) {
        true => decision.pick(decision.which, &missed).cloned().unwrap_or(any),
        false => any,
    };
    let id = id();
    let request = pb::JoinWaitlistRequest {
        store: shop.world.store.clone(),
        item,
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

/// Somebody who waits finds an offer, and mostly takes it; from then on its booking is one like any other.
pub(super) async fn hear(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    let entries = client.run.ledger.told().entries.clone();
    for (name, token) in entries {
        let call = |channel, request| async move { Waitlist::new(channel).get_waitlist_entry(request).await };
        let offered = match client.repeat(&token, pb::GetWaitlistEntryRequest { name }, call).await {
            Ok(entry) if entry.state() == pb::waitlist_entry::State::Offered => entry.booking,
            Ok(_) => continue,
            Err(status) => return Tried::Refused(status),
        };
        let call = |channel, request| async move { Bookings::new(channel).get_booking(request).await };
        let request = pb::GetBookingRequest { name: offered };
        return match client.read((&world.admin, &token), request, call).await {
            Ok(booking) if decision.chance(60) => pay_for(client, Known { booking, token }).await,
            read => read.into(),
        };
    }
    Tried::Nothing
}

pub(super) async fn leave(client: &Client, decision: &Decision) -> Tried {
    let entries = client.run.ledger.told().entries.clone();
    let Some((name, token)) = decision.pick(decision.which, &entries).cloned() else { return Tried::Nothing };
    let id = id();
    let request = pb::LeaveWaitlistRequest { name, request_id: id.clone() };
    let call = |channel, request| async move { Waitlist::new(channel).leave_waitlist(request).await };
    client.send(&token, (&id, request), call).await.into()
}
