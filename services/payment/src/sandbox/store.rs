//! The sandbox's own tables.

use jiff_sqlx::ToSqlx;
use kernel::{Timestamp, Uuid};
use pg::{Error, PgConnection, Result};

use super::charge::{Charge, State};

/// Money that went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The merchant's id for it.
    pub id: Uuid,
    /// The charge, by the merchant's id.
    pub charge: Uuid,
    /// How much.
    pub amount_minor: i64,
}

/// A notice to be sent now.
#[derive(Debug)]
pub struct Delivery {
    /// Its number in the queue.
    pub number: i64,
    /// Where to.
    pub notify_url: String,
    /// The signed bytes.
    pub body: Vec<u8>,
    /// How it is spoiled.
    pub spoil: Option<Spoil>,
    /// How often it was sent, this time included.
    pub attempts: i32,
}

/// How a notice is spoiled when it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoil {
    /// Signed with something else.
    BadSignature,
    /// With an old timestamp.
    Stale,
}

impl Spoil {
    fn as_str(self) -> &'static str {
        match self {
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
        }
    }
}

/// Stores a charge unless there is one of that id.
pub async fn insert_charge(conn: &mut PgConnection, now: Timestamp, charge: &Charge) -> Result<()> {
    sqlx::query!(
        "insert into sandbox.charge (id, charge_id, amount_minor, currency, notify_url, state, create_time, expire_time)
         values ($1, $2, $3, $4, $5, 'pending', $6, $7)
         on conflict do nothing",
        charge.id,
        charge.charge_id,
        charge.amount_minor,
        charge.currency,
        charge.notify_url,
        now.to_sqlx() as _,
        charge.expire_time.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The charge that the merchant calls `id`.
pub async fn charge_by_id(conn: &mut PgConnection, id: Uuid) -> Result<Option<Charge>> {
    let row = sqlx::query_as!(
        Row,
        "select id, charge_id, amount_minor, currency, notify_url, state, failure_reason, expire_time
         from sandbox.charge where id = $1",
        id,
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// The charge that we call `charge_id`.
pub async fn charge_by_charge_id(conn: &mut PgConnection, charge_id: &str) -> Result<Option<Charge>> {
    let row = sqlx::query_as!(
        Row,
        "select id, charge_id, amount_minor, currency, notify_url, state, failure_reason, expire_time
         from sandbox.charge where charge_id = $1",
        charge_id,
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// The charge that the merchant calls `id`, locked against any other change.
pub async fn lock_charge(conn: &mut PgConnection, id: Uuid) -> Result<Option<Charge>> {
    let row = sqlx::query_as!(
        Row,
        "select id, charge_id, amount_minor, currency, notify_url, state, failure_reason, expire_time
         from sandbox.charge where id = $1 for update",
        id,
    );
    row.fetch_optional(conn).await?.map(Row::read).transpose()
}

/// Stores a charge's state.
pub async fn set_charge_state(conn: &mut PgConnection, charge: &Charge) -> Result<()> {
    sqlx::query!(
        "update sandbox.charge set state = $2, failure_reason = $3 where id = $1",
        charge.id,
        charge.state.as_str(),
        charge.state.failure_reason(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends the charges whose time is over, some at a time.
pub async fn expire_charges(conn: &mut PgConnection, now: Timestamp) -> Result<Vec<Charge>> {
    let rows = sqlx::query_as!(
        Row,
        "update sandbox.charge set state = 'expired'
         where id in (select id from sandbox.charge where state = 'pending' and expire_time <= $1
                      limit 50 for update skip locked)
         returning id, charge_id, amount_minor, currency, notify_url, state, failure_reason, expire_time",
        now.to_sqlx() as _,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::read).collect()
}

/// A refund by the merchant's id.
pub async fn refund(conn: &mut PgConnection, id: Uuid) -> Result<Option<Refund>> {
    let found = sqlx::query_as!(Refund, "select id, charge, amount_minor from sandbox.refund where id = $1", id);
    Ok(found.fetch_optional(conn).await?)
}

/// How much went back of a charge.
pub async fn refunded(conn: &mut PgConnection, charge: Uuid) -> Result<i64> {
    let sum = sqlx::query_scalar!(
        r#"select coalesce(sum(amount_minor), 0)::bigint as "sum!" from sandbox.refund where charge = $1"#,
        charge,
    );
    Ok(sum.fetch_one(conn).await?)
}

/// Stores a refund.
pub async fn insert_refund(conn: &mut PgConnection, now: Timestamp, refund: &Refund) -> Result<()> {
    sqlx::query!(
        "insert into sandbox.refund (id, charge, amount_minor, create_time) values ($1, $2, $3, $4)",
        refund.id,
        refund.charge,
        refund.amount_minor,
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Queues a notice, to be sent at `at`.
pub async fn insert_notice(
    conn: &mut PgConnection,
    charge: Uuid,
    body: &[u8],
    spoil: Option<Spoil>,
    at: Timestamp,
) -> Result<()> {
    sqlx::query!(
        "insert into sandbox.notice (charge, body, spoil, next_attempt_time) values ($1, $2, $3, $4)",
        charge,
        body,
        spoil.map(Spoil::as_str),
        at.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes the notices that are due, the oldest first. Nobody else gets them before `lease_until`.
pub async fn claim_notices(
    conn: &mut PgConnection,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<Delivery>> {
    let mut rows = sqlx::query!(
        "update sandbox.notice as notice
         set next_attempt_time = $2, attempt_count = attempt_count + 1
         from sandbox.charge
         where charge.id = notice.charge
           and notice.delivery in (select delivery from sandbox.notice
                                   where done_time is null and next_attempt_time <= $1
                                   order by next_attempt_time, delivery limit $3 for update skip locked)
         returning notice.delivery, charge.notify_url, notice.body, notice.spoil, notice.attempt_count",
        now.to_sqlx() as _,
        lease_until.to_sqlx() as _,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.sort_by_key(|row| row.delivery);
    let delivery = |row: (i64, String, Vec<u8>, Option<String>, i32)| {
        let spoil = match row.3.as_deref() {
            None => None,
            Some("bad_signature") => Some(Spoil::BadSignature),
            Some("stale") => Some(Spoil::Stale),
            Some(_) => return Err(Error::inconsistent("sandbox.notice", row.0, "is spoiled in an unknown way")),
        };
        Ok(Delivery { number: row.0, notify_url: row.1, body: row.2, spoil, attempts: row.4 })
    };
    rows.into_iter()
        .map(|row| delivery((row.delivery, row.notify_url, row.body, row.spoil, row.attempt_count)))
        .collect()
}

/// Takes a notice from the queue for good.
pub async fn finish_notice(conn: &mut PgConnection, number: i64, now: Timestamp) -> Result<()> {
    sqlx::query!("update sandbox.notice set done_time = $2 where delivery = $1", number, now.to_sqlx() as _)
        .execute(conn)
        .await?;
    Ok(())
}

/// Puts a notice off.
pub async fn send_again(conn: &mut PgConnection, number: i64, at: Timestamp) -> Result<()> {
    sqlx::query!("update sandbox.notice set next_attempt_time = $2 where delivery = $1", number, at.to_sqlx() as _)
        .execute(conn)
        .await?;
    Ok(())
}

struct Row {
    id: Uuid,
    charge_id: String,
    amount_minor: i64,
    currency: String,
    notify_url: String,
    state: String,
    failure_reason: Option<String>,
    expire_time: jiff_sqlx::Timestamp,
}

impl Row {
    fn read(self) -> Result<Charge> {
        let state = match (self.state.as_str(), self.failure_reason) {
            ("pending", None) => State::Pending,
            ("succeeded", None) => State::Succeeded,
            ("failed", Some(reason)) => State::Failed { reason },
            ("expired", None) => State::Expired,
            _ => return Err(Error::inconsistent("sandbox.charge", self.id, "has an impossible state")),
        };
        Ok(Charge {
            id: self.id,
            charge_id: self.charge_id,
            amount_minor: self.amount_minor,
            currency: self.currency,
            notify_url: self.notify_url,
            state,
            expire_time: self.expire_time.to_jiff(),
        })
    }
}
