//! Locks on names, for rules that span rows: "at most so many", "one after the other".
//!
//! Everybody locks in one order: the roster ([`super::roster`]), then these, then the group of a booking, then rows of
//! bookings by id, then allocations by resource and start. They end with the transaction and cost no write.

use kernel::{
    Uuid,
    ids::{MemberId, StoreId, TherapistId},
};
use pg::PgConnection;

/// What can be locked. The order of the variants is the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name<'a> {
    /// The holds of a customer.
    Customer(MemberId),
    /// The holds from a device.
    Device(&'a str),
    /// The holds of a partner platform.
    Partner(&'a str),
    /// How much of a store's days partners have booked.
    Quota(StoreId),
    /// The queue of a store.
    Queue(StoreId),
    /// Whose turn it is at a store, and what work is credited there.
    Assignments(StoreId),
    /// The work of a therapist.
    Therapist(TherapistId),
}

impl Name<'_> {
    /// What Postgres knows it by. A clash of two names of one sort only makes them wait for each other.
    fn key(self) -> (i32, i32) {
        let part = |id: Uuid| {
            let [.., a, b, c, d] = id.into_bytes();
            i32::from_be_bytes([a, b, c, d])
        };
        let text = |text| part(kernel::ids::derive(Uuid::nil(), text));
        match self {
            Self::Customer(id) => (1, part(id.uuid())),
            Self::Device(device) => (2, text(device)),
            Self::Partner(partner) => (3, text(partner)),
            Self::Quota(store) => (4, part(store.uuid())),
            Self::Queue(store) => (5, part(store.uuid())),
            Self::Assignments(store) => (6, part(store.uuid())),
            Self::Therapist(id) => (7, part(id.uuid())),
        }
    }
}

/// Waits until nobody else has any of these, and keeps them until the transaction ends. To be called once in a
/// transaction: a second call could wait for somebody who waits for the first. What is read by the next statement is
/// what the holder before has left.
#[tracing::instrument(name = "db.locks.take", skip_all)]
pub async fn take(conn: &mut PgConnection, names: &[Name<'_>]) -> pg::Result<()> {
    let (sorts, names) = keys(names);
    // A function's rows come in the order of its arrays, and each is locked as it comes.
    sqlx::query!(
        "select pg_advisory_xact_lock(sort, name) from unnest($1::integer[], $2::integer[]) as lock (sort, name)",
        &sorts,
        &names,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What Postgres knows names by, in the order in which they are taken, each once.
pub(super) fn keys(names: &[Name<'_>]) -> (Vec<i32>, Vec<i32>) {
    let mut keys: Vec<(i32, i32)> = names.iter().map(|name| name.key()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().unzip()
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;

    #[test]
    fn names_of_two_sorts_never_clash_and_one_is_always_the_same() {
        let id = MemberId::new(Timestamp::UNIX_EPOCH);
        assert_eq!(Name::Customer(id).key(), Name::Customer(id).key());
        assert_ne!(Name::Device("a").key(), Name::Partner("a").key());
        assert_ne!(Name::Device("a").key(), Name::Device("b").key());
    }
}
