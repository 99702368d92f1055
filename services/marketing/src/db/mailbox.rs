//! The demo mailbox.

use kernel::{Timestamp, Uuid, ids::MessageId};
use pg::{PgConnection, vault::Column};

use super::sql;
use crate::domain::message::Kind;

/// Where bodies are sealed for.
pub const BODY: Column = Column { table: "mailbox", column: "body" };

/// A text in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message that it is.
    pub message: MessageId,
    /// What it is about.
    pub kind: Kind,
    /// The text, sealed by the key of the phone number.
    pub body: Vec<u8>,
    /// When it came.
    pub receive_time: Timestamp,
}

/// Puts a text into the mailbox of a phone, unless that message is there.
#[tracing::instrument(name = "db.mailbox.insert", skip_all)]
pub async fn insert_if_new(conn: &mut PgConnection, phone_index: [u8; 32], letter: &Letter) -> pg::Result<()> {
    sqlx::query!(
        "insert into mailbox (message_id, phone_index, kind, body, receive_time) values ($1, $2, $3, $4, $5)
         on conflict (message_id) do nothing",
        letter.message.uuid(),
        phone_index.as_slice(),
        letter.kind.as_str(),
        letter.body,
        sql(letter.receive_time) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is in the mailbox of a phone, the latest first.
#[tracing::instrument(name = "db.mailbox.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    phone_index: [u8; 32],
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<Letter>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query!(
        "select message_id, kind, body, receive_time from mailbox
         where phone_index = $1 and ($2::timestamptz is null or (receive_time, message_id) < ($2, $3::uuid))
         order by receive_time desc, message_id desc limit $4",
        phone_index.as_slice(),
        time.map(sql) as _,
        id,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let letter = |kind: &str, message: Uuid| {
        Kind::parse(kind).ok_or_else(|| pg::Error::inconsistent("mailbox", message, "unknown kind"))
    };
    rows.into_iter()
        .map(|row| {
            Ok(Letter {
                message: MessageId::from_uuid(row.message_id),
                kind: letter(&row.kind, row.message_id)?,
                body: row.body,
                receive_time: row.receive_time.to_jiff(),
            })
        })
        .collect()
}
