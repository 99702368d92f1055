//! A row that fails does not hold up those behind it.

use booking::worker::{close_missed, expire_bookings};
use proto::booking::v1::booking::State;

use crate::world::{World, at, member};

/// Copies a booking 150 times, so that each copy is due before it and fails whenever it is changed.
async fn broken_before(world: &World, name: &str) {
    let id = name.split('/').nth(1).and_then(|id| kernel::Uuid::try_parse(id).ok()).expect("an id");
    let copies = "insert into booking select (jsonb_populate_record(b, jsonb_build_object(
                      'id', gen_random_uuid(), 'device', 'broken',
                      'hold_expire_time', b.hold_expire_time - interval '1 minute',
                      'start_time', b.start_time - interval '1 minute'))).*
                  from booking b, generate_series(1, 150) where b.id = $1";
    sqlx::query(copies).bind(id).execute(world.app.pg.pool()).await.expect("copies");
    let broken = "create function broken() returns trigger language plpgsql as $$
                  begin raise exception 'broken'; end $$;
                  create trigger broken before update on booking for each row when (old.device = 'broken')
                  execute function broken()";
    sqlx::raw_sql(broken).execute(world.app.pg.pool()).await.expect("a trigger");
}

#[tokio::test]
async fn a_hold_ends_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    let held = world.send_hold(&member().1, world.hold(at(3))).await.expect("held");
    broken_before(&world, &held.name).await;
    world.clock.advance(std::time::Duration::from_secs(600));
    expire_bookings(&world.app).await.expect_err("some fail");
    assert_eq!(world.get(&held.name).await.state(), State::Expired);
    assert_eq!(world.count("select count(*) from booking where state = 'AWAITING_PAYMENT'").await, 150);
}

#[tokio::test]
async fn a_missed_visit_is_closed_behind_150_that_fail() {
    let world = World::new(1, 1).await;
    let booking = world.confirmed(&member().1, at(3)).await;
    broken_before(&world, &booking.name).await;
    world.clock.set(at(4));
    close_missed(&world.app).await.expect_err("some fail");
    assert_eq!(world.get(&booking.name).await.state(), State::NoShow);
}
