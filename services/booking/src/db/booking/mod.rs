//! Bookings.

mod counts;
mod due;
mod history;
mod list;
mod row;

use kernel::{
    Uuid,
    ids::{BookingId, GroupId, PackageId, QuoteId, RoomId},
};
use pg::PgConnection;

use self::row::{Row, whole, whole_all};
pub use self::{
    counts::{Holds, by_partners, holds},
    due::{Due, missed, unpaid},
    history::{histories, history},
    list::{Filter, list},
};
use super::{catalog::sex_code, sql};
use crate::domain::booking::{Booking, Change};

/// Stores a booking that was just made, and its first step; returns what is called how.
#[tracing::instrument(name = "db.booking.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, change: &Change) -> pg::Result<Names> {
    let Change { booking, step } = change;
    let currency = booking.price.currency();
    let names = sqlx::query_as!(
        Names,
        "with made as (
             insert into booking (id, store_id, item_id, therapist_id, room_id, equipment_id, customer_id, start_time,
                                  end_time, state, channel, currency, list_price_minor, price_minor, deposit_minor,
                                  quote_id, hold_expire_time, create_time, version, package_id, group_id, add_on_ids,
                                  extension_minutes, requested, assignment, device, partner, hold_limit_time,
                                  overbook_reason, wish_sex, wish_min_grade, wish_language, least_fee_minor)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                     $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)
             returning id, store_id, item_id, therapist_id),
         step as (
             insert into booking_history (booking_id, version, state, change_time, actor, reason)
             select id, $34, $35, $36, $37, $38 from made)
         select s.display_name as store, i.display_name as item, t.display_name as therapist, s.time_zone
         from made join store s on s.id = store_id join item i on i.id = item_id join therapist t on t.id = therapist_id",
        booking.id.uuid(),
        booking.store.uuid(),
        booking.item.uuid(),
        booking.therapist.uuid(),
        booking.room.uuid(),
        booking.equipment.map(RoomId::uuid),
        booking.customer.uuid(),
        sql(booking.start_time) as _,
        sql(booking.end_time) as _,
        booking.state.as_str(),
        booking.channel.as_str(),
        currency.code(),
        booking.list_price.minor(),
        booking.price.minor(),
        booking.deposit.minor(),
        booking.quote.map(QuoteId::uuid),
        sql(booking.hold_expire_time) as _,
        sql(booking.create_time) as _,
        booking.version,
        booking.package.map(PackageId::uuid),
        booking.group.map(GroupId::uuid),
        &add_ons(booking),
        booking.extension_minutes,
        booking.requested,
        booking.assignment,
        booking.device,
        booking.partner,
        sql(booking.hold_limit_time) as _,
        booking.overbook_reason,
        booking.wish.sex.map(sex_code),
        booking.wish.min_grade,
        booking.wish.language,
        booking.least_fee.minor(),
        step.version,
        step.state.as_str(),
        sql(step.change_time) as _,
        step.actor,
        step.reason,
    )
    .fetch_one(&mut *conn)
    .await?;
    if !booking.parts.is_empty() {
        save_parts(conn, booking).await?;
    }
    Ok(names)
}

/// Stores what a transition changed, and its step; returns what is called how. The row must have been read by [`lock`]
/// in this transaction.
#[tracing::instrument(name = "db.booking.save", skip_all)]
pub async fn save(conn: &mut PgConnection, change: &Change) -> pg::Result<Names> {
    let Change { booking, step } = change;
    let saved = sqlx::query_as!(
        Names,
        "with saved as (
             update booking
             set state = $2, version = $3, therapist_id = $4, room_id = $5, equipment_id = $6, start_time = $7,
                 end_time = $8, list_price_minor = $9, price_minor = $10, hold_expire_time = $11, add_on_ids = $12,
                 extension_minutes = $13, requested = $14, assignment = $15, overbook_reason = $16,
                 least_fee_minor = $17
             where id = $1 and version = $3::bigint - 1
             returning id, store_id, item_id, therapist_id),
         step as (
             insert into booking_history (booking_id, version, state, change_time, actor, reason)
             select id, $18, $19, $20, $21, $22 from saved)
         select s.display_name as store, i.display_name as item, t.display_name as therapist, s.time_zone
         from saved join store s on s.id = store_id join item i on i.id = item_id join therapist t on t.id = therapist_id",
        booking.id.uuid(),
        booking.state.as_str(),
        booking.version,
        booking.therapist.uuid(),
        booking.room.uuid(),
        booking.equipment.map(RoomId::uuid),
        sql(booking.start_time) as _,
        sql(booking.end_time) as _,
        booking.list_price.minor(),
        booking.price.minor(),
        sql(booking.hold_expire_time) as _,
        &add_ons(booking),
        booking.extension_minutes,
        booking.requested,
        booking.assignment,
        booking.overbook_reason,
        booking.least_fee.minor(),
        step.version,
        step.state.as_str(),
        sql(step.change_time) as _,
        step.actor,
        step.reason,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let names =
        saved.ok_or_else(|| pg::Error::inconsistent("booking", booking.id, "changed although it was locked"))?;
    if !booking.parts.is_empty() {
        save_parts(conn, booking).await?;
    }
    Ok(names)
}

fn add_ons(booking: &Booking) -> Vec<Uuid> {
    booking.add_ons.iter().map(|item| item.uuid()).collect()
}

/// Stores the parts as they are now. There are always as many as the package has.
async fn save_parts(conn: &mut PgConnection, booking: &Booking) -> pg::Result<()> {
    for (ordinal, part) in (2_i16..).zip(&booking.parts) {
        sqlx::query!(
            "insert into booking_part (booking_id, ordinal, item_id, therapist_id, room_id, equipment_id, start_time,
                                       end_time)
             values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (booking_id, ordinal) do update
             set therapist_id = excluded.therapist_id, room_id = excluded.room_id, equipment_id = excluded.equipment_id,
                 start_time = excluded.start_time, end_time = excluded.end_time",
            booking.id.uuid(),
            ordinal,
            part.item.uuid(),
            part.therapist.uuid(),
            part.room.uuid(),
            part.equipment.map(RoomId::uuid),
            sql(part.start_time) as _,
            sql(part.end_time) as _,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

/// Reads a booking.
#[tracing::instrument(name = "db.booking.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: BookingId) -> pg::Result<Option<Booking>> {
    let row = sqlx::query_as!(Row, "select * from booking where id = $1", id.uuid()).fetch_optional(&mut *conn).await?;
    whole(conn, row).await
}

/// Reads a booking and keeps others from changing it until the transaction ends. If it has a group, that is locked
/// first: what becomes of the booking may have to be told of the group, and whoever gives a group up wants both too.
#[tracing::instrument(name = "db.booking.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: BookingId) -> pg::Result<Option<Booking>> {
    // The condition on the group is always true; it is there to be found out first.
    let row = sqlx::query_as!(
        Row,
        "with its_group as materialized (
             select g.id from booking b join booking_group g on g.id = b.group_id where b.id = $1
             for no key update of g)
         select * from booking where id = $1 and (select count(*) from its_group) >= 0 for update of booking",
        id.uuid(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    whole(conn, row).await
}

/// Reads the bookings of a group, in the order of its guests.
#[tracing::instrument(name = "db.booking.of_group", skip_all)]
pub async fn of_group(conn: &mut PgConnection, group: GroupId) -> pg::Result<Vec<Booking>> {
    of_groups(conn, &[group.uuid()]).await
}

/// The same for several groups, by booking.
#[tracing::instrument(name = "db.booking.of_groups", skip_all)]
pub async fn of_groups(conn: &mut PgConnection, groups: &[Uuid]) -> pg::Result<Vec<Booking>> {
    let rows = sqlx::query_as!(Row, "select * from booking where group_id = any($1) order by id", groups)
        .fetch_all(&mut *conn)
        .await?;
    whole_all(conn, rows).await
}

/// Reads the bookings of a group and keeps others from changing them until the transaction ends. The group must have been
/// locked before.
#[tracing::instrument(name = "db.booking.lock_group", skip_all)]
pub async fn lock_group(conn: &mut PgConnection, group: GroupId) -> pg::Result<Vec<Booking>> {
    let rows = sqlx::query_as!(Row, "select * from booking where group_id = $1 order by id for update", group.uuid())
        .fetch_all(&mut *conn)
        .await?;
    whole_all(conn, rows).await
}

/// The names that a store publishes, for events.
#[derive(Debug, Clone)]
pub struct Names {
    /// The store's.
    pub store: String,
    /// The item's.
    pub item: String,
    /// The therapist's.
    pub therapist: String,
    /// The store's IANA zone.
    pub time_zone: String,
}

/// Reads the published names around a booking.
#[tracing::instrument(name = "db.booking.names", skip_all)]
pub async fn names(conn: &mut PgConnection, booking: &Booking) -> pg::Result<Names> {
    Ok(sqlx::query_as!(
        Names,
        "select s.display_name as store, i.display_name as item, t.display_name as therapist, s.time_zone
         from store s, item i, therapist t where s.id = $1 and i.id = $2 and t.id = $3",
        booking.store.uuid(),
        booking.item.uuid(),
        booking.therapist.uuid(),
    )
    .fetch_one(conn)
    .await?)
}

/// Keeps a late deposit from bringing the time back: its order is about to be closed.
#[tracing::instrument(name = "db.booking.give_up", skip_all)]
pub async fn give_up(conn: &mut PgConnection, id: BookingId) -> pg::Result<()> {
    sqlx::query!("update booking set given_up = true where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// Whether [`give_up`] was called for it.
#[tracing::instrument(name = "db.booking.given_up", skip_all)]
pub async fn given_up(conn: &mut PgConnection, id: BookingId) -> pg::Result<bool> {
    Ok(sqlx::query_scalar!("select given_up from booking where id = $1", id.uuid()).fetch_one(conn).await?)
}
