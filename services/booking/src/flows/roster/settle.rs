//! What blocks keep of a resource follows from the blocks: a block that comes, goes or changes has all those around it
//! laid anew. So time off may lie over breaks, and when it is withdrawn the breaks are back.

use kernel::{Error, Result, Timestamp, Uuid};
use pg::PgConnection;

use crate::{
    db,
    domain::{
        roster::block::lay,
        span::{Span, intersect, list, subtract},
    },
    flows::stranded,
};

/// Lays the blocks of `resource` that touch `span` anew, in a transaction that owns the roster.
///
/// Errors: FAILED_PRECONDITION/STRANDS_BOOKINGS if a live booking keeps what would be blocked now and was not before;
/// ABORTED/CONCURRENT_CHANGE if somebody else keeps it by the time that it is taken.
pub async fn settle(conn: &mut PgConnection, resource: Uuid, mut span: Span, now: Timestamp) -> Result<()> {
    let mut blocks = db::block::touching(conn, resource, span).await?;
    // Those that overlap these must be laid with them.
    loop {
        let hull = |wide: Span, other: Span| Span::new(wide.start.min(other.start), wide.end.max(other.end));
        let wide = blocks.iter().fold(span, |wide, (_, other)| hull(wide, *other));
        if wide == span {
            break;
        }
        span = wide;
        blocks = db::block::touching(conn, resource, span).await?;
    }
    let ids: Vec<Uuid> = blocks.iter().map(|(block, _)| block.uuid()).collect();
    let before = db::block::release(conn, &ids).await?;
    let booked = db::block::booked(conn, resource, span, now).await?;
    let over = list(booked.iter().filter(|it| !it.live && !it.overbooked).map(|it| it.span).collect());
    let pieces = lay(&blocks, &over);
    let newly = subtract(&list(pieces.iter().map(|(_, span)| *span).collect()), &before);
    let in_the_way = booked.iter().filter(|it| it.live && !intersect(&newly, &[it.span]).is_empty());
    stranded::refuse(in_the_way.map(|it| it.booking))?;
    if !db::block::take(conn, resource, &pieces).await? {
        return Err(Error::aborted("CONCURRENT_CHANGE", "a visit got in between; try again"));
    }
    Ok(())
}
