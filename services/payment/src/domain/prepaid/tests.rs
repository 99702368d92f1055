//! Values of sessions, settlements and states, without storage.

use jiff::civil::date;
use kernel::{
    Currency, Money, Timestamp,
    ids::{ContractId, MemberId, StoreId},
};
use proptest::prelude::*;

use super::*;
use crate::domain::{
    ledger::{Account, Transaction},
    refund_law::{self, KnownService},
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn terms(price: i64, items: &[(u32, u32, i64)], days: Option<u16>) -> Terms {
    let item = |(n, &(quantity, bonus, list)): (usize, &(u32, u32, i64))| Item {
        item: format!("items/{n}"),
        display_name: String::new(),
        quantity,
        bonus,
        list_price: cny(list),
    };
    Terms {
        price: cny(price),
        items: items.iter().enumerate().map(item).collect(),
        days,
        max_freeze_days: 30,
        known_service: KnownService::New,
        refund: refund_law::Terms::default(),
    }
}

/// One that is paid on 2 January 1970.
fn active(terms: Terms) -> Contract {
    let new = NewContract {
        id: ContractId::new(NOW),
        customer: MemberId::new(NOW),
        store: StoreId::new(NOW),
        terms,
        time_zone: "Asia/Shanghai".into(),
    };
    let mut contract = Contract::create(new, NOW).expect("in order");
    contract.activate(date(1970, 1, 2)).expect("a draft");
    contract
}

fn sum(booking: Option<&Transaction>, account: Account) -> i64 {
    let entries = booking.map(Transaction::entries).unwrap_or_default();
    entries.iter().filter(|entry| entry.on.account == account).map(|entry| entry.amount.minor()).sum()
}

#[test]
fn a_contract_is_activated_once() {
    let mut contract = active(terms(100, &[], Some(10)));
    assert_eq!((contract.state, contract.end, contract.version), (State::Active, Some(date(1970, 1, 11)), 2));
    assert!(contract.activate(date(1970, 1, 5)).is_none() && contract.cancel().is_none());
    assert_eq!(contract.version, 2);
}

#[test]
fn what_is_stored_reads_back() {
    for word in ["draft", "active", "used_up", "expired", "refunded", "cancelled"] {
        assert_eq!(State::from_stored(word).map(State::as_str), Some(word));
    }
    assert_eq!(State::from_stored("frozen"), None);
    for state in [UseState::Reserved, UseState::Committed(NOW), UseState::Voided(NOW)] {
        assert_eq!(UseState::from_stored(state.as_str(), state.decide_time(), state.return_time()), Some(state));
    }
    assert_eq!(UseState::from_stored("committed", None, None), None);
}

#[test]
fn rests_never_count_a_day_twice() {
    let mut contract = active(terms(100, &[], Some(10)));
    contract.freeze(5, date(1970, 1, 3)).expect("rests");
    assert_eq!(contract.end, Some(date(1970, 1, 16)));
    contract.unfreeze(date(1970, 1, 3)).expect("ends at once");
    assert_eq!((contract.end, contract.frozen.len()), (Some(date(1970, 1, 11)), 0));
    contract.freeze(5, date(1970, 1, 3)).expect("rests again");
    contract.unfreeze(date(1970, 1, 5)).expect("after two days");
    assert_eq!(contract.end, Some(date(1970, 1, 13)));
    let reason = contract.freeze(29, date(1970, 1, 5)).map(|_| ()).map_err(|error| error.reason());
    assert_eq!(reason, Err("FREEZE_LIMIT"));
    contract.freeze(28, date(1970, 1, 5)).expect("all that is left");
}

proptest! {
    #[test]
    fn all_sessions_together_are_worth_what_was_paid(
        items in prop::collection::vec((1_u32..12, 0_u32..4, 0_i64..500), 1..5),
        percent in 1_i64..=100,
    ) {
        let list: i64 = items.iter().map(|(quantity, bonus, list)| i64::from(quantity + bonus) * list).sum();
        let terms = terms(list * percent / 100, &items, None);
        prop_assume!(terms.check().is_ok());
        let mut all = 0;
        for (position, item) in terms.items.iter().enumerate() {
            for ordinal in 0..item.sessions() {
                let value = terms.value(position, ordinal).expect("there is one");
                // Within a fen of its share, and never more than it costs without the contract.
                let exact = i128::from(terms.price.minor()) * i128::from(item.list_price.minor());
                let off = i128::from(value.minor()) * i128::from(list) - exact;
                prop_assert!(off.abs() < i128::from(list) && value.minor() <= item.list_price.minor());
                all += value.minor();
            }
        }
        prop_assert_eq!(all, terms.price.minor());
    }

    #[test]
    fn after_a_settlement_the_debt_is_what_goes_back(
        earned in 0_i64..=1_000,
        breakage in 0_i64..=1_000,
        refund in 0_i64..1_500,
    ) {
        let mut contract = active(terms(1_000, &[(10, 0, 100)], None));
        contract.recognised = cny(earned);
        contract.breakage = cny(breakage.min(earned));
        let settlement = settlement::settle(&contract, cny(refund), contract.terms.price).expect("settled");
        prop_assert_eq!(settlement.to_sources.minor() + settlement.beyond_sources.minor(), refund);
        prop_assert_eq!(settlement.to_sources.minor(), refund.min(1_000));
        let booking = settlement.booking.as_ref();
        // The debt is a credit: what is left of it after the booking goes back.
        prop_assert_eq!((1_000 - earned) - sum(booking, Account::PrepaidLiability), settlement.to_sources.minor());
        prop_assert_eq!(sum(booking, Account::RefundsPayable), -settlement.beyond_sources.minor());
        prop_assert!((0..=contract.breakage.minor()).contains(&sum(booking, Account::Breakage)));
        let recognised = contract.refunded(settlement.to_sources).map(|_| contract.recognised).expect("ended");
        prop_assert_eq!(recognised.minor(), 1_000 - settlement.to_sources.minor());
        prop_assert!(contract.breakage.minor() <= recognised.minor());
    }

    #[test]
    fn time_is_earned_whole_however_it_is_looked_at(days in 1_u16..100, price in 1_i64..10_000, looks in prop::collection::vec(0_i64..120, 0..6)) {
        let mut contract = active(terms(price, &[], Some(days)));
        let mut looks = looks;
        looks.sort_unstable();
        for look in looks.into_iter().chain([i64::from(days)]) {
            let day = date(1970, 1, 2).saturating_add(jiff::Span::new().days(look));
            let before = contract.recognised.minor();
            if let Some((more, _)) = settlement::time(&contract, day).expect("earned") {
                contract.earned(more).expect("fits");
            }
            let passed = (look + 1).clamp(0, i64::from(days));
            prop_assert_eq!(contract.recognised.minor(), (price * passed / i64::from(days)).max(before));
        }
        prop_assert_eq!(contract.recognised.minor(), price);
    }
}
