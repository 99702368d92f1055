//! The contract: its states, and what may be done in which.

use jiff::{Span, civil::Date, tz::TimeZone};
use kernel::{
    Error, Money, Result, Timestamp,
    ids::{ContractId, MemberId, OrderId, StoreId},
};

use super::{Session, Terms};
use crate::domain::refund_law::Days;

/// Where a contract is in its life. That it rests follows from its freezes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not paid.
    Draft,
    /// It can be used.
    Active,
    /// All sessions were had.
    UsedUp,
    /// Its time is over.
    Expired,
    /// It was ended.
    Refunded,
    /// Its order ended before it was paid.
    Cancelled,
}

impl State {
    /// All of them.
    const ALL: [Self; 6] = [Self::Draft, Self::Active, Self::UsedUp, Self::Expired, Self::Refunded, Self::Cancelled];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::UsedUp => "used_up",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What happened to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// A word for programs.
    pub word: &'static str,
    /// What it happened to besides; may be empty.
    pub about: String,
    /// The version that it made of the contract.
    pub version: i64,
    /// The state after it.
    pub state: State,
}

/// What a contract is made from.
#[derive(Debug, Clone)]
pub struct NewContract {
    /// The id to give it.
    pub id: ContractId,
    /// Who buys it.
    pub customer: MemberId,
    /// Which store sells it.
    pub store: StoreId,
    /// What is agreed.
    pub terms: Terms,
    /// The IANA name of the store's time zone.
    pub time_zone: String,
}

/// A prepaid contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// What it is paid with.
    pub order: OrderId,
    /// Where it was sold.
    pub store: StoreId,
    /// Who bought it.
    pub buyer: MemberId,
    /// Whose it is.
    pub holder: MemberId,
    /// What was agreed.
    pub terms: Terms,
    /// In whose days it is reckoned: the store's when the contract was made.
    pub time_zone: String,
    /// Where it is in its life.
    pub state: State,
    /// Its first day; `None` before it is paid.
    pub start: Option<Date>,
    /// Its last day; `None` before it is paid, or if it has no end.
    pub end: Option<Date>,
    /// When it rests, in order and apart.
    pub frozen: Vec<Days>,
    /// Sessions that are not free.
    pub sessions: Vec<Session>,
    /// What was earned of it, breakage included.
    pub recognised: Money,
    /// Of it, breakage.
    pub breakage: Money,
    /// When it was made.
    pub create_time: Timestamp,
    /// That of its newest event, from 1.
    pub version: i64,
}

impl Contract {
    /// Makes a draft.
    ///
    /// # Errors
    /// `InvalidArgument` naming each wrong field of the terms.
    pub fn create(new: NewContract, now: Timestamp) -> Result<Self> {
        new.terms.check()?;
        let nothing = Money::zero(new.terms.price.currency());
        Ok(Self {
            id: new.id,
            order: OrderId::derive(new.id.uuid(), "order"),
            store: new.store,
            buyer: new.customer,
            holder: new.customer,
            terms: new.terms,
            time_zone: new.time_zone,
            state: State::Draft,
            start: None,
            end: None,
            frozen: Vec::new(),
            sessions: Vec::new(),
            recognised: nothing,
            breakage: nothing,
            create_time: now,
            version: 1,
        })
    }

    /// That it was made.
    pub fn made(&self) -> Change {
        Change { word: "created", about: String::new(), version: self.version, state: self.state }
    }

    /// Whether it was made from the same content.
    pub fn is_made_from(&self, new: &NewContract) -> bool {
        self.id == new.id && self.store == new.store && self.buyer == new.customer && self.terms == new.terms
    }

    /// The day of an instant, where it was sold.
    ///
    /// # Errors
    /// Internal, if the zone is not known any more.
    pub fn day(&self, at: Timestamp) -> Result<Date> {
        Ok(at.to_zoned(TimeZone::get(&self.time_zone).map_err(Error::internal)?).date())
    }

    /// What is still owed of it.
    ///
    /// # Errors
    /// None, as long as no more is earned than was paid.
    pub fn owed(&self) -> Result<Money> {
        match self.state {
            State::Draft | State::Refunded | State::Cancelled => Ok(Money::zero(self.terms.price.currency())),
            State::Active | State::UsedUp | State::Expired => self.terms.price.try_sub(self.recognised),
        }
    }

    /// Whether it rests on `day`.
    pub fn rests(&self, day: Date) -> bool {
        self.frozen.iter().any(|days| days.first <= day && day <= days.last)
    }

    /// Whether sessions are set aside.
    pub fn is_reserved(&self) -> bool {
        self.sessions.iter().any(|session| !session.had)
    }

    /// All of its order is paid. One that is not a draft stays as it is.
    pub fn activate(&mut self, today: Date) -> Option<Change> {
        if self.state != State::Draft {
            return None;
        }
        self.state = State::Active;
        self.start = Some(today);
        self.end = self.terms.days.map(|days| later(today, i64::from(days) - 1));
        Some(self.changed("activated", String::new()))
    }

    /// Its order ended unpaid. One that is not a draft stays as it is.
    pub fn cancel(&mut self) -> Option<Change> {
        if self.state != State::Draft {
            return None;
        }
        self.state = State::Cancelled;
        Some(self.changed("cancelled", String::new()))
    }

    /// The session of an item that is to be set aside next.
    ///
    /// # Errors
    /// `CONTRACT_NOT_USABLE`, `NO_SESSION_LEFT`, or `InvalidArgument` on `item`.
    pub fn next_session(&self, item: &str, today: Date) -> Result<Session> {
        self.must_be_usable(today)?;
        if self.terms.is_pass() {
            return Ok(Session { position: None, ordinal: 0, had: false });
        }
        let position = self.terms.items.iter().position(|of| of.item == item);
        let position = position.ok_or_else(|| Error::invalid("item", "must be an item of the contract"))?;
        let count = self.terms.items.get(position).map_or(0, super::Item::sessions);
        let is_free = |ordinal: &u32| {
            !self.sessions.iter().any(|taken| taken.position == Some(position) && taken.ordinal == *ordinal)
        };
        let ordinal = (0..count).find(is_free).ok_or_else(|| {
            Error::precondition("NO_SESSION_LEFT", "all sessions of this item were had or are set aside")
                .with("contract", self.id)
                .with("item", item)
        })?;
        Ok(Session { position: Some(position), ordinal, had: false })
    }

    fn must_be_usable(&self, today: Date) -> Result<()> {
        let refused = |message| {
            Err(Error::precondition("CONTRACT_NOT_USABLE", message)
                .with("contract", self.id)
                .with("state", self.state.as_str()))
        };
        match self.state {
            State::Draft => refused("the contract is not paid"),
            State::Active if self.rests(today) => refused("the contract rests; end the rest first"),
            State::Active if self.is_over(today) => refused("the contract's time is over"),
            State::Active => Ok(()),
            State::UsedUp => refused("all sessions of the contract were had"),
            State::Expired => refused("the contract's time is over"),
            State::Refunded | State::Cancelled => refused("the contract has ended"),
        }
    }

    fn is_over(&self, today: Date) -> bool {
        self.end.is_some_and(|end| end < today)
    }

    /// A session was had that is worth `value`.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn use_committed(&mut self, session: Session, value: Money, about: String) -> Result<Vec<Change>> {
        let same = |of: &&mut Session| of.position == session.position && of.ordinal == session.ordinal && !of.had;
        if let Some(session) = self.sessions.iter_mut().find(same) {
            session.had = true;
        }
        self.recognised = self.recognised.try_add(value)?;
        let mut changes = vec![self.changed("use_committed", about)];
        let all: usize = self.terms.items.iter().map(|item| item.sessions() as usize).sum();
        let had = self.sessions.iter().filter(|session| session.had).count();
        let open = matches!(self.state, State::Active | State::Expired);
        if !self.terms.is_pass() && had == all && open {
            self.state = State::UsedUp;
            changes.push(self.changed("used_up", String::new()));
        }
        Ok(changes)
    }

    /// Whether a session of it that was had can be had again: as long as nothing of it was given back or written off.
    pub fn takes_back(&self) -> bool {
        matches!(self.state, State::Active | State::UsedUp | State::Expired) && self.breakage.is_zero()
    }

    /// A session that was had, and is worth `value`, is free again: it is owed again.
    ///
    /// # Errors
    /// Internal, if it was not had.
    pub fn use_returned(&mut self, session: Session, value: Money, today: Date, about: String) -> Result<Change> {
        self.recognised = self.recognised.try_sub(value)?;
        if self.recognised.is_negative() {
            return Err(Error::internal(format!("{} has not earned {value}", self.id)));
        }
        let same = |of: &Session| of.position == session.position && of.ordinal == session.ordinal && of.had;
        if let Some(at) = self.sessions.iter().position(same) {
            self.sessions.remove(at);
        }
        if self.state == State::UsedUp {
            self.state = if self.is_over(today) { State::Expired } else { State::Active };
        }
        Ok(self.changed("use_returned", about))
    }

    /// Rests for `days` from today on.
    ///
    /// # Errors
    /// `CONTRACT_NOT_ACTIVE`, `CONTRACT_FROZEN`, `USES_RESERVED` or `FREEZE_LIMIT`.
    pub fn freeze(&mut self, days: u16, today: Date) -> Result<Change> {
        self.must_be_active(today)?;
        self.must_be_unreserved()?;
        // Two rests that touch the same day would count it twice.
        if self.frozen.last().is_some_and(|last| today <= last.last) {
            return Err(Error::precondition("CONTRACT_FROZEN", "the contract rests already").with("contract", self.id));
        }
        let before: i64 = self.frozen.iter().map(|days| length(*days)).sum();
        let most = i64::from(self.terms.max_freeze_days);
        if before + i64::from(days) > most {
            return Err(Error::precondition("FREEZE_LIMIT", "that is longer than the contract may still rest")
                .with("days_left", most - before));
        }
        let rest = Days { first: today, last: later(today, i64::from(days) - 1) };
        self.frozen.push(rest);
        self.end = self.end.map(|end| later(end, i64::from(days)));
        Ok(self.changed("frozen", format!("{}/{}", rest.first, rest.last)))
    }

    /// Ends the rest: today counts again, and so do the days after it.
    ///
    /// # Errors
    /// `CONTRACT_NOT_FROZEN`.
    pub fn unfreeze(&mut self, today: Date) -> Result<Change> {
        let Some(rest) = self.frozen.pop_if(|last| last.first <= today && today <= last.last) else {
            return Err(
                Error::precondition("CONTRACT_NOT_FROZEN", "the contract doesn't rest").with("contract", self.id)
            );
        };
        if rest.first < today {
            self.frozen.push(Days { first: rest.first, last: later(today, -1) });
        }
        let given_back = length(Days { first: today, last: rest.last });
        self.end = self.end.map(|end| later(end, -given_back));
        Ok(self.changed("unfrozen", String::new()))
    }

    /// Moves the end by `days`; of one that has run out, from today on.
    ///
    /// # Errors
    /// `CONTRACT_ENDED`, `CONTRACT_LAPSED` or `NO_END`.
    pub fn extend(&mut self, days: u16, today: Date) -> Result<Change> {
        if !matches!(self.state, State::Active | State::Expired) {
            return Err(self.ended());
        }
        let Some(end) = self.end else {
            return Err(Error::precondition("NO_END", "the contract has no end").with("contract", self.id));
        };
        if !self.breakage.is_zero() {
            let message = "what was left of the contract is written off; make a new one";
            return Err(Error::precondition("CONTRACT_LAPSED", message).with("contract", self.id));
        }
        let end = later(end.max(later(today, -1)), i64::from(days));
        self.end = Some(end);
        self.state = State::Active;
        Ok(self.changed("extended", end.to_string()))
    }

    /// Hands it over.
    ///
    /// # Errors
    /// `CONTRACT_NOT_ACTIVE` or `USES_RESERVED`; `InvalidArgument` on `holder` if it is his.
    pub fn transfer(&mut self, holder: MemberId, today: Date) -> Result<Change> {
        self.must_be_active(today)?;
        self.must_be_unreserved()?;
        if holder == self.holder {
            return Err(Error::invalid("holder", "must be somebody else than who has it"));
        }
        let before = std::mem::replace(&mut self.holder, holder);
        Ok(self.changed("transferred", before.name()))
    }

    /// Its time is over; `None` if it isn't, or something is still set aside.
    pub fn expire(&mut self, today: Date) -> Option<Change> {
        if self.state != State::Active || !self.is_over(today) || self.is_reserved() {
            return None;
        }
        self.state = State::Expired;
        Some(self.changed("expired", String::new()))
    }

    /// Whether its end may give something back.
    ///
    /// # Errors
    /// `CONTRACT_NOT_REFUNDABLE` or `USES_RESERVED`.
    pub fn must_be_refundable(&self) -> Result<()> {
        if !matches!(self.state, State::Active | State::Expired) {
            let message = "only a contract that is paid, not used up and not ended gives something back";
            return Err(Error::precondition("CONTRACT_NOT_REFUNDABLE", message)
                .with("contract", self.id)
                .with("state", self.state.as_str()));
        }
        self.must_be_unreserved()
    }

    /// Some of a contract for a time was earned.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn earned(&mut self, more: Money) -> Result<()> {
        self.recognised = self.recognised.try_add(more)?;
        Ok(())
    }

    /// What is left of an expired one is written off as breakage.
    ///
    /// # Errors
    /// As [`owed`](Self::owed).
    pub fn lapse(&mut self) -> Result<Change> {
        self.breakage = self.breakage.try_add(self.owed()?)?;
        self.recognised = self.terms.price;
        Ok(self.changed("lapsed", String::new()))
    }

    /// It was ended, and of what was paid `back` goes back; nothing of it is owed any more.
    ///
    /// # Errors
    /// None, as long as no more goes back than was paid.
    pub fn refunded(&mut self, back: Money) -> Result<Change> {
        self.state = State::Refunded;
        self.recognised = self.terms.price.try_sub(back)?;
        if self.breakage.minor() > self.recognised.minor() {
            self.breakage = self.recognised;
        }
        Ok(self.changed("refunded", String::new()))
    }

    fn must_be_active(&self, today: Date) -> Result<()> {
        if self.state == State::Active && !self.is_over(today) {
            return Ok(());
        }
        Err(Error::precondition("CONTRACT_NOT_ACTIVE", "only a contract that can be used can rest or be handed over")
            .with("contract", self.id)
            .with("state", self.state.as_str()))
    }

    fn must_be_unreserved(&self) -> Result<()> {
        if self.is_reserved() {
            let message = "something of the contract is set aside for a visit; let the visit end or be cancelled first";
            return Err(Error::precondition("USES_RESERVED", message).with("contract", self.id));
        }
        Ok(())
    }

    fn ended(&self) -> Error {
        Error::precondition("CONTRACT_ENDED", "the contract is not paid, used up, or has ended")
            .with("contract", self.id)
            .with("state", self.state.as_str())
    }

    fn changed(&mut self, word: &'static str, about: String) -> Change {
        self.version += 1;
        Change { word, about, version: self.version, state: self.state }
    }
}

/// `days` after `day`, within what a calendar holds.
fn later(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}

/// How many days, both included.
pub(super) fn length(days: Days) -> i64 {
    (days.last.duration_since(days.first).as_hours() / 24 + 1).max(0)
}
