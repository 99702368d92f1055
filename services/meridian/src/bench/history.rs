//! What a chain has behind it. Postgres plans for tables as large as they are, and keeps a plan; on empty tables it reads
//! them whole, and goes on to when they are large. A chain that is open for business has a past.

use anyhow::{Context, Result};
use jiff::SignedDuration;
use jiff_sqlx::ToSqlx as _;
use kernel::{Clock as _, SystemClock, Timestamp, Uuid};
use sqlx::PgConnection;

use super::{
    house,
    shops::{STEP, Shops, TREATMENT},
};

/// How many visits a chain has behind it, if nothing else is said.
const VISITS: i64 = 10_000;

/// Visits, from the last day on backwards. Each therapist has a room; of the nine starts of a day six are taken.
const MADE: &str = "
    create temporary table visit as
    select ('0bec0000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id, ($1::uuid[])[place] as store, ($2::uuid[])[place] as therapist,
           ($3::uuid[])[place] as room, ($4::uuid[])[1 + n % cardinality($4)] as customer, start_time,
           start_time + make_interval(mins => $5) as end_time
    from generate_series(0, $6 - 1) as n,
         lateral (select 1 + n % cardinality($1) as place, n / cardinality($1) as turn) as of,
         lateral (select $7::timestamptz - make_interval(days => turn / 6)
                         + make_interval(mins => $8 * (turn % 6 * 3 / 2)) as start_time) as at";

const BOOKINGS: &str = "
    insert into booking (id, store_id, item_id, therapist_id, room_id, customer_id, start_time, end_time, state, channel,
                         currency, list_price_minor, price_minor, deposit_minor, hold_expire_time, create_time, version)
    select id, store, $1, therapist, room, customer, start_time, end_time,
           case when start_time < now() then 'COMPLETED' else 'CONFIRMED' end, 'WEB', 'CNY', 29800, 29800, 8940,
           least(start_time, now()), least(start_time, now()) - interval '1 day', 5
    from visit";

const STEPS: &str = "
    insert into booking_history (booking_id, version, state, change_time, actor, reason)
    select id, 5, 'COMPLETED', least(end_time, now()), 'services/booking', '' from visit";

/// What a visit keeps: its therapist and, with preparation and cleaning, its room.
const KEPT: &str = "
    insert into allocation (booking_id, resource_id, start_time, end_time)
    select id, therapist, start_time, end_time from visit where start_time >= $1
    union all
    select id, room, start_time - interval '5 minutes', end_time + interval '10 minutes' from visit where start_time >= $1";

const ANSWERS: &str = "
    insert into idempotency_key (caller, request_id, method, fingerprint, reply, create_time)
    select 'members/' || customer, id, '/meridian.booking.v1.BookingService/HoldSlot', sha256(id::text::bytea), '\\x00',
           least(start_time, now()) - interval '1 day' from visit";

const TASKS: &str = "
    insert into task (id, kind, aggregate_id, payload, create_time, due_time, attempt_count, done_time)
    select id, 'create_order', id, '', start_time, start_time, 1, start_time from visit";

/// Makes visits of the past with all that is left of each.
pub async fn write(connection: &mut PgConnection, shops: &Shops) -> Result<()> {
    make(&mut *connection, shops, VISITS, -1).await?;
    insert_visits(&mut *connection, shops, Timestamp::UNIX_EPOCH).await?;
    for table in [ANSWERS, TASKS] {
        sqlx::query(table).execute(&mut *connection).await?;
    }
    finish(connection).await
}

/// Makes so many visits, the last of them so many days after the first opening; those that are to come keep their
/// resources. The connection must be an administrator's: foreign keys are not checked.
pub async fn write_many(connection: &mut PgConnection, shops: &Shops, visits: i64, days_ahead: i64) -> Result<()> {
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *connection).await?;
    make(&mut *connection, shops, visits, days_ahead).await?;
    insert_visits(&mut *connection, shops, SystemClock.now()).await?;
    finish(connection).await
}

async fn make(connection: &mut PgConnection, shops: &Shops, visits: i64, days_ahead: i64) -> Result<()> {
    let places = || shops.shops.iter().flat_map(|shop| shop.therapists.iter().zip(&shop.rooms));
    let stores: Vec<Uuid> = places().map(|(therapist, _)| therapist.store.uuid()).collect();
    let therapists: Vec<Uuid> = places().map(|(therapist, _)| therapist.id.uuid()).collect();
    let rooms: Vec<Uuid> = places().map(|(_, room)| room.id.uuid()).collect();
    let members: Vec<Uuid> = shops.members.iter().map(|member| member.uuid()).collect();
    let opening = shops.openings().next().context("a chain that never opens")?;
    let last_day = opening + SignedDuration::from_hours(24 * days_ahead);
    sqlx::query(MADE)
        .bind(stores)
        .bind(therapists)
        .bind(rooms)
        .bind(members)
        .bind(i32::try_from(TREATMENT)?)
        .bind(i32::try_from(visits)?)
        .bind(last_day.to_sqlx())
        .bind(i32::try_from(STEP)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// Visits from `kept_from` on keep their resources.
async fn insert_visits(connection: &mut PgConnection, shops: &Shops, kept_from: Timestamp) -> Result<()> {
    sqlx::query(BOOKINGS).bind(shops.item.id.uuid()).execute(&mut *connection).await?;
    sqlx::query(STEPS).execute(&mut *connection).await?;
    sqlx::query(KEPT).bind(kept_from.to_sqlx()).execute(connection).await?;
    Ok(())
}

async fn finish(connection: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("drop table visit").execute(&mut *connection).await?;
    house::analyze(connection).await
}
