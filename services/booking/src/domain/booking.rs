//! A visit, from hold to completion.
//!
//! ```text
//! HELD ─► AWAITING_PAYMENT ─► CONFIRMED ─► CHECKED_IN ─► IN_SERVICE ─► COMPLETED
//!   │            │    │           │
//!   ├────────────┼────┼───────────┴─► CANCELLED
//!   └────────────┴────┴─► EXPIRED ─► CONFIRMED (paid late, and the same time was still free)
//! ```
//!
//! A transition consumes the booking and gives back a [`Change`]: the booking as it is now, and the step for its
//! history. A transition that the state does not allow fails with WRONG_STATE and changes nothing.

use jiff::SignedDuration;
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, GroupId, ItemId, MemberId, OrderId, PackageId, QuoteId, RoomId, StoreId, TherapistId},
};

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

/// What a cancellation means for the customer's money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refund {
    /// All that was paid comes back.
    All,
    /// All but the deposit comes back.
    AllButDeposit,
}

impl Booking {
    /// The order of this booking. It follows from the booking's id, so that nobody has to remember it.
    pub fn order(&self) -> OrderId {
        OrderId::derive(self.id.uuid(), "order")
    }

    /// The first step of a booking that was just made.
    pub fn made(self, actor: &str) -> Change {
        let step = self.step_at(self.create_time, actor, "");
        Change { booking: self, step }
    }

    /// The order is there: the deposit can be paid. There is nothing to wait for if none is asked.
    pub fn order_made(self, now: Timestamp, actor: &str) -> Result<Change> {
        let next = if self.deposit.is_zero() { State::Confirmed } else { State::AwaitingPayment };
        self.go(&[State::Held], next, now, actor, "ORDER_MADE")
    }

    /// The deposit is paid. Also when it came before we knew of the order.
    pub fn confirm(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Held, State::AwaitingPayment], State::Confirmed, now, actor, "DEPOSIT_PAID")
    }

    /// The deposit came after the hold had ended, and the same time could be had again.
    pub fn reinstate(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Expired], State::Confirmed, now, actor, "DEPOSIT_PAID_LATE")
    }

    /// The customer has come.
    pub fn check_in(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Confirmed], State::CheckedIn, now, actor, "")
    }

    /// The treatment begins.
    pub fn start(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::CheckedIn], State::InService, now, actor, "")
    }

    /// The treatment is done.
    pub fn complete(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::InService], State::Completed, now, actor, "")
    }

    /// The visit is given up.
    pub fn cancel(self, now: Timestamp, actor: &str, reason: &str) -> Result<Change> {
        self.go(&[State::Held, State::AwaitingPayment, State::Confirmed], State::Cancelled, now, actor, reason)
    }

    /// The deposit was not paid in time. Not before `hold_expire_time`.
    pub fn expire(self, now: Timestamp, actor: &str) -> Result<Change> {
        if now < self.hold_expire_time {
            return Err(Error::precondition("HOLD_RUNS", "the hold has not run out yet"));
        }
        self.go(&[State::Held, State::AwaitingPayment], State::Expired, now, actor, "DEPOSIT_NOT_PAID")
    }

    /// What comes back if it is given up at `now`. All, unless the customer gives up a confirmed visit less than `notice`
    /// before its start.
    pub fn refund_at(&self, now: Timestamp, notice: SignedDuration, wish: Wish) -> Refund {
        let late = now + notice > self.start_time;
        if self.state == State::Confirmed && wish == Wish::Customer && late {
            Refund::AllButDeposit
        } else {
            Refund::All
        }
    }

    fn go(mut self, from: &[State], to: State, now: Timestamp, actor: &str, reason: &str) -> Result<Change> {
        if !from.contains(&self.state) {
            return Err(Error::precondition(
                "WRONG_STATE",
                format!("the booking is {}; that is not possible any more", self.state.as_str()),
            )
            .with("state", self.state.as_str()));
        }
        self.state = to;
        self.version += 1;
        let step = self.step_at(now, actor, reason);
        Ok(Change { booking: self, step })
    }

    fn step_at(&self, change_time: Timestamp, actor: &str, reason: &str) -> Step {
        Step {
            version: self.version,
            state: self.state,
            change_time,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn booking(state: State) -> Booking {
        let now = at(0);
        Booking {
            id: BookingId::new(now),
            store: StoreId::new(now),
            item: ItemId::new(now),
            therapist: TherapistId::new(now),
            room: RoomId::new(now),
            equipment: None,
            customer: MemberId::new(now),
            start_time: at(7_200),
            end_time: at(10_800),
            state,
            channel: Channel::Web,
            list_price: Money::new(20_000, Currency::CNY),
            price: Money::new(16_000, Currency::CNY),
            deposit: Money::new(3_200, Currency::CNY),
            quote: None,
            hold_expire_time: at(600),
            create_time: now,
            version: 1,
            package: None,
            parts: Vec::new(),
            add_ons: Vec::new(),
            group: None,
            extension_minutes: 0,
            requested: false,
            assignment: String::new(),
            device: None,
            partner: None,
            hold_limit_time: at(1_800),
            overbook_reason: None,
        }
    }

    type Transition = (&'static str, fn(Booking) -> Result<Change>, &'static [State], State);

    /// Every transition from every state: allowed from those listed, WRONG_STATE from all others.
    #[test]
    fn no_transition_skips_the_guard() {
        use State::*;
        let table: [Transition; 8] = [
            ("order_made", |b| b.order_made(at(1), "a"), &[Held], AwaitingPayment),
            ("confirm", |b| b.confirm(at(1), "a"), &[Held, AwaitingPayment], Confirmed),
            ("reinstate", |b| b.reinstate(at(1), "a"), &[Expired], Confirmed),
            ("check_in", |b| b.check_in(at(1), "a"), &[Confirmed], CheckedIn),
            ("start", |b| b.start(at(1), "a"), &[CheckedIn], InService),
            ("complete", |b| b.complete(at(1), "a"), &[InService], Completed),
            ("cancel", |b| b.cancel(at(1), "a", ""), &[Held, AwaitingPayment, Confirmed], Cancelled),
            ("expire", |b| b.expire(at(600), "a"), &[Held, AwaitingPayment], Expired),
        ];
        for (name, transition, from, to) in table {
            for (state, _) in State::ALL {
                match transition(booking(state)) {
                    Ok(change) => {
                        assert!(from.contains(&state), "{name} from {state:?}");
                        assert_eq!((change.booking.state, change.booking.version), (to, 2), "{name}");
                        assert_eq!((change.step.state, change.step.version), (to, 2), "{name}");
                    }
                    Err(error) => {
                        assert!(!from.contains(&state), "{name} from {state:?}");
                        assert_eq!(error.reason(), "WRONG_STATE");
                    }
                }
            }
        }
    }

    #[test]
    fn a_hold_does_not_expire_early() {
        assert_eq!(booking(State::Held).expire(at(599), "a").map_err(|e| e.reason()).err(), Some("HOLD_RUNS"));
    }

    #[test]
    fn nothing_to_pay_means_nothing_to_wait_for() {
        let free = Booking { deposit: Money::zero(Currency::CNY), ..booking(State::Held) };
        assert_eq!(free.order_made(at(1), "a").map(|change| change.booking.state).ok(), Some(State::Confirmed));
    }

    #[test]
    fn the_notice_is_kept_up_to_the_very_second() {
        let refund = |state, second, wish| booking(state).refund_at(at(second), SignedDuration::from_hours(1), wish);
        assert_eq!(refund(State::Confirmed, 3_600, Wish::Customer), Refund::All);
        assert_eq!(refund(State::Confirmed, 3_601, Wish::Customer), Refund::AllButDeposit);
        assert_eq!(refund(State::Confirmed, 3_601, Wish::Store), Refund::All);
        assert_eq!(refund(State::AwaitingPayment, 3_601, Wish::Customer), Refund::All);
    }

    #[test]
    fn every_state_has_a_name_that_reads_back() {
        for (state, name) in State::ALL {
            assert_eq!((state.as_str(), State::parse(name)), (name, Some(state)));
        }
        assert_eq!(State::parse("held"), None);
    }
}
