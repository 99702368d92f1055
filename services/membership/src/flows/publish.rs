//! Telling others what happened to a member.

use kernel::Timestamp;
use pg::{
    Tx,
    outbox::{self, NewEvent},
};
use prost::{Message, Name};

use crate::domain::member::Member;

/// Writes the next event about a member, who is locked or new; the caller saves him.
pub(super) async fn publish<M: Message + Name>(
    tx: &mut Tx,
    member: &mut Member,
    payload: &M,
    now: Timestamp,
) -> pg::Result<()> {
    member.version += 1;
    outbox::append(tx, NewEvent::new(member.id.uuid(), member.version, now, payload)).await?;
    Ok(())
}
