//! A row that fails does not hold up those behind it.

use booking::worker::{close_missed, expire_bookings, keep_queues, keep_waitlist, run_tasks};
use proto::booking::v1::{booking::State, waitlist_entry};

use crate::{
    waitlist, walk_in,
    world::{World, at, member},
};

const BROKEN: &str = "create function broken() returns trigger language plpgsql as $$
                      begin raise exception 'broken'; end $$;";

/// Copies a row 150 times, each copy a minute earlier in these columns than the one before, so that all are due before it
/// and fail whenever they are changed.
async fn broken_before(world: &World, table: &str, name: &str, columns: [&str; 2]) {
    let id = name.split('/').next_back().and_then(|id| kernel::Uuid::try_parse(id).ok()).expect("an id");
    let earlier = columns.map(|column| format!("'{column}', t.{column} - n * interval '1 minute'")).join(", ");
    // Nobody may wait in one queue twice.
    let customer = if table == "booking" { "" } else { "'customer_id', gen_random_uuid(), " };
    let copies = format!(
        "insert into {table} select (jsonb_populate_record(t, jsonb_build_object(
             'id', gen_random_uuid(), {customer} {earlier}))).*
         from {table} t, generate_series(1, 150) n where t.id = '{id}';
         {BROKEN}
         create trigger broken before update on {table} for each row when (old.id <> '{id}')
         execute function broken()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(copies)).execute(world.app.pg.pool()).await.expect("copies");
}

#[tokio::test]
async fn a_hold_ends_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(3))).await.expect("held");
    broken_before(&world, "booking", &held.name, ["hold_expire_time", "start_time"]).await;
    world.clock.advance(std::time::Duration::from_secs(600));
    expire_bookings(&world.app).await.expect_err("some fail");
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    assert_eq!(world.count("select count(*) from booking where state = 'AWAITING_PAYMENT'").await, 150);
}

#[tokio::test]
async fn a_missed_visit_is_closed_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    broken_before(&world, "booking", &booking.name, ["hold_expire_time", "start_time"]).await;
    world.clock.set(at(4));
    close_missed(&world.app).await.expect_err("some fail");
    assert_eq!(world.get(&booking.name).await.state(), State::NoShow);
}

#[tokio::test]
async fn waiting_ends_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    world.confirmed(&member().1, at(3)).await;
    let entry = waitlist::joined(&world, &member().1, at(3)).await;
    run_tasks(&world.app).await.expect("tasks");
    broken_before(&world, "waitlist_entry", &entry, ["start_time", "end_time"]).await;
    world.clock.set(at(4));
    keep_waitlist(&world.app).await.expect_err("some fail");
    assert_eq!(waitlist::entry(&world, &entry).await.state(), waitlist_entry::State::Over);
}

#[tokio::test]
async fn a_ticket_of_yesterday_ends_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    world.clock.set(at(1));
    let ticket = walk_in::join(&world, 0).await.name;
    broken_before(&world, "queue_ticket", &ticket, ["join_time", "close_time"]).await;
    world.clock.set(at(12));
    keep_queues(&world.app).await.expect_err("some fail");
    let over = "select count(*) from queue_ticket where state = 'OVER'";
    assert_eq!(world.count(over).await, 1);
}

/// Whoever's entry is broken is passed over, and the next gets the time.
#[tokio::test]
async fn an_offer_is_made_behind_an_entry_that_fails() {
    let world = World::new(1, 1).await;
    let (holder, time) = (member().1, at(3));
    let booking = world.confirmed(&holder, time).await;
    let (broken, next) = (member().1, member().1);
    let line = [waitlist::joined(&world, &broken, time).await, waitlist::joined(&world, &next, time).await];
    let id = line[0].split('/').next_back().expect("an id");
    let trigger = format!(
        "{BROKEN} create trigger broken before update on waitlist_entry for each row when (old.id = '{id}')
         execute function broken()"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(trigger)).execute(world.app.pg.pool()).await.expect("a trigger");
    world.cancel(&holder, &booking.name).await.expect("cancelled");
    run_tasks(&world.app).await.expect("tasks");
    assert_eq!(waitlist::entry(&world, &line[1]).await.state(), waitlist_entry::State::Offered);
    assert_eq!(waitlist::entry(&world, &line[0]).await.state(), waitlist_entry::State::Waiting);
}
