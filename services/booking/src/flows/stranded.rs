//! No edit of the roster breaks a visit: it is refused with the visits that stand in its way.

use kernel::{Error, Result, Timestamp, Uuid, ids::BookingId};
use pg::PgConnection;

use crate::db::{self, live::Live};

/// How many bookings a refusal names.
const NAMED: usize = 20;

/// Refuses an edit after which a live booking would lack something: of all that live bookings keep of `resources`
/// (therapists, rooms, machines) from `now` on, each must be `still_served`.
///
/// To be called in the transaction of the edit, which owns the roster, so that nothing is kept meanwhile.
///
/// Errors: FAILED_PRECONDITION/STRANDS_BOOKINGS, see [`refuse`].
pub async fn stranded(
    conn: &mut PgConnection,
    resources: &[Uuid],
    now: Timestamp,
    still_served: impl Fn(&Live) -> bool,
) -> Result<()> {
    let kept = db::live::of_resources(conn, resources, now).await?;
    refuse(kept.into_iter().filter(|live| !still_served(live)).map(|live| live.booking))
}

/// Refuses an edit that would strand `bookings`, unless there are none: FAILED_PRECONDITION/STRANDS_BOOKINGS, with up to
/// 20 of them in the metadata as `bookings` (separated by commas, in the order given) and their number as `count`.
pub fn refuse(bookings: impl IntoIterator<Item = BookingId>) -> Result<()> {
    let mut stranded: Vec<BookingId> = Vec::new();
    for booking in bookings {
        if !stranded.contains(&booking) {
            stranded.push(booking);
        }
    }
    if stranded.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = stranded.iter().take(NAMED).map(|booking| booking.name()).collect();
    let message = format!("{} booked visits stand in the way; move or cancel them first", stranded.len());
    Err(Error::precondition("STRANDS_BOOKINGS", message)
        .with("bookings", names.join(","))
        .with("count", stranded.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_each_booking_once_and_at_most_twenty() {
        assert!(refuse([]).is_ok());
        let many: Vec<_> = (0..25).map(|_| BookingId::new(Timestamp::UNIX_EPOCH)).collect();
        let refused = refuse(many.iter().chain(&many).copied()).expect_err("stranded");
        let facts: Vec<_> = refused.metadata().iter().map(|(key, value)| (*key, value.split(',').count())).collect();
        assert_eq!((refused.reason(), facts), ("STRANDS_BOOKINGS", vec![("bookings", 20), ("count", 1)]));
        assert_eq!(refused.metadata()[1].1, "25");
    }
}
