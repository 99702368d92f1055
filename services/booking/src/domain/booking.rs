//! A visit, from hold to completion.
//!
//! ```text
//! HELD ─► AWAITING_PAYMENT ─► CONFIRMED ─► CHECKED_IN ─► IN_SERVICE ─► COMPLETED
//!   │            │    │           ├─► NO_SHOW
//!   ├────────────┼────┼───────────┴─► CANCELLED
//!   └────────────┴────┴─► EXPIRED ─► CONFIRMED (paid late, and the same time was still free)
//! ```
//!
//! A walk-in goes from HELD to CHECKED_IN at once: see [`super::walk_in`].
//!
//! | change within a state | in |
//! |---|---|
//! | the hold is prolonged | HELD, AWAITING_PAYMENT |
//! | rescheduled | HELD, AWAITING_PAYMENT, CONFIRMED |
//! | moved by staff | these and CHECKED_IN |
//! | lengthened | IN_SERVICE |
//!
//! A transition consumes the booking and gives back a [`Change`]: the booking as it is now, and the step for its
//! history. A transition that the state does not allow fails with WRONG_STATE and changes nothing.

mod life;

use kernel::{
    Money, Timestamp,
    ids::{BookingId, GroupId, ItemId, MemberId, OrderId, PackageId, QuoteId, RoomId, StoreId, TherapistId},
};

use super::visit::Wish as TherapistWish;

/// Where a booking is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// The time is kept; the order is being made.
    Held,
    /// The deposit can be paid.
    AwaitingPayment,
    /// The visit will happen.
    Confirmed,
    /// The customer has come.
    CheckedIn,
    /// The treatment runs.
    InService,
    /// The treatment is done.
    Completed,
    /// Given up by the customer or the store.
    Cancelled,
    /// The customer did not come.
    NoShow,
    /// The deposit was not paid in time.
    Expired,
}

impl State {
    /// Every state with its name in the database.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Held, "HELD"),
        (Self::AwaitingPayment, "AWAITING_PAYMENT"),
        (Self::Confirmed, "CONFIRMED"),
        (Self::CheckedIn, "CHECKED_IN"),
        (Self::InService, "IN_SERVICE"),
        (Self::Completed, "COMPLETED"),
        (Self::Cancelled, "CANCELLED"),
        (Self::NoShow, "NO_SHOW"),
        (Self::Expired, "EXPIRED"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(state, _)| *state)
    }
}

/// Through which way a booking came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The web page.
    Web,
    /// The mobile app.
    App,
    /// The WeChat mini-program.
    MiniProgram,
    /// By telephone; the front desk books.
    Telephone,
    /// At the desk.
    WalkIn,
    /// A partner platform.
    Partner,
}

impl Channel {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Web, "WEB"),
        (Self::App, "APP"),
        (Self::MiniProgram, "MINI_PROGRAM"),
        (Self::Telephone, "TELEPHONE"),
        (Self::WalkIn, "WALK_IN"),
        (Self::Partner, "PARTNER"),
    ];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(channel, _)| *channel == self).map_or("", |(_, name)| name)
    }

    /// Reads the name in the database.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(channel, _)| *channel)
    }
}

/// A visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Its id.
    pub id: BookingId,
    /// Where.
    pub store: StoreId,
    /// What.
    pub item: ItemId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// In which room.
    pub room: RoomId,
    /// With which machine.
    pub equipment: Option<RoomId>,
    /// Whose visit it is.
    pub customer: MemberId,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// Through which way it came.
    pub channel: Channel,
    /// Price before reductions.
    pub list_price: Money,
    /// Price after reductions.
    pub price: Money,
    /// What must be paid to confirm it.
    pub deposit: Money,
    /// How the price came about.
    pub quote: Option<QuoteId>,
    /// Until when the time is kept without a deposit.
    pub hold_expire_time: Timestamp,
    /// When it was made.
    pub create_time: Timestamp,
    /// Counts the changes, from 1.
    pub version: i64,
    /// The package that it was booked as; then `item` is that of its first part.
    pub package: Option<PackageId>,
    /// The parts after the first, in order; empty unless it is a package.
    pub parts: Vec<Part>,
    /// Add-ons of the first part.
    pub add_ons: Vec<ItemId>,
    /// The party that it belongs to.
    pub group: Option<GroupId>,
    /// Minutes by which it was lengthened beyond its items.
    pub extension_minutes: i32,
    /// The customer asked for this therapist.
    pub requested: bool,
    /// How the therapist was found, for people.
    pub assignment: String,
    /// What it was held from.
    pub device: Option<String>,
    /// The partner platform that holds it.
    pub partner: Option<String>,
    /// Up to when the hold may be prolonged.
    pub hold_limit_time: Timestamp,
    /// Why it may overlap others.
    pub overbook_reason: Option<String>,
    /// Who else than a therapist by name was wished for; that one is `therapist` if `requested`.
    pub wish: TherapistWish,
    /// What stays with the store at least if the customer gives it up: what that would have cost when he last had it
    /// moved.
    pub least_fee: Money,
}

/// A further part of a visit of several items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What.
    pub item: ItemId,
    /// Who gives it.
    pub therapist: TherapistId,
    /// In which room.
    pub room: RoomId,
    /// With which machine.
    pub equipment: Option<RoomId>,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
}

/// One step of a booking's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The version that it led to.
    pub version: i64,
    /// The state that it led to.
    pub state: State,
    /// When.
    pub change_time: Timestamp,
    /// Who did it.
    pub actor: String,
    /// Why, in a word for programs.
    pub reason: String,
}

/// A booking after a transition, and the step that it took.
#[derive(Debug, Clone)]
#[must_use]
pub struct Change {
    /// The booking as it is now.
    pub booking: Booking,
    /// The step.
    pub step: Step,
}

/// At whose wish a visit is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The customer's.
    Customer,
    /// The store's.
    Store,
}

impl Wish {
    /// The word for the history.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Customer => "CUSTOMER_REQUEST",
            Self::Store => "STORE_REQUEST",
        }
    }
}

/// When a visit is, who gives it, where and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// Who gives it.
    pub therapist: TherapistId,
    /// In which room.
    pub room: RoomId,
    /// With which machine.
    pub equipment: Option<RoomId>,
    /// The parts after the first.
    pub parts: Vec<Part>,
    /// The customer asked for this therapist.
    pub requested: bool,
    /// How the therapist was found, for people.
    pub assignment: String,
    /// Why it may overlap others.
    pub overbook_reason: Option<String>,
}

/// What is agreed on with the customer, as far as it may change with the time of the visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// See [`Booking::list_price`].
    pub list_price: Money,
    /// See [`Booking::price`].
    pub price: Money,
    /// See [`Booking::least_fee`].
    pub least_fee: Money,
}

/// What a running visit is lengthened by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// How much longer it takes.
    pub minutes: i32,
    /// How much more it costs.
    pub price: Money,
    /// The item that is added; `None` for more of the same.
    pub add_on: Option<ItemId>,
}

impl Booking {
    /// The order of this booking. It follows from the booking's id, so that nobody has to remember it.
    pub fn order(&self) -> OrderId {
        OrderId::derive(self.id.uuid(), "order")
    }

    /// How many minutes each of its therapists works, in all parts together.
    pub fn work(&self) -> Vec<(TherapistId, i32)> {
        let mut work: Vec<(TherapistId, i32)> = Vec::new();
        for (therapist, _, more) in self.tasks() {
            match work.iter_mut().find(|(known, _)| *known == therapist) {
                Some((_, minutes)) => *minutes = minutes.saturating_add(more),
                None => work.push((therapist, more)),
            }
        }
        work
    }

    /// Who gives what for how many minutes, part by part in order.
    pub fn tasks(&self) -> Vec<(TherapistId, ItemId, i32)> {
        let minutes =
            |start: Timestamp, end: Timestamp| i32::try_from(end.duration_since(start).as_mins()).unwrap_or(i32::MAX);
        // The end of the first part is that of the visit, or at the latest the start of the second.
        let first_end = self.parts.first().map_or(self.end_time, |second| second.start_time);
        let first = (self.therapist, self.item, minutes(self.start_time, first_end));
        let further = self.parts.iter();
        let further = further.map(|part| (part.therapist, part.item, minutes(part.start_time, part.end_time)));
        std::iter::once(first).chain(further).collect()
    }

    /// What was agreed on with the customer.
    pub fn agreement(&self) -> Agreement {
        Agreement { list_price: self.list_price, price: self.price, least_fee: self.least_fee }
    }

    /// Minutes from start to end.
    pub fn minutes(&self) -> i64 {
        self.end_time.duration_since(self.start_time).as_mins()
    }
}

#[cfg(test)]
pub(super) mod tests;
