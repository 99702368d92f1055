//! Messages.

use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, MemberId, MessageId},
};
use pg::{PgConnection, vault::Column};

use super::sql;
use crate::domain::message::{About, Kind, Message, State};

/// Where bodies are sealed for.
pub const BODY: Column = Column { table: "message", column: "body" };

/// Stores a message that is to go out. False if there is one for the same version of the visit and kind.
#[tracing::instrument(name = "db.message.insert", skip_all)]
pub async fn insert_if_new(conn: &mut PgConnection, message: &Message, now: Timestamp) -> pg::Result<bool> {
    let inserted = sqlx::query!(
        "insert into message (id, customer_id, kind, booking_id, start_time, send_time, state, key_owner, body,
                              create_time, booking_version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict do nothing",
        message.id.uuid(),
        message.customer.map(MemberId::uuid),
        message.kind.as_str(),
        message.about.map(|about| about.booking.uuid()),
        message.about.map(|about| sql(about.start_time)) as _,
        sql(message.send_time) as _,
        message.state.as_str(),
        message.key_owner,
        message.body,
        sql(now) as _,
        message.about.map_or(0, |about| about.version),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Reads a message.
#[tracing::instrument(name = "db.message.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: MessageId) -> pg::Result<Option<Message>> {
    let row = sqlx::query_as!(
        Row,
        "select id, customer_id, kind, booking_id, start_time, booking_version, send_time, state, key_owner, body
         from message where id = $1",
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    row.map(Message::try_from).transpose()
}

/// A member's messages, the latest first.
#[tracing::instrument(name = "db.message.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    customer: MemberId,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Message>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select id, customer_id, kind, booking_id, start_time, booking_version, send_time, state, key_owner, body
         from message
         where customer_id = $1 and ($2::timestamptz is null or (send_time, id) < ($2, $3::uuid))
         order by send_time desc, id desc limit $4",
        customer.uuid(),
        time.map(sql) as _,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Message::try_from).collect()
}

/// Notes that a message is out. It holds also for one that was called back while it was on its way. False if it was
/// noted before.
#[tracing::instrument(name = "db.message.sent", skip_all)]
pub async fn sent(conn: &mut PgConnection, id: MessageId, channel: &str, now: Timestamp) -> pg::Result<bool> {
    let noted = sqlx::query!(
        "update message set state = 'SENT', channel = $2, send_time = $3, reason = null
         where id = $1 and state <> 'SENT'",
        id.uuid(),
        channel,
        sql(now) as _,
    )
    .execute(conn)
    .await?;
    Ok(noted.rows_affected() == 1)
}

/// Ends a message that does not go out.
#[tracing::instrument(name = "db.message.end", skip_all)]
pub async fn end(conn: &mut PgConnection, id: MessageId, state: State, reason: &str) -> pg::Result<()> {
    sqlx::query!(
        "update message set state = $2, reason = $3 where id = $1 and state = 'SCHEDULED'",
        id.uuid(),
        state.as_str(),
        reason,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Calls back what is still to go out of these kinds about a visit. Returns which.
#[tracing::instrument(name = "db.message.call_back", skip_all)]
pub async fn call_back(conn: &mut PgConnection, booking: BookingId, kinds: &[Kind]) -> pg::Result<Vec<MessageId>> {
    let kinds: Vec<String> = kinds.iter().map(|kind| kind.as_str().to_owned()).collect();
    let ids = sqlx::query_scalar!(
        "update message set state = 'CANCELLED', reason = 'BOOKING_CHANGED'
         where booking_id = $1 and kind = any($2) and state = 'SCHEDULED' returning id",
        booking.uuid(),
        &kinds,
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(MessageId::from_uuid).collect())
}

struct Row {
    id: Uuid,
    customer_id: Option<Uuid>,
    kind: String,
    booking_id: Option<Uuid>,
    start_time: Option<jiff_sqlx::Timestamp>,
    booking_version: i64,
    send_time: jiff_sqlx::Timestamp,
    state: String,
    key_owner: Uuid,
    body: Vec<u8>,
}

impl TryFrom<Row> for Message {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let wrong = |what: &str| pg::Error::inconsistent("message", row.id, what);
        let about = match (row.booking_id, row.start_time) {
            (Some(booking), Some(start)) => Some(About {
                booking: BookingId::from_uuid(booking),
                start_time: start.to_jiff(),
                version: row.booking_version,
            }),
            (None, None) => None,
            _ => return Err(wrong("a visit without its start")),
        };
        Ok(Self {
            id: MessageId::from_uuid(row.id),
            customer: row.customer_id.map(MemberId::from_uuid),
            kind: Kind::parse(&row.kind).ok_or_else(|| wrong("unknown kind"))?,
            about,
            send_time: row.send_time.to_jiff(),
            state: State::parse(&row.state).ok_or_else(|| wrong("unknown state"))?,
            key_owner: row.key_owner,
            body: row.body,
        })
    }
}
