//! The queue of those who came without a booking.

use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, ItemId, MemberId, PackageId, QueueTicketId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::{
    catalog::{sex, sex_code},
    sql,
};
use crate::domain::{
    chosen::Choice,
    visit::Wish,
    walk_in::{State, Ticket, line::Place},
};

/// Stores a ticket that was just given.
#[tracing::instrument(name = "db.queue_ticket.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, ticket: &Ticket) -> pg::Result<()> {
    let (item, add_ons, package) = match &ticket.choice {
        Choice::Item(item, add_ons) => (Some(item.uuid()), add_ons.iter().map(|item| item.uuid()).collect(), None),
        Choice::Package(package) => (None, Vec::new(), Some(package.uuid())),
    };
    sqlx::query!(
        "insert into queue_ticket (id, store_id, number, customer_id, item_id, add_on_ids, package_id, therapist_id, sex,
                                   urgent_reason, tier, join_time, queue_time, overtook, quoted_time, close_time, state,
                                   version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        ticket.id().uuid(),
        ticket.store.uuid(),
        ticket.number,
        ticket.customer.uuid(),
        item,
        &add_ons,
        package,
        ticket.wish.therapist.map(TherapistId::uuid),
        ticket.wish.sex.map(sex_code),
        ticket.place.urgent.then_some(&ticket.urgent_reason),
        i16::from(ticket.place.tier),
        sql(ticket.place.join_time) as _,
        sql(ticket.place.queue_time) as _,
        &overtook(ticket),
        sql(ticket.quoted_time) as _,
        sql(ticket.close_time) as _,
        ticket.state.as_str(),
        ticket.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what a transition changed. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.queue_ticket.save", skip_all)]
pub async fn save(conn: &mut PgConnection, ticket: &Ticket) -> pg::Result<()> {
    let saved = sqlx::query!(
        "update queue_ticket set state = $2, booking_id = $3, skip_count = $4, queue_time = $5, overtook = $6, version = $7
         where id = $1 and version = $7::bigint - 1",
        ticket.id().uuid(),
        ticket.state.as_str(),
        ticket.booking.map(BookingId::uuid),
        ticket.skip_count,
        sql(ticket.place.queue_time) as _,
        &overtook(ticket),
        ticket.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("queue_ticket", ticket.id(), "changed although it was locked"));
    }
    Ok(())
}

fn overtook(ticket: &Ticket) -> Vec<Uuid> {
    ticket.place.overtook.iter().map(|other| other.uuid()).collect()
}

/// Reads a ticket.
#[tracing::instrument(name = "db.queue_ticket.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: QueueTicketId) -> pg::Result<Option<Ticket>> {
    let row = sqlx::query_as!(Row, "select * from queue_ticket where id = $1", id.uuid());
    row.fetch_optional(conn).await?.map(Ticket::try_from).transpose()
}

/// Reads a ticket and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.queue_ticket.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: QueueTicketId) -> pg::Result<Option<Ticket>> {
    let row = sqlx::query_as!(Row, "select * from queue_ticket where id = $1 for update", id.uuid());
    row.fetch_optional(conn).await?.map(Ticket::try_from).transpose()
}

/// Whoever waits at a store, in the order in which they stood at the end.
#[tracing::instrument(name = "db.queue_ticket.waiting", skip_all)]
pub async fn waiting(conn: &mut PgConnection, store: StoreId) -> pg::Result<Vec<Ticket>> {
    let rows = sqlx::query_as!(
        Row,
        "select * from queue_ticket where store_id = $1 and state = 'WAITING' order by queue_time, id",
        store.uuid(),
    );
    rows.fetch_all(conn).await?.into_iter().map(Ticket::try_from).collect()
}

/// The next number of the opening of a store that ends at `close`. The store's queue must be locked.
#[tracing::instrument(name = "db.queue_ticket.next_number", skip_all)]
pub async fn next_number(conn: &mut PgConnection, store: StoreId, close: Timestamp) -> pg::Result<i32> {
    let number = sqlx::query_scalar!(
        r#"select coalesce(max(number), 0) + 1 as "number!" from queue_ticket where store_id = $1 and close_time = $2"#,
        store.uuid(),
        sql(close) as _,
    );
    Ok(number.fetch_one(conn).await?)
}

/// Tickets that wait although their store closed by `now`, with when that was, the earliest first, those after `after`.
#[tracing::instrument(name = "db.queue_ticket.over", skip_all)]
pub async fn over(
    conn: &mut PgConnection,
    now: Timestamp,
    after: Option<(Timestamp, QueueTicketId)>,
    limit: i64,
) -> pg::Result<Vec<(Timestamp, QueueTicketId)>> {
    let (since, last) = after.unzip();
    let rows = sqlx::query!(
        "select id, close_time from queue_ticket where state = 'WAITING' and close_time <= $1
           and ($2::timestamptz is null or (close_time, id) > ($2, $3::uuid))
         order by close_time, id limit $4",
        sql(now) as _,
        since.map(sql) as _,
        last.map(QueueTicketId::uuid),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.close_time.to_jiff(), QueueTicketId::from_uuid(row.id))).collect())
}

struct Row {
    id: Uuid,
    store_id: Uuid,
    number: i32,
    customer_id: Uuid,
    item_id: Option<Uuid>,
    add_on_ids: Vec<Uuid>,
    package_id: Option<Uuid>,
    therapist_id: Option<Uuid>,
    sex: Option<i16>,
    urgent_reason: Option<String>,
    tier: i16,
    join_time: jiff_sqlx::Timestamp,
    queue_time: jiff_sqlx::Timestamp,
    overtook: Vec<Uuid>,
    quoted_time: jiff_sqlx::Timestamp,
    close_time: jiff_sqlx::Timestamp,
    state: String,
    booking_id: Option<Uuid>,
    skip_count: i32,
    version: i64,
}

impl TryFrom<Row> for Ticket {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let id = row.id;
        let wrong = |what: &'static str| pg::Error::inconsistent("queue_ticket", id, what);
        let choice = match (row.item_id, row.package_id) {
            (Some(item), None) => {
                Choice::Item(ItemId::from_uuid(item), row.add_on_ids.into_iter().map(ItemId::from_uuid).collect())
            }
            (None, Some(package)) => Choice::Package(PackageId::from_uuid(package)),
            _ => return Err(wrong("neither an item nor a package")),
        };
        let wish = Wish {
            therapist: row.therapist_id.map(TherapistId::from_uuid),
            sex: row.sex.map(|code| sex(code).ok_or_else(|| wrong("unknown sex"))).transpose()?,
            ..Wish::default()
        };
        let place = Place {
            ticket: QueueTicketId::from_uuid(id),
            urgent: row.urgent_reason.is_some(),
            tier: u8::try_from(row.tier).map_err(|_| wrong("unknown tier"))?,
            join_time: row.join_time.to_jiff(),
            queue_time: row.queue_time.to_jiff(),
            overtook: row.overtook.into_iter().map(QueueTicketId::from_uuid).collect(),
        };
        Ok(Self {
            store: StoreId::from_uuid(row.store_id),
            number: row.number,
            customer: MemberId::from_uuid(row.customer_id),
            choice,
            wish,
            place,
            urgent_reason: row.urgent_reason.unwrap_or_default(),
            quoted_time: row.quoted_time.to_jiff(),
            close_time: row.close_time.to_jiff(),
            state: State::parse(&row.state).ok_or_else(|| wrong("unknown state"))?,
            booking: row.booking_id.map(BookingId::from_uuid),
            skip_count: row.skip_count,
            version: row.version,
        })
    }
}
