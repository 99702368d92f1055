//! Which lots an amount is taken from, and where it goes back to.

use kernel::{
    Error, Money, Result, Timestamp, Uuid,
    ids::{CardLotId, OrderId, StoreId},
};

use super::{Lot, Value};

/// In what order money and bonus are spent; lots are spent the oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpendingOrder {
    /// All bonus, then money.
    BonusFirst,
    /// Of each lot money and bonus in the proportion in which it has them.
    #[default]
    Proportional,
    /// All money, then bonus.
    PrincipalFirst,
}

impl SpendingOrder {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::BonusFirst, Self::Proportional, Self::PrincipalFirst];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BonusFirst => "bonus_first",
            Self::Proportional => "proportional",
            Self::PrincipalFirst => "principal_first",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == word)
    }
}

/// A payment with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spending {
    /// Its id: that of the tender.
    pub id: Uuid,
    /// What is paid.
    pub order: OrderId,
    /// Where.
    pub store: StoreId,
    /// What of it each lot bears, the oldest lot first.
    pub shares: Vec<Share>,
    /// Where it is in its life.
    pub state: SpendingState,
    /// When it was begun.
    pub create_time: Timestamp,
}

/// Where a payment with a card is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendingState {
    /// The amount is set aside.
    Held,
    /// It is spent.
    Spent(Timestamp),
    /// It came to nothing.
    Voided(Timestamp),
}

impl SpendingState {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Spent(_) => "spent",
            Self::Voided(_) => "voided",
        }
    }

    /// When it was decided.
    pub const fn decide_time(self) -> Option<Timestamp> {
        match self {
            Self::Held => None,
            Self::Spent(time) | Self::Voided(time) => Some(time),
        }
    }

    /// Reads what is stored; `None` if no code of ours can have stored it.
    pub fn from_stored(word: &str, decide_time: Option<Timestamp>) -> Option<Self> {
        match (word, decide_time) {
            ("held", None) => Some(Self::Held),
            ("spent", Some(time)) => Some(Self::Spent(time)),
            ("voided", Some(time)) => Some(Self::Voided(time)),
            _ => None,
        }
    }
}

/// What one lot bears of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The lot.
    pub lot: CardLotId,
    /// What it bears.
    pub value: Value,
    /// What of that has come back.
    pub returned: Value,
}

impl Share {
    fn of(lot: &Lot, value: Value) -> Self {
        Self { lot: lot.id, value, returned: Value::zero(value.principal.currency()) }
    }

    /// What could still come back.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`.
    pub fn left(&self) -> Result<Value> {
        self.value.try_sub(self.returned)
    }
}

impl Spending {
    /// What is paid.
    ///
    /// # Errors
    /// `AMOUNT_OVERFLOW`; internal, if no lot bears anything.
    pub fn value(&self) -> Result<Value> {
        sum(&self.shares, |share| Ok(share.value))
    }
}

/// The sum over shares.
///
/// # Errors
/// `AMOUNT_OVERFLOW`; internal, if there are none.
pub fn sum(shares: &[Share], of: impl Fn(&Share) -> Result<Value>) -> Result<Value> {
    let first = shares.first().ok_or_else(|| Error::internal("a payment that no lot bears"))?;
    let zero = Value::zero(first.value.principal.currency());
    shares.iter().try_fold(zero, |sum, share| sum.try_add(of(share)?))
}

/// Which lots, the oldest first, bear `amount` at `now`. `None` if all together have less.
///
/// # Errors
/// `CURRENCY_MISMATCH`, `AMOUNT_OVERFLOW`.
pub fn share_out(lots: &[Lot], order: SpendingOrder, amount: Money, now: Timestamp) -> Result<Option<Vec<Share>>> {
    let currency = amount.currency();
    let there: Vec<Value> = lots.iter().map(|lot| lot.available(now)).collect::<Result<_>>()?;
    let mut taken = vec![Value::zero(currency); lots.len()];
    let mut left = amount;
    let take = |left: &mut Money, of: Money| -> Result<Money> {
        let part = if of.minor() < left.minor() { of } else { *left };
        *left = left.try_sub(part)?;
        Ok(part)
    };
    match order {
        SpendingOrder::Proportional => {
            for (has, taken) in there.iter().zip(&mut taken) {
                let part = take(&mut left, has.total()?)?;
                *taken = in_proportion(part, *has)?;
            }
        }
        SpendingOrder::BonusFirst => {
            for (has, taken) in there.iter().zip(&mut taken) {
                taken.bonus = take(&mut left, has.bonus)?;
            }
            for (has, taken) in there.iter().zip(&mut taken) {
                taken.principal = take(&mut left, has.principal)?;
            }
        }
        SpendingOrder::PrincipalFirst => {
            for (has, taken) in there.iter().zip(&mut taken) {
                taken.principal = take(&mut left, has.principal)?;
            }
            for (has, taken) in there.iter().zip(&mut taken) {
                taken.bonus = take(&mut left, has.bonus)?;
            }
        }
    }
    let shares = lots.iter().zip(taken).filter(|(_, value)| !value.is_zero());
    Ok(left.is_zero().then(|| shares.map(|(lot, value)| Share::of(lot, value)).collect()))
}

/// Where `amount` of what was spent goes back to: to the very lots, the newest first, and of each of them money and bonus
/// in the proportion in which they have not come back yet. `None` if less was spent than that.
///
/// # Errors
/// `CURRENCY_MISMATCH`, `AMOUNT_OVERFLOW`.
pub fn share_back(shares: &[Share], amount: Money) -> Result<Option<Vec<Share>>> {
    let (mut left, mut back) = (amount, Vec::new());
    for share in shares.iter().rev() {
        let there = share.left()?;
        let total = there.total()?;
        let part = if total.minor() < left.minor() { total } else { left };
        left = left.try_sub(part)?;
        let value = in_proportion(part, there)?;
        if !value.is_zero() {
            back.push(Share { value, returned: Value::zero(amount.currency()), ..*share });
        }
    }
    Ok(left.is_zero().then_some(back))
}

/// `part` of both, at most their sum, by largest remainder: neither part is more than there is.
fn in_proportion(part: Money, of: Value) -> Result<Value> {
    if part.is_zero() {
        return Ok(Value::zero(part.currency()));
    }
    match part.split(&[of.principal.minor().unsigned_abs(), of.bonus.minor().unsigned_abs()])?.as_slice() {
        [principal, bonus] => Ok(Value { principal: *principal, bonus: *bonus }),
        _ => Err(Error::internal("two weights make two parts")),
    }
}
