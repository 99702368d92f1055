//! A data folder of an older version: its tables get the newer shape, nothing in them is lost, and what was booked then
//! can be changed as what is booked now.

use std::{collections::BTreeMap, sync::LazyLock};

use booking::worker::expire_bookings;
use kernel::{
    Uuid,
    ids::{BookingId, ItemId, MemberId, StoreId, TherapistId},
};
use proto::booking::v1::{self as pb, booking::State};
use rpc::convert::to_timestamp;
use serde_json::Value;
use slotlock::SlotLock;
use sqlx::{AssertSqlSafe, migrate::Migrator};
use testkit::{TestDb, with_token};

use crate::world::{World, at, at_minute, id, member, reason};

/// The first migration that the older version did not have.
const NEWER: i64 = 1006;

/// The tables as they were.
static BEFORE: LazyLock<Migrator> = LazyLock::new(|| {
    Migrator::with_migrations(booking::MIGRATOR.iter().filter(|one| one.version < NEWER).cloned().collect())
});

const LEFT: &str = include_str!("upgrade.sql");

/// The ids in `upgrade.sql`.
fn known(n: u128) -> Uuid {
    let digits = n.to_string().bytes().fold(0_u128, |hex, digit| hex * 16 + u128::from(digit - b'0'));
    Uuid::from_u128(0x01a3_fe00_0000_7000_8000_0000_0000_0000 + digits)
}

/// The visit of a number there, and its customer's token.
fn visit(n: u128) -> (String, String) {
    let token = testkit::keys().member_token(MemberId::from_uuid(known(100 + n)));
    (BookingId::from_uuid(known(200 + n)).name(), token)
}

/// All rows of all tables but those of the migrations.
async fn rows(db: &TestDb) -> BTreeMap<String, Vec<Value>> {
    let tables = "select table_name::text from information_schema.tables
                  where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like '\\_%'";
    let names: Vec<String> = sqlx::query_scalar(tables).fetch_all(db.pg.pool()).await.expect("tables");
    let mut rows = BTreeMap::new();
    for name in names {
        let all = AssertSqlSafe(format!("select to_jsonb(t) from {name} t"));
        rows.insert(name, sqlx::query_scalar(all).fetch_all(db.pg.pool()).await.expect("rows"));
    }
    rows
}

/// Whether a row has all that it had.
fn is_same(before: &Value, after: &Value) -> bool {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return false };
    before.iter().all(|(column, value)| after.get(column) == Some(value))
}

async fn older() -> TestDb {
    let db = testkit::database(&BEFORE).await;
    sqlx::raw_sql(LEFT).execute(db.pg.pool()).await.expect("what was left");
    db
}

async fn migrate(db: &TestDb) {
    pg::migrator(&booking::MIGRATOR).run(db.pg.pool()).await.expect("migrated");
}

#[tokio::test]
async fn every_row_of_an_older_version_is_still_there() {
    let db = older().await;
    let before = rows(&db).await;
    assert!(before["booking"].len() == 10 && before["booking_history"].len() == 35 && before["allocation"].len() == 15);
    migrate(&db).await;
    let after = rows(&db).await;
    for (table, before) in before {
        let after = &after[&table];
        assert_eq!(before.len(), after.len(), "{table}");
        for row in before {
            assert!(after.iter().any(|other| is_same(&row, other)), "{table}: {row}");
        }
    }
}

#[tokio::test]
async fn visits_of_an_older_version_live_on() {
    let db = older().await;
    migrate(&db).await;
    let mut world = World::on(db.pg.clone(), 0, 0, SlotLock::new(None, "")).await;
    world.store = StoreId::from_uuid(known(1)).name();
    world.item = ItemId::from_uuid(known(2)).name();
    world.therapists = vec![TherapistId::from_uuid(known(3)).name()];
    for (n, state, steps) in [
        (0, State::Held, 1),
        (1, State::AwaitingPayment, 2),
        (2, State::Confirmed, 3),
        (4, State::CheckedIn, 4),
        (5, State::InService, 5),
        (6, State::Completed, 6),
        (7, State::Cancelled, 4),
        (8, State::NoShow, 4),
        (9, State::Expired, 3),
    ] {
        let booking = world.get(&visit(n).0).await;
        assert_eq!((booking.state(), booking.history.len()), (state, steps), "{n}");
        assert_eq!((&booking.store, &booking.therapist), (&world.store, &world.therapists[0]));
    }

    // What they keep is theirs, and what is free can be had.
    let taken = world.send_hold(&member().1, world.hold(at(4))).await.expect_err("taken");
    assert_eq!(reason(&taken), "SLOT_TAKEN");
    let off = world.send_hold(&member().1, world.hold(at(50))).await.expect_err("time off");
    assert_eq!(reason(&off), "SLOT_TAKEN");
    let held = world.send_hold(&member().1, world.hold(at(10))).await.expect("free");
    assert_eq!(held.therapist, world.therapists[0]);

    let (name, token) = visit(2);
    let given_up = world.cancel(&token, &name).await.expect("cancelled");
    assert_eq!((given_up.state(), given_up.history.len()), (State::Cancelled, 4));
    let (name, token) = visit(3);
    let later = world.reschedule(&token, &name, at(6)).await.expect("rescheduled to the time that got free");
    assert_eq!((later.start_time, later.state()), (Some(to_timestamp(at(6))), State::Confirmed));

    // A hold that knew no limit runs out when it would have.
    world.clock.set(at_minute(119));
    let (name, token) = visit(0);
    let request = pb::ExtendHoldRequest { name: name.clone(), request_id: id() };
    let refused = world.life().extend_hold(with_token(request, &token)).await.expect_err("no limit was told");
    assert_eq!(reason(&refused), "HOLD_LIMIT");
    world.clock.set(at(2));
    assert_eq!(expire_bookings(&world.app).await.expect("a step"), 2, "that one, and the one held above");
    assert_eq!(world.get(&name).await.state(), State::Expired);

    // One is paid for, one begins.
    let (name, _) = visit(1);
    let waits = world.get(&name).await;
    world.fake.pay(&waits.order, 3_200);
    world.paid(&waits, 3_200).await;
    assert_eq!(world.get(&name).await.state(), State::Confirmed);
    world.clock.set(at(26));
    let (name, _) = visit(4);
    let begin = pb::StartBookingRequest { name: name.clone(), request_id: id() };
    world.bookings().start_booking(with_token(begin, &world.admin)).await.expect("started");
    assert_eq!(world.get(&name).await.state(), State::InService);
    let whole = "select count(*) from booking b where version <>
                 (select count(*) from booking_history h where h.booking_id = b.id)";
    assert_eq!((world.overlaps().await, world.count(whole).await), (0, 0));
}
