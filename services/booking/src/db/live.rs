//! What live bookings keep: those that are still to be given, from HELD to IN_SERVICE.

use kernel::{Timestamp, Uuid, ids::BookingId};
use pg::PgConnection;

use super::sql;
use crate::domain::span::{Span, minute, minute_after};

/// What a live booking keeps of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Live {
    /// Whose visit it is.
    pub booking: BookingId,
    /// The therapist, room or machine.
    pub resource: Uuid,
    /// When it is kept, with preparation and cleaning.
    pub span: Span,
    /// When the customer is treated, from the first part of the visit to the last.
    pub treatment: Span,
}

/// Reads what live bookings keep of `resources` and is not over by `now`, by start.
#[tracing::instrument(name = "db.live.of_resources", skip_all)]
pub async fn of_resources(conn: &mut PgConnection, resources: &[Uuid], now: Timestamp) -> pg::Result<Vec<Live>> {
    let rows = sqlx::query!(
        r#"select b.id, a.resource_id, a.start_time, a.end_time, b.start_time as treatment_start,
                  greatest(b.end_time, (select max(p.end_time) from booking_part p where p.booking_id = b.id))
                      as "treatment_end!: jiff_sqlx::Timestamp"
           from allocation a join booking b on b.id = a.booking_id
           where a.resource_id = any($1) and a.end_time > $2 and a.start_time > $2::timestamptz - interval '1 day'
             and b.state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED', 'CHECKED_IN', 'IN_SERVICE')
           order by a.start_time, a.resource_id, b.id"#,
        resources,
        sql(now) as _,
    )
    .fetch_all(conn)
    .await?;
    let span = |start: jiff_sqlx::Timestamp, end: jiff_sqlx::Timestamp| {
        Span::new(minute(start.to_jiff()), minute_after(end.to_jiff()))
    };
    Ok(rows
        .into_iter()
        .map(|row| Live {
            booking: BookingId::from_uuid(row.id),
            resource: row.resource_id,
            span: span(row.start_time, row.end_time),
            treatment: span(row.treatment_start, row.treatment_end),
        })
        .collect())
}
