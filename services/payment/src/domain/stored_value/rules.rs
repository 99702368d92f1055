//! What the authorities allow to be on a card, with the days from which it holds.
//!
//! 商务部《单用途商业预付卡管理办法（试行）》 (Measures for single-purpose commercial prepaid cards, for trial; order no. 9
//! of 2012, in force since 2012-11-01): at most ¥5,000 on a card with a holder and ¥1,000 on one without; the former has
//! no date of expiry and can be reported lost, the latter can't. The figures are from memory and were compared with the
//! press of its time, not with the gazette: have them confirmed before they are relied upon. The Measures speak of what
//! is on the card as money; so principal counts here, and bonus, for which nobody has paid, doesn't.
//!
//! A store or chain that may owe no more than so much to all its customers together (the Measures tie it to turnover and
//! capital, and local rules differ) is given that figure as a limit by its head office: see [`Limit`].

use jiff::civil::{Date, date};
use kernel::{Currency, Error, Money, Result, Timestamp, ids::StoreId};

/// How much money may be on one card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// The first day, in China.
    pub from: Date,
    /// In what currency.
    pub currency: Currency,
    /// On a card with a holder, in minor units.
    pub named_minor: i64,
    /// On a card without one, in minor units.
    pub anonymous_minor: i64,
}

/// All of them; of one currency the later ones take the place of the earlier ones.
pub const CAPS: &[Cap] =
    &[Cap { from: date(2012, 11, 1), currency: Currency::CNY, named_minor: 500_000, anonymous_minor: 100_000 }];

/// Refuses a top-up after which more money would be on a card than is allowed. Currencies for which nobody has made a rule
/// have none.
///
/// # Errors
/// `CARD_LIMIT_EXCEEDED`, with the limit; `CURRENCY_MISMATCH`, `AMOUNT_OVERFLOW`.
pub fn check_card(caps: &[Cap], named: bool, balance: Money, top_up: Money, today: Date) -> Result<()> {
    let currency = top_up.currency();
    let cap = caps.iter().filter(|cap| cap.currency == currency && cap.from <= today).max_by_key(|cap| cap.from);
    let Some(cap) = cap else { return Ok(()) };
    let most = if named { cap.named_minor } else { cap.anonymous_minor };
    if balance.try_add(top_up)?.minor() <= most {
        return Ok(());
    }
    let message = format!("no more than {} may be on such a card", Money::new(most, currency));
    Err(Error::precondition("CARD_LIMIT_EXCEEDED", message)
        .with("limit_minor", most)
        .with("balance_minor", balance.minor()))
}

/// How much a store, or the whole chain, may owe to all its cards together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// Which store; `None`: the chain.
    pub store: Option<StoreId>,
    /// The most; nothing more is sold that would go beyond.
    pub amount: Money,
    /// When it was set.
    pub update_time: Timestamp,
    /// Counts its changes, from 1.
    pub version: i64,
}

impl Limit {
    /// Refuses a top-up after which more would be owed, `owed` being what is owed or about to be.
    ///
    /// # Errors
    /// `SALE_STOPPED`, with the limit; `CURRENCY_MISMATCH`, `AMOUNT_OVERFLOW`.
    pub fn check(&self, owed: Money, top_up: Money) -> Result<()> {
        if owed.try_add(top_up)?.minor() <= self.amount.minor() {
            return Ok(());
        }
        let message = "no more top-ups are sold: what is owed to all cards together has reached its limit";
        let refusal = Error::precondition("SALE_STOPPED", message).with("limit_minor", self.amount.minor());
        Err(match self.store {
            Some(store) => refusal.with("store", store),
            None => refusal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    const TODAY: Date = date(2026, 11, 23);

    #[test]
    fn caps_are_kept_to_the_last_fen() {
        let check = |named, balance, top_up| check_card(CAPS, named, cny(balance), cny(top_up), TODAY);
        assert!(check(true, 0, 500_000).is_ok() && check(true, 499_999, 1).is_ok());
        assert!(check(false, 0, 100_000).is_ok());
        assert_eq!(check(true, 1, 500_000).expect_err("too much").reason(), "CARD_LIMIT_EXCEEDED");
        assert_eq!(check(false, 100_000, 1).expect_err("too much").reason(), "CARD_LIMIT_EXCEEDED");
    }

    #[test]
    fn a_later_rule_holds_from_its_day() {
        let caps = [CAPS[0], Cap { from: date(2026, 11, 24), named_minor: 1, ..CAPS[0] }];
        let check = |day| check_card(&caps, true, cny(0), cny(2), day);
        assert!(check(TODAY).is_ok() && check(date(2026, 11, 24)).is_err());
        let yen = Money::new(9_000_000, Currency::parse("c", "JPY").expect("known"));
        assert!(check_card(&caps, false, Money::zero(yen.currency()), yen, TODAY).is_ok(), "no rule of ours");
    }

    #[test]
    fn sale_stops_at_the_limit() {
        let limit = Limit { store: None, amount: cny(1_000), update_time: Timestamp::UNIX_EPOCH, version: 1 };
        assert!(limit.check(cny(400), cny(600)).is_ok());
        assert_eq!(limit.check(cny(400), cny(601)).expect_err("too much").reason(), "SALE_STOPPED");
        assert!(limit.check(cny(i64::MAX), cny(1)).is_err());
    }
}
