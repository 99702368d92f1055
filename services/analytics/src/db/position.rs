//! How far the feeds were counted.

use kernel::Timestamp;
use pg::{PgConnection, outbox::PARTITIONS};

use super::sql;
use crate::domain::{Feed, FeedPosition};

/// Counts one event. It must be the first statement of the event's transaction: `clear` locks in the same order.
#[tracing::instrument(name = "db.feed_position.count", skip_all)]
pub async fn count(conn: &mut PgConnection, feed: Feed, partition: i16, occurred: Timestamp) -> pg::Result<()> {
    sqlx::query!(
        "insert into feed_position (feed, partition, event_count, last_occur_time) values ($1, $2, 1, $3)
         on conflict (feed, partition) do update
         set event_count = feed_position.event_count + 1,
             last_occur_time = greatest(feed_position.last_occur_time, excluded.last_occur_time)",
        feed.name(),
        partition,
        sql(occurred) as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The position of every partition of every feed, by feed and partition.
#[tracing::instrument(name = "db.feed_position.list", skip_all)]
pub async fn list(conn: &mut PgConnection) -> pg::Result<Vec<FeedPosition>> {
    let feeds: Vec<String> = Feed::ALL.iter().map(|feed| feed.name().to_owned()).collect();
    let rows = sqlx::query!(
        r#"select feed.name as "feed!", number::smallint as "partition!",
                  coalesce(position.event_count, 0) as "event_count!", position.last_occur_time as "last_occur_time?"
           from unnest($1::text[]) as feed(name)
           cross join generate_series(0, $2::integer - 1) as number
           left join feed_position as position on position.feed = feed.name and position.partition = number
           order by feed.name, number"#,
        &feeds,
        i32::from(PARTITIONS),
    )
    .fetch_all(conn)
    .await?;
    let positions = rows.into_iter().map(|row| FeedPosition {
        feed: row.feed,
        partition: row.partition,
        event_count: row.event_count,
        last_occur_time: row.last_occur_time.map(jiff_sqlx::Timestamp::to_jiff),
    });
    Ok(positions.collect())
}

/// Forgets every fact and every count. Readers and writers of facts wait until the transaction ends.
#[tracing::instrument(name = "db.feed_position.clear", skip_all)]
pub async fn clear(conn: &mut PgConnection) -> pg::Result<()> {
    sqlx::query!(
        "truncate feed_position, dim_store, fact_booking, fact_payment, fact_refund, fact_member, fact_points,
                  fact_coupon, fact_message, fact_booking_change"
    )
    .execute(conn)
    .await?;
    Ok(())
}
