//! What goes on in the house: time passes, and staff edit the roster.

use std::time::Duration;

use booking::worker::{close_missed, expire_bookings, keep_queues, keep_waitlist, run_tasks};
use proto::booking::v1::{
    self as pb, catalog_service_client::CatalogServiceClient as Catalog,
    roster_service_client::RosterServiceClient as Roster,
};
use rpc::convert::to_timestamp;

use super::{
    super::{dice::Decision, run::Client, shop::tomorrow},
    Tried,
};
use crate::world::id;

/// Some minutes go by, and the worker makes its steps.
pub(super) async fn tick(client: &Client, decision: &Decision) -> Tried {
    let world = &client.run.shop.world;
    world.clock.advance(Duration::from_secs(60 * (decision.when % 11)));
    client.redo("expiry", || expire_bookings(&world.app)).await;
    client.redo("closing the missed", || close_missed(&world.app)).await;
    client.redo("tasks", || run_tasks(&world.app)).await;
    client.redo("the waitlist", || keep_waitlist(&world.app)).await;
    client.redo("the queues", || keep_queues(&world.app)).await;
    Tried::Done
}

pub(super) async fn block(client: &Client, decision: &Decision) -> Tried {
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

pub(super) async fn unblock(client: &Client, decision: &Decision) -> Tried {
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
pub(super) async fn shift(client: &Client, decision: &Decision) -> Tried {
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
            let (start, end) = tomorrow();
            let shift = pb::Shift {
                therapist: therapist.clone(),
                start_time: Some(to_timestamp(start)),
                end_time: Some(to_timestamp(end)),
                ..pb::Shift::default()
            };
            let request = pb::CreateShiftRequest { shift: Some(shift), request_id: id.clone() };
            let call = |channel, request| async move { Catalog::new(channel).create_shift(request).await };
            let made = client.send(&shop.world.admin, (&id, request), call).await;
            if let Ok(shift) = &made {
                client.run.ledger.told().shifts.push((therapist, shift.name.clone()));
            }
            made.into()
        }
    }
}
