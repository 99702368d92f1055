//! Bookings and their history.

use std::collections::HashMap;

use jiff::civil::Date;
use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, GroupId, ItemId, MemberId, PackageId, QuoteId, RoomId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{money, sql};
use crate::domain::{
    booking::{Booking, Change, Channel, Part, State, Step},
    span::{Span, instant},
};

/// Which bookings a list shows; every condition that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// At this store.
    pub store: Option<StoreId>,
    /// Of this customer.
    pub customer: Option<MemberId>,
    /// Of which this therapist gives a part.
    pub therapist: Option<TherapistId>,
    /// In one of these states; in any if empty.
    pub states: Vec<State>,
    /// Starting at or after this.
    pub from: Option<Timestamp>,
    /// Starting before this.
    pub to: Option<Timestamp>,
}

/// Stores a booking that was just made, and its first step.
#[tracing::instrument(name = "db.booking.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, change: &Change) -> pg::Result<()> {
    let booking = &change.booking;
    let currency = booking.price.currency();
    sqlx::query!(
        "insert into booking (id, store_id, item_id, therapist_id, room_id, equipment_id, customer_id, start_time,
                              end_time, state, channel, currency, list_price_minor, price_minor, deposit_minor,
                              quote_id, hold_expire_time, create_time, version, package_id, group_id, add_on_ids,
                              extension_minutes, requested, assignment, device, partner, hold_limit_time,
                              overbook_reason)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
                 $23, $24, $25, $26, $27, $28, $29)",
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
    )
    .execute(&mut *conn)
    .await?;
    if !booking.parts.is_empty() {
        save_parts(conn, booking).await?;
    }
    insert_step(conn, booking.id, &change.step).await
}

/// Stores what a transition changed, and its step. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.booking.save", skip_all)]
pub async fn save(conn: &mut PgConnection, change: &Change) -> pg::Result<()> {
    let booking = &change.booking;
    let saved = sqlx::query!(
        "update booking
         set state = $2, version = $3, therapist_id = $4, room_id = $5, equipment_id = $6, start_time = $7, end_time = $8,
             list_price_minor = $9, price_minor = $10, hold_expire_time = $11, add_on_ids = $12, extension_minutes = $13,
             requested = $14, assignment = $15, overbook_reason = $16
         where id = $1 and version = $3::bigint - 1",
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
    )
    .execute(&mut *conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("booking", booking.id, "changed although it was locked"));
    }
    if !booking.parts.is_empty() {
        save_parts(conn, booking).await?;
    }
    insert_step(conn, booking.id, &change.step).await
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

/// Reads the further parts of those bookings that have some.
async fn with_parts(conn: &mut PgConnection, mut bookings: Vec<Booking>) -> pg::Result<Vec<Booking>> {
    let ids: Vec<Uuid> = bookings.iter().filter(|b| b.package.is_some()).map(|b| b.id.uuid()).collect();
    if ids.is_empty() {
        return Ok(bookings);
    }
    let rows = sqlx::query!(
        "select booking_id, item_id, therapist_id, room_id, equipment_id, start_time, end_time from booking_part
         where booking_id = any($1) order by booking_id, ordinal",
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let mut parts: HashMap<Uuid, Vec<Part>> = HashMap::new();
    for row in rows {
        parts.entry(row.booking_id).or_default().push(Part {
            item: ItemId::from_uuid(row.item_id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            room: RoomId::from_uuid(row.room_id),
            equipment: row.equipment_id.map(RoomId::from_uuid),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
        });
    }
    for booking in &mut bookings {
        booking.parts = parts.remove(&booking.id.uuid()).unwrap_or_default();
    }
    Ok(bookings)
}

async fn whole(conn: &mut PgConnection, row: Option<Row>) -> pg::Result<Option<Booking>> {
    let booking = row.map(Booking::try_from).transpose()?;
    Ok(with_parts(conn, booking.into_iter().collect()).await?.pop())
}

async fn insert_step(conn: &mut PgConnection, booking: BookingId, step: &Step) -> pg::Result<()> {
    sqlx::query!(
        "insert into booking_history (booking_id, version, state, change_time, actor, reason)
         values ($1, $2, $3, $4, $5, $6)",
        booking.uuid(),
        step.version,
        step.state.as_str(),
        sql(step.change_time) as _,
        step.actor,
        step.reason,
    )
    .execute(conn)
    .await?;
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
    let bookings = rows.into_iter().map(Booking::try_from).collect::<pg::Result<_>>()?;
    with_parts(conn, bookings).await
}

/// Reads the bookings of a group and keeps others from changing them until the transaction ends. The group must have been
/// locked before.
#[tracing::instrument(name = "db.booking.lock_group", skip_all)]
pub async fn lock_group(conn: &mut PgConnection, group: GroupId) -> pg::Result<Vec<Booking>> {
    let rows = sqlx::query_as!(Row, "select * from booking where group_id = $1 order by id for update", group.uuid())
        .fetch_all(&mut *conn)
        .await?;
    let bookings = rows.into_iter().map(Booking::try_from).collect::<pg::Result<_>>()?;
    with_parts(conn, bookings).await
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

/// Reads the steps of a booking, the oldest first.
#[tracing::instrument(name = "db.booking.history", skip_all)]
pub async fn history(conn: &mut PgConnection, id: BookingId) -> pg::Result<Vec<Step>> {
    Ok(histories(conn, &[id.uuid()]).await?.into_iter().map(|(_, step)| step).collect())
}

/// Reads the steps of several bookings, by booking, the oldest first.
#[tracing::instrument(name = "db.booking.histories", skip_all)]
pub async fn histories(conn: &mut PgConnection, ids: &[Uuid]) -> pg::Result<Vec<(Uuid, Step)>> {
    let rows = sqlx::query!(
        "select booking_id, version, state, change_time, actor, reason from booking_history
         where booking_id = any($1) order by booking_id, version",
        ids,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let step = Step {
                version: row.version,
                state: state(row.booking_id, &row.state)?,
                change_time: row.change_time.to_jiff(),
                actor: row.actor,
                reason: row.reason,
            };
            Ok((row.booking_id, step))
        })
        .collect()
}

/// Lists bookings by start, the latest first.
#[tracing::instrument(name = "db.booking.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    filter: &Filter,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Booking>> {
    let states: Vec<String> = filter.states.iter().map(|state| state.as_str().to_owned()).collect();
    let (start, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from booking
         where ($1::uuid is null or store_id = $1)
           and ($2::uuid is null or customer_id = $2)
           and ($3::uuid is null or therapist_id = $3
                or id = any(array(select booking_id from booking_part where therapist_id = $3)))
           and (cardinality($4::text[]) = 0 or state = any($4))
           and ($5::timestamptz is null or start_time >= $5)
           and ($6::timestamptz is null or start_time < $6)
           and ($7::timestamptz is null or (start_time, id) < ($7, $8::uuid))
         order by start_time desc, id desc limit $9",
        filter.store.map(StoreId::uuid),
        filter.customer.map(MemberId::uuid),
        filter.therapist.map(TherapistId::uuid),
        &states,
        filter.from.map(sql) as _,
        filter.to.map(sql) as _,
        start.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let bookings = rows.into_iter().map(Booking::try_from).collect::<pg::Result<_>>()?;
    with_parts(conn, bookings).await
}

/// Bookings whose hold has run out by `now` without a deposit, the earliest first.
#[tracing::instrument(name = "db.booking.unpaid", skip_all)]
pub async fn unpaid(conn: &mut PgConnection, now: Timestamp, limit: i64) -> pg::Result<Vec<BookingId>> {
    let ids = sqlx::query_scalar!(
        "select id from booking
         where state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time <= $1
         order by hold_expire_time limit $2",
        sql(now) as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(BookingId::from_uuid).collect())
}

/// Confirmed bookings whose customer has not come within the grace time of the store, `grace_minutes` where it has none
/// of its own, by start.
#[tracing::instrument(name = "db.booking.missed", skip_all)]
pub async fn missed(
    conn: &mut PgConnection,
    now: Timestamp,
    grace_minutes: i64,
    limit: i64,
) -> pg::Result<Vec<BookingId>> {
    let ids = sqlx::query_scalar!(
        "select b.id from booking b left join store_policy p on p.store_id = b.store_id
         where b.state = 'CONFIRMED' and b.start_time <= $1
           and b.start_time <= $1 - make_interval(mins => coalesce(p.no_show_grace_minutes, $2))
         order by b.start_time limit $3",
        sql(now) as _,
        i32::try_from(grace_minutes).unwrap_or(i32::MAX),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(BookingId::from_uuid).collect())
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
        r#"select (select count(*) from booking
                   where customer_id = $1 and state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time > $4
                     and group_id is null
                     and not exists (select from waitlist_offer o where o.booking_id = booking.id))
                   + (select count(*) from booking_group g join booking b on b.group_id = g.id
                      where g.organiser_id = $1 and g.create_time > $4::timestamptz - interval '2 days'
                        and b.state in ('HELD', 'AWAITING_PAYMENT') and b.hold_expire_time > $4)
                      as "customer!",
                  (select count(*) from booking
                   where device = $2 and state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time > $4) as "device!",
                  (select count(*) from booking
                   where partner = $3 and state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time > $4)
                      as "partner!""#,
        customer.uuid(),
        device,
        partner,
        sql(now) as _,
    )
    .fetch_one(conn)
    .await?)
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    item_id: Uuid,
    therapist_id: Uuid,
    room_id: Uuid,
    equipment_id: Option<Uuid>,
    customer_id: Uuid,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    state: String,
    channel: String,
    currency: String,
    list_price_minor: i64,
    price_minor: i64,
    deposit_minor: i64,
    quote_id: Option<Uuid>,
    hold_expire_time: jiff_sqlx::Timestamp,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
    #[expect(dead_code, reason = "read by given_up alone")]
    given_up: bool,
    package_id: Option<Uuid>,
    group_id: Option<Uuid>,
    add_on_ids: Vec<Uuid>,
    extension_minutes: i32,
    requested: bool,
    assignment: String,
    device: Option<String>,
    partner: Option<String>,
    hold_limit_time: Option<jiff_sqlx::Timestamp>,
    overbook_reason: Option<String>,
}

impl TryFrom<Row> for Booking {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let price = |minor| money("booking", row.id, minor, &row.currency);
        Ok(Self {
            id: BookingId::from_uuid(row.id),
            store: StoreId::from_uuid(row.store_id),
            item: ItemId::from_uuid(row.item_id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            room: RoomId::from_uuid(row.room_id),
            equipment: row.equipment_id.map(RoomId::from_uuid),
            customer: MemberId::from_uuid(row.customer_id),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            state: state(row.id, &row.state)?,
            channel: Channel::parse(&row.channel)
                .ok_or_else(|| pg::Error::inconsistent("booking", row.id, "unknown channel"))?,
            list_price: price(row.list_price_minor)?,
            price: price(row.price_minor)?,
            deposit: price(row.deposit_minor)?,
            quote: row.quote_id.map(QuoteId::from_uuid),
            hold_expire_time: row.hold_expire_time.to_jiff(),
            create_time: row.create_time.to_jiff(),
            version: row.version,
            package: row.package_id.map(PackageId::from_uuid),
            parts: Vec::new(),
            add_ons: row.add_on_ids.into_iter().map(ItemId::from_uuid).collect(),
            group: row.group_id.map(GroupId::from_uuid),
            extension_minutes: row.extension_minutes,
            requested: row.requested,
            assignment: row.assignment,
            device: row.device,
            partner: row.partner,
            // Holds made before there was a limit can't be prolonged.
            hold_limit_time: row.hold_limit_time.unwrap_or(row.hold_expire_time).to_jiff(),
            overbook_reason: row.overbook_reason,
        })
    }
}

fn state(booking: Uuid, name: &str) -> pg::Result<State> {
    State::parse(name).ok_or_else(|| pg::Error::inconsistent("booking", booking, "unknown state"))
}
