//! What must be true after each run, whatever happened in it.

mod never;
mod queue;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use booking::{
    db,
    domain::{
        booking::State,
        span::{Span, minute},
    },
    flows::present_visit,
    peers::Return,
    worker::{close_missed, expire_bookings, keep_queues, keep_waitlist, run_tasks},
};
use kernel::{Timestamp, Uuid, ids::BookingId};
use pg::PgConnection;
use rpc::convert::to_timestamp;
use tonic::Code;

use self::never::{CAME, NEVER};
use super::{ledger::why, run::Run};
use crate::{
    fakes::Asked,
    world::{World, at, at_minute, member},
};

/// What goes on by itself, until this is 0.
const UNSETTLED: &str = "select (select count(*) from booking where state in ('HELD', 'AWAITING_PAYMENT'))
                              + (select count(*) from task where done_time is null)";
/// So much time passes at once, and so often at most.
const ROUND: Duration = Duration::from_secs(10 * 60);
const ROUNDS: usize = 100;

/// Everything that is wrong after a run: first as it was left, then when all that goes on by itself has come to its end.
pub async fn all(run: &Run) -> Vec<String> {
    let mut wrong = std::mem::take(&mut run.ledger.told().faults);
    wrong.extend(now(run).await);
    wrong.extend(offered_and_had(&run.shop.world).await);
    wrong.extend(queue::goes_on(&run.shop.world).await);
    if let Err(error) = settle(&run.shop.world).await {
        wrong.push(format!("the worker failed: {}", error.chain()));
    }
    wrong.extend(now(run).await);
    wrong.extend(orders(run).await);
    wrong
}

/// What came about, and how often.
pub async fn came(run: &Run) -> BTreeMap<String, u64> {
    let counts = sqlx::query_as::<_, (String, i64)>(CAME).fetch_all(run.shop.world.app.pg.pool()).await;
    let counts = counts.expect("counts").into_iter();
    counts.map(|(what, count)| (what.to_lowercase(), u64::try_from(count).unwrap_or_default())).collect()
}

async fn now(run: &Run) -> Vec<String> {
    let world = &run.shop.world;
    let mut wrong = Vec::new();
    for (what, sql) in NEVER {
        match world.count(sql).await {
            0 => {}
            count => wrong.push(format!("{count} {what}")),
        }
    }
    let mut conn = world.app.pg.conn().await.expect("a connection");
    wrong.extend(requests(run, &mut conn).await);
    wrong.extend(answers(run, &mut conn).await);
    wrong.extend(lines(run, &mut conn).await);
    wrong.extend(unasked(run, &mut conn).await);
    wrong.extend(kept(&mut conn).await);
    wrong
}

/// What was answered is stored with its answer, and what was refused left no trace.
async fn requests(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let stored: BTreeSet<String> = sqlx::query_scalar::<_, Uuid>("select request_id from idempotency_key")
        .fetch_all(conn)
        .await
        .expect("the requests")
        .into_iter()
        .map(|id| id.to_string())
        .collect();
    let told = run.ledger.told();
    let lost = told.answered.iter().filter(|id| !stored.contains(*id)).map(|id| format!("answered, not stored: {id}"));
    let traces = told.refused.iter().filter(|id| stored.contains(*id) && !told.answered.contains(id));
    lost.chain(traces.map(|id| format!("refused, and stored all the same: {id}"))).collect()
}

/// Every acknowledged booking exists: each step that an answer told of is in its history, and the newest answer is how it
/// is, unless it went on since.
async fn answers(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let (answers, paid) = {
        let told = run.ledger.told();
        (told.answers.clone(), told.paid.clone())
    };
    let mut wrong = Vec::new();
    for answer in answers {
        let id = BookingId::parse_name("name", &answer.name).expect("a booking's name");
        let Some(booking) = db::booking::get(conn, id).await.expect("a booking") else {
            wrong.push(format!("{id} was acknowledged and is lost"));
            continue;
        };
        let history = db::booking::history(conn, id).await.expect("a history");
        let told = booking::rpc::convert::to_booking(&booking, &history);
        let begun = told.history.starts_with(&answer.history);
        let length = i64::try_from(answer.history.len()).expect("small");
        if !begun || length != answer.version || booking.version < answer.version {
            wrong.push(format!("{id} was another at version {} than its answer says", answer.version));
        } else if booking.version == answer.version && told != answer {
            wrong.push(format!("{id} is not what was answered:\n  {told:?}\n  {answer:?}"));
        }
    }
    for name in paid {
        let id = BookingId::parse_name("name", &name).expect("a booking's name");
        let booking = db::booking::get(conn, id).await.expect("a booking");
        if booking.is_none_or(|booking| matches!(booking.state, State::Held | State::AwaitingPayment)) {
            wrong.push(format!("{id} is paid, and not confirmed"));
        }
    }
    wrong
}

/// Whoever was told that he stands in a line does, or did.
async fn lines(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let lines = "select 'waitlistEntries/' || id from waitlist_entry union all
                 select 'queueTickets/' || id from queue_ticket union all select 'bookingGroups/' || id from booking_group";
    let stored: Vec<String> = sqlx::query_scalar(lines).fetch_all(conn).await.expect("lines");
    let stored: BTreeSet<String> = stored.into_iter().collect();
    let told = run.ledger.told();
    let all = told.entries.iter().chain(&told.tickets).chain(&told.groups);
    all.filter(|(name, _)| !stored.contains(name))
        .map(|(name, _)| format!("{name} was acknowledged and is lost"))
        .collect()
}

/// Nobody's visit goes to another time, place or state unless somebody asked for that and was answered. What goes on by
/// itself (orders, holds that end, offers, being called) is not meant.
async fn unasked(run: &Run, conn: &mut PgConnection) -> Vec<String> {
    let asked: BTreeSet<(String, i64)> =
        run.ledger.told().answers.iter().map(|answer| (answer.name.clone(), answer.version)).collect();
    let steps = "select 'bookings/' || booking_id, version, state || ' ' || reason from booking_history
                 where reason in ('HOLD_EXTENDED', 'RESCHEDULED', 'MOVED', 'EXTENDED')
                    or (state in ('CHECKED_IN', 'IN_SERVICE', 'COMPLETED') and reason <> 'WALK_IN')";
    let steps: Vec<(String, i64, String)> = sqlx::query_as(steps).fetch_all(conn).await.expect("steps");
    let unasked = steps.into_iter().filter(|(name, version, _)| !asked.contains(&(name.clone(), *version)));
    unasked.map(|(name, version, step)| format!("nobody asked for version {version} of {name}: {step}")).collect()
}

async fn every_booking(conn: &mut PgConnection) -> Vec<BookingId> {
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from booking order by id").fetch_all(conn).await.expect("ids");
    ids.into_iter().map(BookingId::from_uuid).collect()
}

/// A row exists exactly as long as its booking keeps the time, and for all that its item needs.
async fn kept(conn: &mut PgConnection) -> Vec<String> {
    let mut wrong = Vec::new();
    for id in every_booking(conn).await {
        let Some(booking) = db::booking::get(conn, id).await.expect("a booking") else { continue };
        let rows: Vec<(Uuid, jiff_sqlx::Timestamp, jiff_sqlx::Timestamp)> =
            sqlx::query_as("select resource_id, start_time, end_time from allocation where booking_id = $1")
                .bind(id.uuid())
                .fetch_all(&mut *conn)
                .await
                .expect("rows");
        let rows: BTreeSet<(Uuid, Span)> = rows
            .into_iter()
            .map(|(resource, start, end)| (resource, Span::new(minute(start.to_jiff()), minute(end.to_jiff()))))
            .collect();
        let keeps = !matches!(booking.state, State::Cancelled | State::Expired | State::NoShow);
        let needed: BTreeSet<(Uuid, Span)> = if keeps {
            let present = match present_visit::read(conn, &booking, &[]).await {
                Ok(present) => present,
                Err(error) => {
                    wrong.push(format!("{id} is kept otherwise than its item is given: {}", error.chain()));
                    continue;
                }
            };
            let visit = present.visit.extended(i64::from(booking.extension_minutes));
            present.assignment.allocations(&visit, minute(booking.start_time)).into_iter().collect()
        } else {
            BTreeSet::new()
        };
        if rows != needed {
            wrong.push(format!("{id} is {:?} and keeps {rows:?} instead of {needed:?}", booking.state));
        }
    }
    wrong
}

/// Now that nobody else wants anything: a time that is shown can be had, and one that is not shown can't.
async fn offered_and_had(world: &World) -> Vec<String> {
    let now = kernel::Clock::now(&*world.clock);
    let (from, to) = (at(0).max(now), at(6));
    let shown: Vec<_> = world.search(from, to).await.into_iter().filter_map(|slot| slot.start_time).collect();
    let grid = (0..72).map(|step| at_minute(step * 5)).filter(|start| *start >= from);
    let (shown, hidden): (Vec<Timestamp>, Vec<Timestamp>) =
        grid.partition(|start| shown.contains(&to_timestamp(*start)));
    let mut wrong = Vec::new();
    for start in hidden.into_iter().step_by(17) {
        match world.send_hold(&member().1, world.hold(start)).await {
            Err(refused) if refused.code() == Code::FailedPrecondition => {}
            other => wrong.push(format!("{start} was not shown, and a hold of it ended in {other:?}")),
        }
    }
    if let Some(start) = shown.into_iter().next()
        && let Err(refused) = world.send_hold(&member().1, world.hold(start)).await
    {
        wrong.push(format!("{start} was shown, and a hold of it was refused: {}", why(&refused)));
    }
    wrong
}

/// Lets time pass until all holds have ended, those of offers too that come of it, and all orders that are due are closed.
async fn settle(world: &World) -> kernel::Result<()> {
    for _ in 0..ROUNDS {
        keep_waitlist(&world.app).await?;
        keep_queues(&world.app).await?;
        while expire_bookings(&world.app).await? + close_missed(&world.app).await? + run_tasks(&world.app).await? > 0 {}
        if world.count(UNSETTLED).await == 0 {
            return Ok(());
        }
        world.clock.advance(ROUND);
    }
    Err(kernel::Error::internal("holds and tasks come to no end"))
}

/// Whoever has a time has an open order, and whoever has none any more has none: with all that is due on its way back.
async fn orders(run: &Run) -> Vec<String> {
    let world = &run.shop.world;
    let open: BTreeSet<Uuid> = world.fake.open_orders().into_iter().map(|order| order.uuid()).collect();
    let asked = world.fake.asked();
    let mut wrong = Vec::new();
    let mut conn = world.app.pg.conn().await.expect("a connection");
    for id in every_booking(&mut conn).await {
        let Some(now) = db::booking::get(&mut conn, id).await.expect("a booking") else { continue };
        let order = now.order();
        let made = asked.iter().any(|asked| matches!(asked, Asked::Create(new) if new.id == order));
        let keeps = !matches!(now.state, State::Cancelled | State::Expired | State::NoShow);
        match (keeps, made, open.contains(&order.uuid())) {
            (true, true, true) | (false, true, false) | (false, false, false) => {}
            (_, made, open) => wrong.push(format!("{id} is {:?}; order made: {made}, open: {open}", now.state)),
        }
        let whole = asked.iter().any(|asked| matches!(asked, Asked::Close(closed, Return::All, _) if *closed == order));
        if now.state == State::Expired && made && !whole {
            wrong.push(format!("{id} ran out, and not all comes back"));
        }
    }
    wrong
}
