//! Lists of bookings.

use kernel::{
    Timestamp, Uuid,
    ids::{MemberId, StoreId, TherapistId},
};
use pg::PgConnection;

use super::row::{Row, whole_all};
use crate::{
    db::sql,
    domain::booking::{Booking, State},
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
    whole_all(conn, rows).await
}
