//! The turn list of a store (排钟).
//!
//! Every change concerns one therapist and says where he was and where he is then: applying the changes of the log to an
//! empty list, one after the other, makes the list. What each cause does:
//!
//! | cause | the therapist goes |
//! |---|---|
//! | his shift starts, or the desk puts him on | to the end (if he is on the list already, he stays) |
//! | his shift ends, or the desk takes him off | off the list |
//! | a visit came to him by the list | to the end |
//! | a visit asked for him (点钟) | nowhere; at stores where that counts, to the end |
//! | his visit was given up before it began | to the front: the turn was not used |
//! | he is passed over, or not any more | nowhere |
//! | he refused | by the store's rule: nowhere, to the end, or behind so many others |
//! | the desk moves him | where it says |

use kernel::{
    Error, Result, Timestamp,
    ids::{BookingId, TherapistId},
};

/// A therapist on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub therapist: TherapistId,
    /// He is passed over for now.
    pub skipped: bool,
}

/// A turn list as its log made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// The number of the last change; 0 before the first.
    pub version: i64,
    /// The list, in its order.
    pub turns: Vec<Turn>,
}

/// Why a list changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// His shift started, or the desk put him on.
    Join,
    /// His shift ended, or the desk took him off.
    Leave,
    /// His shift started while he was on the list.
    ShiftStart,
    /// A visit came to him by the list.
    Turn,
    /// A visit that asked for him, where that counts.
    Requested,
    /// His visit was given up before it began.
    TurnReturned,
    /// He is passed over from now on.
    Skip,
    /// He is not passed over any more.
    Resume,
    /// He refused.
    Refusal,
    /// The desk moved him.
    Move,
}

impl Cause {
    /// Every cause with its name in the database.
    pub const ALL: [(Self, &'static str); 10] = [
        (Self::Join, "JOIN"),
        (Self::Leave, "LEAVE"),
        (Self::ShiftStart, "SHIFT_START"),
        (Self::Turn, "TURN"),
        (Self::Requested, "REQUESTED"),
        (Self::TurnReturned, "TURN_RETURNED"),
        (Self::Skip, "SKIP"),
        (Self::Resume, "RESUME"),
        (Self::Refusal, "REFUSAL"),
        (Self::Move, "MOVE"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(cause, _)| *cause == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(cause, _)| *cause)
    }
}

/// What happens to a list. [`Rotation::plan`] makes a [`Change`] of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// To the end of the list.
    Join,
    /// Off the list.
    Leave,
    /// The shift of somebody on the list starts.
    StartShift,
    /// A visit came by the list.
    UseTurn,
    /// A requested visit, where that counts.
    UseTurnByRequest,
    /// A turn was not used.
    ReturnTurn,
    /// Pass him over.
    Skip,
    /// Don't pass him over any more.
    Resume,
    /// He refused.
    Refuse(Refusal),
    /// To this place, from 1.
    Move(usize),
}

/// What a refusal costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusal {
    /// Nothing.
    Stay,
    /// The place: to the end.
    #[default]
    ToEnd,
    /// So many others go first.
    Turns(u16),
}

/// What counts as a turn and what a refusal costs at a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// A requested visit uses up the turn, and counts as work in shares by weight.
    pub requested_counts: bool,
    /// What a refusal costs.
    pub refusal: Refusal,
}

/// A change of one therapist's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Why.
    pub cause: Cause,
    /// Whose.
    pub therapist: TherapistId,
    /// His place before, from 1; `None` if he was off the list.
    pub before: Option<usize>,
    /// His place after.
    pub after: Option<usize>,
    /// Whether he is passed over then.
    pub skipped: bool,
}

/// A change as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The list's version after it.
    pub version: i64,
    /// The change.
    pub change: Change,
    /// The visit that is the cause.
    pub booking: Option<BookingId>,
    /// When the shift began by which he is on the list, or was taken off it.
    pub shift_start: Option<Timestamp>,
    /// Who did it.
    pub actor: String,
    /// What he said.
    pub reason: String,
    /// When.
    pub create_time: Timestamp,
}

impl Rotation {
    /// The list that a log makes, from its first entry on.
    pub fn replay<'a>(log: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut rotation = Self::default();
        for change in log {
            rotation.apply(change);
        }
        rotation
    }

    /// A therapist's place, from 1, and his turn.
    pub fn turn(&self, therapist: TherapistId) -> Option<(usize, Turn)> {
        (1..).zip(&self.turns).find(|(_, turn)| turn.therapist == therapist).map(|(place, turn)| (place, *turn))
    }

    /// What `deed` changes for `therapist`.
    ///
    /// Fails with `FailedPrecondition`: ON_ROTATION when he joins and is on the list, NOT_ON_ROTATION when he is not and
    /// must be; with `InvalidArgument` when there is no such place to move to. Visits change the list even for those who
    /// are off it: they had a turn, or have it back, and stay off.
    pub fn plan(&self, therapist: TherapistId, deed: Deed) -> Result<Change> {
        let found = self.turn(therapist);
        let before = found.map(|(place, _)| place);
        let end = self.turns.len();
        let mut skipped = found.is_some_and(|(_, turn)| turn.skipped);
        let (cause, after) = match deed {
            Deed::Join if before.is_some() => {
                return Err(Error::precondition("ON_ROTATION", "the therapist is on the turn list already"));
            }
            Deed::Join => (Cause::Join, Some(end + 1)),
            Deed::UseTurn => (Cause::Turn, before.map(|_| end)),
            Deed::UseTurnByRequest => (Cause::Requested, before.map(|_| end)),
            Deed::ReturnTurn => (Cause::TurnReturned, before.map(|_| 1)),
            Deed::Leave => {
                place(before)?;
                skipped = false;
                (Cause::Leave, None)
            }
            Deed::StartShift => (Cause::ShiftStart, Some(place(before)?)),
            Deed::Skip | Deed::Resume => {
                skipped = deed == Deed::Skip;
                (if skipped { Cause::Skip } else { Cause::Resume }, Some(place(before)?))
            }
            Deed::Refuse(refusal) => {
                let place = place(before)?;
                let after = match refusal {
                    Refusal::Stay => place,
                    Refusal::ToEnd => end,
                    Refusal::Turns(turns) => place.saturating_add(usize::from(turns)).min(end),
                };
                (Cause::Refusal, Some(after))
            }
            Deed::Move(to) => {
                place(before)?;
                if !(1..=end).contains(&to) {
                    return Err(Error::invalid("place", format!("must be from 1 to {end}, the length of the list")));
                }
                (Cause::Move, Some(to))
            }
        };
        Ok(Change { cause, therapist, before, after, skipped })
    }

    /// Changes the list.
    pub fn apply(&mut self, change: &Change) {
        self.version += 1;
        self.turns.retain(|turn| turn.therapist != change.therapist);
        if let Some(after) = change.after {
            let index = after.saturating_sub(1).min(self.turns.len());
            self.turns.insert(index, Turn { therapist: change.therapist, skipped: change.skipped });
        }
    }
}

fn place(before: Option<usize>) -> Result<usize> {
    before.ok_or_else(|| Error::precondition("NOT_ON_ROTATION", "the therapist is not on the turn list; put him on it"))
}
