//! Time in which a therapist, room or machine can't be booked.

use jiff::SignedDuration;
use kernel::{
    Error, Result, Timestamp, Uuid,
    ids::{BlockId, RoomId, ShiftId, StoreId, TherapistId},
};

use crate::domain::span::{Span, is_whole_minute, list, minute, subtract};

/// The longest block, and the longest time off.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// Minutes of the longest piece in which a block is kept: no allocation may be as long as a day.
const PIECE: i64 = 12 * 60;

/// Why a resource can't be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A pause of a therapist.
    Break,
    /// A therapist is off.
    TimeOff,
    /// A room or machine is out of use.
    Maintenance,
    /// Anything else.
    Other,
}

impl Kind {
    /// Every kind with its name in the database.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Break, "BREAK"),
        (Self::TimeOff, "TIME_OFF"),
        (Self::Maintenance, "MAINTENANCE"),
        (Self::Other, "OTHER"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// What is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// Somebody who gives treatments.
    Therapist(TherapistId),
    /// A room, bed or machine.
    Room(RoomId),
}

impl Resource {
    /// The bare id, as in allocations.
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Therapist(id) => id.uuid(),
            Self::Room(id) => id.uuid(),
        }
    }

    /// The resource name.
    pub fn name(self) -> String {
        match self {
            Self::Therapist(id) => id.name(),
            Self::Room(id) => id.name(),
        }
    }

    /// Reads the name of a therapist or room that came in as `field`.
    pub fn parse_name(field: &str, name: &str) -> Result<Self> {
        TherapistId::parse_name(field, name)
            .map(Self::Therapist)
            .or_else(|_| RoomId::parse_name(field, name).map(Self::Room))
            .map_err(|_| Error::invalid(field, "must be a resource name of the form therapists/<uuid> or rooms/<uuid>"))
    }
}

/// Time in which a resource can't be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its id.
    pub id: BlockId,
    /// Where the resource is.
    pub store: StoreId,
    /// What is blocked.
    pub resource: Resource,
    /// Why.
    pub kind: Kind,
    /// From when.
    pub start_time: Timestamp,
    /// Until when.
    pub end_time: Timestamp,
    /// For people.
    pub reason: String,
    /// The shift whose break it is.
    pub shift: Option<ShiftId>,
    /// It comes from a shift or a request for time off and changes with that.
    pub derived: bool,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it was made.
    pub create_time: Timestamp,
}

impl Block {
    /// The minutes that are blocked.
    pub fn span(&self) -> Span {
        Span::new(minute(self.start_time), minute(self.end_time))
    }

    /// Refuses a change of one that comes from something else.
    pub fn check_own(&self) -> Result<()> {
        if self.derived {
            let text = "the block comes from a shift or a request for time off; change that instead";
            return Err(Error::precondition("BLOCK_IS_DERIVED", text));
        }
        Ok(())
    }
}

/// Refuses a time that ends before it starts, is over by `now`, is longer than 366 days, or does not keep to whole
/// minutes; `field` is where it came in.
pub fn check_times(field: &str, start_time: Timestamp, end_time: Timestamp, now: Timestamp) -> Result<()> {
    for (name, at) in [("start_time", start_time), ("end_time", end_time)] {
        if !is_whole_minute(at) {
            return Err(Error::invalid(format!("{field}.{name}"), "must be a whole minute; leave out seconds"));
        }
    }
    let end = |text: &str| Err(Error::invalid(format!("{field}.end_time"), text));
    let length = end_time.duration_since(start_time);
    if length <= SignedDuration::ZERO {
        return end("must be later than start_time");
    }
    if length > LONGEST {
        return end("must be at most 366 days after start_time");
    }
    if end_time <= now {
        return end("is past; choose a later time");
    }
    Ok(())
}

/// How blocks of one resource keep their time: where several overlap the first in the order given has it, and none has
/// what is in `over` (a list), which finished visits keep. In pieces of up to half a day, by start.
pub fn lay(blocks: &[(BlockId, Span)], over: &[Span]) -> Vec<(BlockId, Span)> {
    let mut taken = over.to_vec();
    let mut pieces = Vec::new();
    for (block, span) in blocks {
        for free in subtract(&[*span], &taken) {
            let starts = (free.start..free.end).step_by(usize::try_from(PIECE).unwrap_or(1));
            pieces.extend(starts.map(|start| (*block, Span::new(start, free.end.min(start + PIECE)))));
        }
        taken.push(*span);
        taken = list(taken);
    }
    pieces.sort_unstable_by_key(|(block, span)| (*span, *block));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(n: u128) -> BlockId {
        BlockId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn the_first_block_has_its_time_and_the_next_what_is_left() {
        let blocks = [(block(1), Span::new(100, 200)), (block(2), Span::new(50, 250)), (block(3), Span::new(120, 150))];
        let pieces = lay(&blocks, &[Span::new(230, 240)]);
        let want = [(2, 50, 100), (1, 100, 200), (2, 200, 230), (2, 240, 250)];
        assert_eq!(pieces, want.map(|(n, start, end)| (block(n), Span::new(start, end))));
    }

    #[test]
    fn no_piece_is_as_long_as_a_day() {
        let pieces = lay(&[(block(1), Span::new(0, 10_000))], &[]);
        assert!(pieces.iter().all(|(_, span)| (1..=PIECE).contains(&span.minutes())));
        assert_eq!(list(pieces.into_iter().map(|(_, span)| span).collect()), [Span::new(0, 10_000)]);
    }

    #[test]
    fn times_that_cannot_be() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let now = at("2026-11-22T12:00:00Z");
        let field =
            |start, end| check_times("block", at(start), at(end), now).err().map(|e| e.violations()[0].field.clone());
        assert_eq!(field("2026-11-22T11:00:00Z", "2026-11-22T13:00:00Z"), None);
        assert_eq!(field("2026-11-23T11:00:00Z", "2026-11-23T11:00:00Z").as_deref(), Some("block.end_time"));
        assert_eq!(field("2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z").as_deref(), Some("block.end_time"));
        assert_eq!(field("2026-11-23T10:00:00Z", "2028-11-23T10:00:00Z").as_deref(), Some("block.end_time"));
        assert_eq!(field("2026-11-23T10:00:01Z", "2026-11-23T11:00:00Z").as_deref(), Some("block.start_time"));
    }
}
