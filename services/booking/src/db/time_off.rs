//! Requests for time off.

use kernel::{
    Timestamp, Uuid,
    ids::{BlockId, StoreId, TherapistId, TimeOffId},
};
use pg::PgConnection;

use super::sql;
use crate::domain::roster::time_off::{Decision, State, TimeOff};

/// Stores a new request.
#[tracing::instrument(name = "db.time_off_request.insert", skip_all)]
pub async fn insert(conn: &mut PgConnection, request: &TimeOff) -> pg::Result<()> {
    sqlx::query!(
        "insert into time_off_request (id, therapist_id, store_id, start_time, end_time, reason, state, requester,
                                       create_time, version)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        request.id.uuid(),
        request.therapist.uuid(),
        request.store.uuid(),
        sql(request.start_time) as _,
        sql(request.end_time) as _,
        request.reason,
        request.state.as_str(),
        request.requester,
        sql(request.create_time) as _,
        request.version,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores what a transition changed. The row must have been read by [`lock`] in this transaction.
#[tracing::instrument(name = "db.time_off_request.save", skip_all)]
pub async fn save(conn: &mut PgConnection, request: &TimeOff) -> pg::Result<()> {
    let decision = request.state.decision();
    let saved = sqlx::query!(
        "update time_off_request
         set state = $2, decider = $3, decide_time = $4, decision = $5, block_id = $6, version = $7
         where id = $1 and version = $7::bigint - 1",
        request.id.uuid(),
        request.state.as_str(),
        decision.map(|decision| decision.decider.as_str()),
        decision.map(|decision| sql(decision.decide_time)) as _,
        decision.map(|decision| decision.reason.as_str()),
        request.state.block().map(BlockId::uuid),
        request.version,
    )
    .execute(conn)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(pg::Error::inconsistent("time_off_request", request.id, "changed although it was locked"));
    }
    Ok(())
}

/// Reads a request.
#[tracing::instrument(name = "db.time_off_request.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: TimeOffId) -> pg::Result<Option<TimeOff>> {
    let row = sqlx::query_as!(Row, "select * from time_off_request where id = $1", id.uuid());
    row.fetch_optional(conn).await?.map(TimeOff::try_from).transpose()
}

/// Reads a request and keeps others from changing it until the transaction ends.
#[tracing::instrument(name = "db.time_off_request.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: TimeOffId) -> pg::Result<Option<TimeOff>> {
    let row = sqlx::query_as!(Row, "select * from time_off_request where id = $1 for update", id.uuid());
    row.fetch_optional(conn).await?.map(TimeOff::try_from).transpose()
}

/// Lists the requests at a store, the latest time first; of one requester or in one state only, if that is given.
#[tracing::instrument(name = "db.time_off_request.list", skip_all)]
pub async fn list(
    conn: &mut PgConnection,
    store: StoreId,
    requester: Option<&str>,
    state: Option<&str>,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> pg::Result<Vec<TimeOff>> {
    let (start, last) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        "select * from time_off_request
         where store_id = $1 and ($2::text is null or requester = $2) and ($3::text is null or state = $3)
           and ($4::timestamptz is null or (start_time, id) < ($4, $5::uuid))
         order by start_time desc, id desc limit $6",
        store.uuid(),
        requester,
        state,
        start.map(sql) as _,
        last,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TimeOff::try_from).collect()
}

struct Row {
    id: Uuid,
    therapist_id: Uuid,
    store_id: Uuid,
    start_time: jiff_sqlx::Timestamp,
    end_time: jiff_sqlx::Timestamp,
    reason: String,
    state: String,
    requester: String,
    create_time: jiff_sqlx::Timestamp,
    decider: Option<String>,
    decide_time: Option<jiff_sqlx::Timestamp>,
    decision: Option<String>,
    block_id: Option<Uuid>,
    version: i64,
}

impl TryFrom<Row> for TimeOff {
    type Error = pg::Error;

    fn try_from(row: Row) -> pg::Result<Self> {
        let decision = match (row.decider, row.decide_time, row.decision) {
            (Some(decider), Some(at), Some(reason)) => Some(Decision { decider, decide_time: at.to_jiff(), reason }),
            _ => None,
        };
        let state = match (row.state.as_str(), decision, row.block_id) {
            ("REQUESTED", None, None) => State::Requested,
            ("APPROVED", Some(decision), Some(block)) => State::Approved { decision, block: BlockId::from_uuid(block) },
            ("REJECTED", Some(decision), None) => State::Rejected(decision),
            ("WITHDRAWN", decision, None) => State::Withdrawn(decision),
            _ => return Err(pg::Error::inconsistent("time_off_request", row.id, "its state does not fit the rest")),
        };
        Ok(Self {
            id: TimeOffId::from_uuid(row.id),
            therapist: TherapistId::from_uuid(row.therapist_id),
            store: StoreId::from_uuid(row.store_id),
            start_time: row.start_time.to_jiff(),
            end_time: row.end_time.to_jiff(),
            reason: row.reason,
            requester: row.requester,
            create_time: row.create_time.to_jiff(),
            state,
            version: row.version,
        })
    }
}
