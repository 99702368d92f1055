//! The queue, now that nobody else does anything: what everybody in it was told comes true.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use kernel::{Clock as _, Timestamp};
use proto::booking::v1 as pb;
use rpc::convert::timestamp;
use testkit::with_token;

use super::super::ledger::why;
use crate::world::{World, id};

/// So many are called at most, of those who can begin within so many minutes.
const CALLS: usize = 6;
const SOON: SignedDuration = SignedDuration::from_mins(45);

/// Whoever can begin first is called at the time that he was told, and begins then. That makes the first in line wait no
/// longer, and touches nothing that appointments keep.
pub async fn goes_on(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let until = world.clock.now() + SOON;
    let before = kept(world).await;
    for _ in 0..CALLS {
        let line = line(world).await;
        let starts = line.iter().filter_map(|ticket| Some((begins(ticket)?, ticket)));
        let Some((start, due)) = starts.min_by_key(|(start, ticket)| (*start, ticket.position)) else { break };
        if start > until {
            break;
        }
        if start > world.clock.now() {
            world.clock.set(start);
        }
        let request = pb::CallNextRequest { store: world.store.clone(), request_id: id() };
        let called = match world.walk_ins().call_next(with_token(request, &world.admin)).await {
            Ok(called) => called.into_inner(),
            Err(refused) => {
                wrong.push(format!("{due:?} was to begin at {start}, and was not called: {}", why(&refused)));
                break;
            }
        };
        let visit = world.get(&called.booking).await;
        if called.name != due.name || visit.start_time != due.expected_time {
            wrong.push(format!("{due:?} was due at {start}, and it came to {called:?}, {visit:?}"));
        }
        wrong.extend(delayed(&line, &self::line(world).await));
    }
    let now = kept(world).await;
    wrong.extend(before.difference(&now).map(|lost| format!("the queue took this from an appointment: {lost:?}")));
    wrong
}

/// What is wrong if the first who waited is told a later time than before.
fn delayed(before: &[pb::QueueTicket], now: &[pb::QueueTicket]) -> Option<String> {
    let first = before.first()?;
    let still = now.iter().find(|ticket| ticket.name == first.name)?;
    let later = match (begins(first), begins(still)) {
        (Some(before), Some(now)) => before < now,
        (before, now) => before.is_some() && now.is_none(),
    };
    later.then(|| format!("somebody was called before {first:?}, who must wait for longer now: {still:?}"))
}

fn begins(ticket: &pb::QueueTicket) -> Option<Timestamp> {
    ticket.expected_time.as_ref().and_then(|start| timestamp("expected_time", Some(start)).ok())
}

async fn line(world: &World) -> Vec<pb::QueueTicket> {
    let request = pb::ListQueueTicketsRequest { store: world.store.clone() };
    let line = world.walk_ins().list_queue_tickets(with_token(request, &world.admin)).await;
    line.expect("a list").into_inner().tickets
}

/// All that is kept, in words.
async fn kept(world: &World) -> BTreeSet<String> {
    let rows = sqlx::query_scalar::<_, String>("select allocation::text from allocation");
    rows.fetch_all(world.app.pg.pool()).await.expect("rows").into_iter().collect()
}
