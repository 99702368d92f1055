//! A stored-value card.

use std::collections::HashMap;

use kernel::{
    Currency, Error, Money, Result, Timestamp, Uuid,
    ids::{CardId, CardLotId, MemberId, OrderId, StoreId},
};

use super::{
    Lot, Share, Spending, SpendingOrder, SpendingState, Value,
    spending::{share_back, share_out},
};

/// A card with money on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its id.
    pub id: CardId,
    /// What is printed on it: 16 digits, the last of them a check digit.
    pub number: String,
    /// The store that has issued it.
    pub store: StoreId,
    /// Where it can be used.
    pub scope: Scope,
    /// Whose it is; `None`: whoever shows it.
    pub holder: Option<MemberId>,
    /// Of everything on it.
    pub currency: Currency,
    /// How it is spent.
    pub order: SpendingOrder,
    /// Whether it can be used.
    pub state: State,
    /// The lots with something left, the oldest first.
    pub lots: Vec<Lot>,
    /// When it was issued.
    pub create_time: Timestamp,
    /// That of its newest event, from 1.
    pub version: i64,
}

/// Where a card can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// At the store that has issued it.
    Store,
    /// At every store.
    Chain,
}

impl Scope {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Chain => "chain",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        [Self::Store, Self::Chain].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Whether a card can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can.
    Active,
    /// Its holder has lost it.
    Lost,
    /// The house has stopped it.
    Frozen {
        /// Why, in a word for programs.
        reason: String,
    },
    /// It has ended.
    Closed {
        /// Why, in a word for programs.
        reason: String,
        /// The card that took its place.
        replaced_by: Option<CardId>,
    },
}

impl State {
    /// The word that is stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Lost => "lost",
            Self::Frozen { .. } => "frozen",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Who pays what with a card.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// The payment's id.
    pub id: Uuid,
    /// The order that is paid.
    pub order: OrderId,
    /// Its store.
    pub store: StoreId,
    /// Whose order it is.
    pub customer: MemberId,
    /// Whether staff have the card before them: somebody who isn't its holder may only pay so.
    pub shown: bool,
    /// How much; above zero.
    pub amount: Money,
}

impl Card {
    /// What is left on it, set aside or not.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn balance(&self) -> Result<Value> {
        Value::try_sum(self.currency, self.lots.iter().map(Lot::open))
    }

    /// What can be spent at `now`.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn available(&self, now: Timestamp) -> Result<Value> {
        let there: Vec<Value> = self.lots.iter().map(|lot| lot.available(now)).collect::<Result<_>>()?;
        Value::try_sum(self.currency, there)
    }

    /// Whether something of it is set aside.
    pub fn is_held(&self) -> bool {
        self.lots.iter().any(|lot| !lot.principal.held.is_zero() || !lot.bonus.held.is_zero())
    }

    /// That it can be used.
    ///
    /// # Errors
    /// `CARD_LOST`, `CARD_FROZEN`, `CARD_CLOSED`.
    pub fn usable(&self) -> Result<()> {
        let (reason, message) = match self.state {
            State::Active => return Ok(()),
            State::Lost => ("CARD_LOST", "the card was reported lost"),
            State::Frozen { .. } => ("CARD_FROZEN", "the card is frozen; ask at the desk"),
            State::Closed { .. } => ("CARD_CLOSED", "the card has ended"),
        };
        Err(Error::precondition(reason, message).with("card", self.id))
    }

    /// Sets an amount aside.
    ///
    /// # Errors
    /// `InvalidArgument` for an amount that is not above zero, or of another currency (`CURRENCY_MISMATCH`); those of
    /// [`usable`](Self::usable); `CARD_OF_OTHER_STORE`, `NOT_THE_HOLDER`, `CARD_NOT_SHOWN`; `INSUFFICIENT_BALANCE`.
    pub fn hold(&mut self, of: &Use, now: Timestamp) -> Result<Spending> {
        if of.amount.minor() <= 0 {
            return Err(Error::invalid("amount", "must be above zero"));
        }
        self.usable()?;
        self.serves(of)?;
        // Fails on another currency.
        Money::zero(self.currency).try_add(of.amount)?;
        let Some(shares) = share_out(&self.lots, self.order, of.amount, now)? else {
            let there = self.available(now)?.total()?;
            let refusal = Error::precondition("INSUFFICIENT_BALANCE", "there is not enough left on the card");
            return Err(refusal.with("card", self.id).with("available_minor", there.minor()));
        };
        self.each(&shares, Lot::hold)?;
        Ok(Spending {
            id: of.id,
            order: of.order,
            store: of.store,
            shares,
            state: SpendingState::Held,
            create_time: now,
        })
    }

    fn serves(&self, of: &Use) -> Result<()> {
        let refuse = |reason, message: &'static str| Err(Error::precondition(reason, message).with("card", self.id));
        if self.scope == Scope::Store && self.store != of.store {
            return refuse("CARD_OF_OTHER_STORE", "the card can only be used at the store that has issued it");
        }
        match self.holder {
            Some(holder) if holder != of.customer && !of.shown => {
                refuse("NOT_THE_HOLDER", "only its holder pays with this card without showing it")
            }
            None if !of.shown => refuse("CARD_NOT_SHOWN", "a card without a holder is shown at the desk"),
            _ => Ok(()),
        }
    }

    /// What was set aside is spent.
    ///
    /// # Errors
    /// Internal, if it is not set aside.
    pub fn spend(&mut self, spending: &mut Spending, now: Timestamp) -> Result<()> {
        self.each(&spending.shares, Lot::spend)?;
        spending.state = SpendingState::Spent(now);
        Ok(())
    }

    /// What was set aside can be spent otherwise.
    ///
    /// # Errors
    /// Internal, if it is not set aside.
    pub fn release(&mut self, spending: &mut Spending, now: Timestamp) -> Result<()> {
        self.each(&spending.shares, Lot::release)?;
        spending.state = SpendingState::Voided(now);
        Ok(())
    }

    /// A part of what was spent comes back, to the lots that bore it; the card must hold them. A card that was paid out
    /// can be used again.
    ///
    /// # Errors
    /// `NOT_SPENT` if it is not spent; `REFUND_EXCEEDS_PAYMENT` if more would come back than was spent.
    pub fn give_back(
        &mut self,
        spending: &mut Spending,
        amount: Money,
        now: Timestamp,
        grace: Timestamp,
    ) -> Result<Value> {
        if !matches!(spending.state, SpendingState::Spent(_)) {
            return Err(Error::precondition("NOT_SPENT", "nothing was paid with the card"));
        }
        let Some(back) = share_back(&spending.shares, amount)? else {
            let message = "not so much was paid with the card";
            return Err(Error::precondition("REFUND_EXCEEDS_PAYMENT", message).with("spending", spending.id));
        };
        self.each(&back, |lot, value| lot.give_back(value, now, grace))?;
        for part in &back {
            for share in spending.shares.iter_mut().filter(|share| share.lot == part.lot) {
                share.returned = share.returned.try_add(part.value)?;
            }
        }
        if matches!(self.state, State::Closed { replaced_by: None, .. }) {
            self.state = State::Active;
        }
        super::spending::sum(&back, |share| Ok(share.value))
    }

    /// The lots whose bonus lapses at `now`, with how much of it does.
    ///
    /// # Errors
    /// Internal, if more is set aside than there is.
    pub fn expire(&mut self, now: Timestamp) -> Result<Vec<(CardLotId, Money)>> {
        let gone = self.lots.iter_mut().map(|lot| Ok((lot.id, lot.expire(now)?)));
        Ok(gone.collect::<Result<Vec<_>>>()?.into_iter().filter(|(_, gone)| !gone.is_zero()).collect())
    }

    /// Does the same with each lot's share.
    fn each(&mut self, shares: &[Share], mut change: impl FnMut(&mut Lot, Value) -> Result<()>) -> Result<()> {
        let card = self.id;
        let mut lots: HashMap<CardLotId, &mut Lot> = self.lots.iter_mut().map(|lot| (lot.id, lot)).collect();
        for share in shares {
            let missing = || Error::internal(format!("{} is not on {card}", share.lot));
            change(lots.get_mut(&share.lot).ok_or_else(missing)?, share.value)?;
        }
        Ok(())
    }

    /// Its holder has lost it.
    ///
    /// # Errors
    /// `CARD_WITHOUT_HOLDER`: what is lost of a card that belongs to whoever shows it is lost; `CARD_CLOSED`.
    pub fn report_lost(&mut self) -> Result<bool> {
        self.not_closed()?;
        if self.holder.is_none() {
            let message = "a card without a holder can't be reported lost";
            return Err(Error::precondition("CARD_WITHOUT_HOLDER", message).with("card", self.id));
        }
        Ok(std::mem::replace(&mut self.state, State::Lost) != State::Lost)
    }

    /// The house stops it.
    ///
    /// # Errors
    /// `CARD_CLOSED`.
    pub fn freeze(&mut self, reason: &str) -> Result<bool> {
        self.not_closed()?;
        let frozen = State::Frozen { reason: reason.to_owned() };
        let changed = self.state != frozen;
        self.state = frozen;
        Ok(changed)
    }

    /// It was found again, or the house lets it be used again.
    ///
    /// # Errors
    /// `CARD_CLOSED`.
    pub fn unfreeze(&mut self) -> Result<bool> {
        self.not_closed()?;
        Ok(std::mem::replace(&mut self.state, State::Active) != State::Active)
    }

    /// Somebody else becomes its holder.
    ///
    /// # Errors
    /// Those of [`usable`](Self::usable); `CARD_IN_USE` while a payment with it is under way.
    pub fn transfer(&mut self, to: MemberId) -> Result<bool> {
        self.usable()?;
        self.at_rest()?;
        Ok(self.holder.replace(to) != Some(to))
    }

    /// All that is on it moves to a new card; this one ends. A card is replaced whose holder has lost it, or that the house
    /// has stopped.
    ///
    /// # Errors
    /// `CARD_CLOSED`, `CARD_WITHOUT_HOLDER`; `CARD_NOT_STOPPED` if it can still be used; `CARD_IN_USE` while a payment with
    /// it is under way.
    pub fn replace(&mut self, id: CardId, now: Timestamp) -> Result<Self> {
        self.not_closed()?;
        if self.holder.is_none() {
            let message = "a card without a holder can't be replaced";
            return Err(Error::precondition("CARD_WITHOUT_HOLDER", message).with("card", self.id));
        }
        if self.state == State::Active {
            let message = "report the card lost or freeze it first";
            return Err(Error::precondition("CARD_NOT_STOPPED", message).with("card", self.id));
        }
        self.at_rest()?;
        self.state = State::Closed { reason: "REPLACED".to_owned(), replaced_by: Some(id) };
        let lots = std::mem::take(&mut self.lots);
        Ok(Self { id, number: number(id), state: State::Active, lots, create_time: now, version: 1, ..self.clone() })
    }

    /// That it can be given back. One that is lost can: its holder is known.
    ///
    /// # Errors
    /// `CARD_CLOSED`; `CARD_FROZEN`: what the house has stopped is looked into first; `CARD_IN_USE` while a payment with it
    /// is under way.
    pub fn must_be_refundable(&self) -> Result<()> {
        if self.state != State::Lost {
            self.usable()?;
        }
        self.at_rest()
    }

    /// It ends, with nothing on it.
    ///
    /// # Errors
    /// Internal, if something is on it.
    pub fn end(&mut self, reason: &str) -> Result<()> {
        if !self.balance()?.is_zero() {
            return Err(Error::internal(format!("{} ends with something on it", self.id)));
        }
        self.state = State::Closed { reason: reason.to_owned(), replaced_by: None };
        Ok(())
    }

    /// That it has not ended.
    fn not_closed(&self) -> Result<()> {
        match self.state {
            State::Closed { .. } => self.usable(),
            _ => Ok(()),
        }
    }

    /// That no payment with it is under way.
    ///
    /// # Errors
    /// `CARD_IN_USE`.
    pub fn at_rest(&self) -> Result<()> {
        if !self.is_held() {
            return Ok(());
        }
        let message = "a payment with this card is under way; wait for its outcome or cancel it";
        Err(Error::precondition("CARD_IN_USE", message).with("card", self.id))
    }
}

/// What is printed on a card: 15 digits of its id and a check digit (Luhn, ISO/IEC 7812-1).
pub fn number(id: CardId) -> String {
    // The last 62 bits of a UUID v7 are random.
    let digits = (id.uuid().as_u128() & ((1 << 62) - 1)) % 1_000_000_000_000_000;
    let body = format!("{digits:015}");
    let sum: u32 =
        body.bytes().rev().zip(0_u32..).map(|(digit, at)| weighed(u32::from(digit - b'0'), at % 2 == 0)).sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Whether it is a number that can be on a card.
pub fn is_number(text: &str) -> bool {
    let sum: u32 = text.bytes().rev().zip(0_u32..).map(|(digit, at)| weighed(u32::from(digit) % 16, at % 2 == 1)).sum();
    text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_digit()) && sum.is_multiple_of(10)
}

fn weighed(digit: u32, doubled: bool) -> u32 {
    match digit * 2 {
        twice if doubled && twice > 9 => twice - 9,
        twice if doubled => twice,
        _ => digit,
    }
}
