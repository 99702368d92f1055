//! The transitions: what may follow what.

use jiff::SignedDuration;
use kernel::{Error, Result, Timestamp};

use super::{Agreement, Booking, Change, Extension, Placement, State, Step};

impl Booking {
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

    /// The customer takes the time that was offered to him; there is no deposit to wait for.
    pub fn accept(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_hold(now)?;
        self.go(&[State::Held], State::Confirmed, now, actor, "ACCEPTED")
    }

    /// The deposit is paid. Also when it came before we knew of the order.
    pub fn confirm(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Held, State::AwaitingPayment], State::Confirmed, now, actor, "DEPOSIT_PAID")
    }

    /// The deposit came after the hold had ended, and the same time could be had again.
    pub fn reinstate(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Expired], State::Confirmed, now, actor, "DEPOSIT_PAID_LATE")
    }

    /// The customer has come. Not more than `early` before the start.
    pub fn check_in(self, early: SignedDuration, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_state(&[State::Confirmed])?;
        let first = self.start_time - early;
        if now < first {
            let text = format!("the visit can be checked in from {first} on; move it if it shall take place now");
            return Err(Error::precondition("TOO_EARLY", text).with("time", first));
        }
        self.go(&[State::Confirmed], State::CheckedIn, now, actor, "")
    }

    /// Somebody who came without a booking is called: he is here, and pays at the end.
    pub fn seat(self, now: Timestamp, actor: &str) -> Result<Change> {
        self.go(&[State::Held], State::CheckedIn, now, actor, "WALK_IN")
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

    /// The time is kept for longer without a deposit: until `until`, at most up to `hold_limit_time`.
    pub fn extend_hold(mut self, until: Timestamp, now: Timestamp, actor: &str) -> Result<Change> {
        let state = self.state;
        self.check_state(&[State::Held, State::AwaitingPayment])?;
        self.check_hold(now)?;
        let until = until.min(self.hold_limit_time);
        if until <= self.hold_expire_time {
            return Err(Error::precondition("HOLD_LIMIT", "the time can't be kept for longer; pay the deposit")
                .with("hold_limit_time", self.hold_limit_time));
        }
        self.hold_expire_time = until;
        Ok(self.step_to(state, now, actor, "HOLD_EXTENDED"))
    }

    /// It goes on at another time or with another therapist, as the customer wishes.
    pub fn reschedule(mut self, to: Placement, agreed: Agreement, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_reschedule(now)?;
        self.list_price = agreed.list_price;
        self.price = agreed.price;
        self.least_fee = agreed.least_fee;
        Ok(self.placed(to, now, actor, "RESCHEDULED"))
    }

    /// Whether the state lets [`Booking::reschedule`] pass.
    pub fn check_reschedule(&self, now: Timestamp) -> Result<()> {
        self.check_state(&[State::Held, State::AwaitingPayment, State::Confirmed])?;
        self.check_hold(now)
    }

    /// Staff move it, and make it `extension_minutes` longer than its items.
    pub fn move_to(mut self, to: Placement, extension_minutes: i32, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_move(now)?;
        self.extension_minutes = extension_minutes;
        Ok(self.placed(to, now, actor, "MOVED"))
    }

    /// Whether the state lets [`Booking::move_to`] pass.
    pub fn check_move(&self, now: Timestamp) -> Result<()> {
        self.check_state(&[State::Held, State::AwaitingPayment, State::Confirmed, State::CheckedIn])?;
        self.check_hold(now)
    }

    /// The running visit is made longer, and costs more.
    pub fn extend(mut self, to: Placement, by: &Extension, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_extend()?;
        match by.add_on {
            Some(item) => self.add_ons.push(item),
            None => self.extension_minutes += by.minutes,
        }
        self.list_price = self.list_price.try_add(by.price)?;
        self.price = self.price.try_add(by.price)?;
        Ok(self.placed(to, now, actor, "EXTENDED"))
    }

    /// Whether the state lets [`Booking::extend`] pass.
    pub fn check_extend(&self) -> Result<()> {
        self.check_state(&[State::InService])
    }

    /// The customer has not come. Not before `grace` after the start.
    pub fn no_show(self, grace: SignedDuration, now: Timestamp, actor: &str) -> Result<Change> {
        self.check_state(&[State::Confirmed])?;
        if now < self.start_time + grace {
            return Err(Error::precondition("TOO_EARLY", "the customer may still come; wait until then")
                .with("time", self.start_time + grace));
        }
        self.go(&[State::Confirmed], State::NoShow, now, actor, "NO_SHOW")
    }

    fn placed(mut self, to: Placement, now: Timestamp, actor: &str, reason: &str) -> Change {
        let state = self.state;
        self.start_time = to.start_time;
        self.end_time = to.end_time;
        self.therapist = to.therapist;
        self.room = to.room;
        self.equipment = to.equipment;
        self.parts = to.parts;
        self.requested = to.requested;
        self.assignment = to.assignment;
        self.overbook_reason = to.overbook_reason;
        self.step_to(state, now, actor, reason)
    }

    fn check_state(&self, from: &[State]) -> Result<()> {
        if from.contains(&self.state) {
            return Ok(());
        }
        let text = format!("the booking is {}; that is not possible any more", self.state.as_str());
        Err(Error::precondition("WRONG_STATE", text).with("state", self.state.as_str()))
    }

    /// A hold that has run out keeps nothing any more, whether or not somebody has noticed.
    fn check_hold(&self, now: Timestamp) -> Result<()> {
        if matches!(self.state, State::Held | State::AwaitingPayment) && now >= self.hold_expire_time {
            return Err(Error::precondition("HOLD_ENDED", "the hold has run out; hold a time again"));
        }
        Ok(())
    }

    fn go(self, from: &[State], to: State, now: Timestamp, actor: &str, reason: &str) -> Result<Change> {
        self.check_state(from)?;
        Ok(self.step_to(to, now, actor, reason))
    }

    fn step_to(mut self, to: State, now: Timestamp, actor: &str, reason: &str) -> Change {
        self.state = to;
        self.version += 1;
        let step = self.step_at(now, actor, reason);
        Change { booking: self, step }
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
