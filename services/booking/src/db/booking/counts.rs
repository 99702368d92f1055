//! How many bookings somebody has.

use jiff::civil::Date;
use kernel::{
    Timestamp,
    ids::{MemberId, StoreId},
};
use pg::PgConnection;

use crate::{
    db::sql,
    domain::span::{Span, instant},
};

/// How many visits partners have booked at a store on each local day that `window` touches and has some; those given up
/// don't count.
#[tracing::instrument(name = "db.booking.by_partners", skip_all)]
pub async fn by_partners(
    conn: &mut PgConnection,
    store: StoreId,
    time_zone: &str,
    window: Span,
) -> pg::Result<Vec<(Date, i64)>> {
    let rows = sqlx::query!(
        r#"select (start_time at time zone $2)::date as "day!: jiff_sqlx::Date", count(*) as "count!" from booking
           where store_id = $1 and partner is not null and state not in ('CANCELLED', 'EXPIRED')
             and start_time >= $3::timestamptz - interval '2 days' and start_time < $4::timestamptz + interval '2 days'
           group by 1"#,
        store.uuid(),
        time_zone,
        sql(instant(window.start)) as _,
        sql(instant(window.end)) as _,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.day.to_jiff(), row.count)).collect())
}

/// How many holds run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holds {
    /// Of one customer.
    pub customer: i64,
    /// From one device.
    pub device: i64,
    /// Of one partner platform.
    pub partner: i64,
}

/// Counts the holds that run, of the customer, device and partner of one that is to be made; see [`super::locks`]. Those
/// of a group are its organiser's: nobody can use up what another may hold by naming him as a guest. Those offered from
/// the waitlist don't count: nobody asked for them at that moment.
#[tracing::instrument(name = "db.booking.holds", skip_all)]
pub async fn holds(
    conn: &mut PgConnection,
    customer: MemberId,
    device: Option<&str>,
    partner: Option<&str>,
    now: Timestamp,
) -> pg::Result<Holds> {
    Ok(sqlx::query_as!(
        Holds,
        r#"select (select count(*) filter (where hold_expire_time > $4 and group_id is null and not exists
                             (select from waitlist_offer o where o.booking_id = booking.id))
                   from booking where customer_id = $1 and state in ('HELD', 'AWAITING_PAYMENT'))
                   + (select count(*) filter (where b.state in ('HELD', 'AWAITING_PAYMENT') and b.hold_expire_time > $4)
                      from booking_group g join booking b on b.group_id = g.id
                      where g.organiser_id = $1 and g.create_time > $4::timestamptz - interval '2 days')
                      as "customer!",
                  (select count(*) filter (where hold_expire_time > $4)
                   from booking where device = $2 and state in ('HELD', 'AWAITING_PAYMENT')) as "device!",
                  (select count(*) filter (where hold_expire_time > $4)
                   from booking where partner = $3 and state in ('HELD', 'AWAITING_PAYMENT')) as "partner!""#,
        customer.uuid(),
        device,
        partner,
        sql(now) as _,
    )
    .fetch_one(conn)
    .await?)
}
