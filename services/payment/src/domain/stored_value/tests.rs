//! The rules of cards for themselves.

use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{CardId, CardLotId, MemberId, OrderId, StoreId},
};
use proptest::prelude::*;

use super::*;

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn lot(number: u128, principal: i64, bonus: i64) -> Lot {
    Lot {
        id: CardLotId::from_uuid(Uuid::from_u128(number)),
        order: OrderId::from_uuid(Uuid::from_u128(number)),
        campaign: None,
        principal: Pot::full(cny(principal)),
        bonus: Pot::full(cny(bonus)),
        bonus_expire_time: None,
        create_time: at(0),
    }
}

fn card(lots: Vec<Lot>, order: SpendingOrder) -> Card {
    let id = CardId::from_uuid(Uuid::from_u128(1));
    Card {
        id,
        number: number(id),
        store: StoreId::from_uuid(Uuid::from_u128(2)),
        scope: Scope::Chain,
        holder: Some(MemberId::from_uuid(Uuid::from_u128(3))),
        currency: Currency::CNY,
        order,
        state: State::Active,
        lots,
        create_time: at(0),
        version: 1,
    }
}

fn bill(minor: i64) -> Use {
    Use {
        id: Uuid::from_u128(9),
        order: OrderId::from_uuid(Uuid::from_u128(9)),
        store: StoreId::from_uuid(Uuid::from_u128(4)),
        customer: MemberId::from_uuid(Uuid::from_u128(3)),
        shown: false,
        amount: cny(minor),
    }
}

#[test]
fn a_number_checks_itself() {
    for n in 0..200_u128 {
        let printed = number(CardId::from_uuid(Uuid::from_u128(n * 0x9e37_79b9_7f4a_7c15)));
        assert!(is_number(&printed), "{printed}");
        for place in 0..16 {
            let mut misread = printed.clone().into_bytes();
            misread[place] = b'0' + (misread[place] - b'0' + 1) % 10;
            assert!(!is_number(&String::from_utf8(misread).expect("digits")), "{printed} at {place}");
        }
    }
    assert!(is_number("4111111111111111"));
    for bad in ["", "411111111111111", "41111111111111111", "411111111111111a"] {
        assert!(!is_number(bad), "{bad}");
    }
}

#[test]
fn what_is_stored_reads_back() {
    for order in SpendingOrder::ALL {
        assert_eq!(SpendingOrder::from_stored(order.as_str()), Some(order));
    }
    for state in [SpendingState::Held, SpendingState::Spent(at(1)), SpendingState::Voided(at(1))] {
        assert_eq!(SpendingState::from_stored(state.as_str(), state.decide_time()), Some(state));
    }
    assert_eq!(SpendingState::from_stored("held", Some(at(1))), None);
    assert_eq!(SpendingOrder::from_stored("by_mood"), None);
}

#[test]
fn a_lot_that_is_given_up_pays_out_at_most_what_is_left() {
    let mut of = lot(1, 300, 100);
    assert_eq!(of.give_up(cny(200)).expect("given up"), Value { principal: cny(300), bonus: cny(100) });
    assert_eq!((of.principal.refunded, of.principal.expired, of.bonus.expired), (cny(200), cny(100), cny(100)));
    let mut of = lot(1, 300, 100);
    of.give_up(cny(350)).expect("given up");
    assert_eq!(
        (of.principal.refunded, of.principal.expired, of.open()),
        (cny(300), cny(0), Value::zero(Currency::CNY))
    );
}

proptest! {
    /// Through holding, spending and coming back in parts nothing is lost or made, of money and bonus each for itself.
    #[test]
    fn nothing_is_lost(
        amounts in prop::collection::vec((1_i64..1_000, 0_i64..400), 1..6),
        order in prop::sample::select(SpendingOrder::ALL.to_vec()),
        share in 1_i64..=110,
        parts in prop::collection::vec(1_i64..100, 1..5),
    ) {
        let lots: Vec<Lot> = (1..).zip(&amounts).map(|(n, (principal, bonus))| lot(n, *principal, *bonus)).collect();
        let mut card = card(lots, order);
        let before = card.balance().expect("in range");
        let all = before.total().expect("in range").minor();
        let wanted = (all * share / 100).max(1);
        let held = card.hold(&bill(wanted), at(0));
        prop_assert_eq!(held.is_ok(), wanted <= all);
        let Ok(mut spending) = held else { return Ok(()) };
        let value = spending.value().expect("in range");
        prop_assert_eq!(value.total().expect("in range").minor(), wanted);
        prop_assert_eq!(card.balance().expect("in range"), before);
        let left = all - wanted;
        prop_assert_eq!(card.available(at(0)).expect("in range").total().expect("in range").minor(), left);
        if order == SpendingOrder::BonusFirst {
            prop_assert!(value.principal.is_zero() || value.bonus == before.bonus);
        }
        if order == SpendingOrder::PrincipalFirst {
            prop_assert!(value.bonus.is_zero() || value.principal == before.principal);
        }
        card.spend(&mut spending, at(1)).expect("set aside");
        prop_assert_eq!(card.balance().expect("in range"), before.try_sub(value).expect("in range"));
        let mut back = 0;
        for part in parts {
            let given = card.give_back(&mut spending, cny(part), at(2), at(3));
            prop_assert_eq!(given.is_ok(), back + part <= wanted);
            back += if given.is_ok() { part } else { 0 };
        }
        let rest = wanted - back;
        if rest > 0 {
            card.give_back(&mut spending, cny(rest), at(2), at(3)).expect("the rest");
        }
        prop_assert_eq!(card.balance().expect("in range"), before);
        for lot in &card.lots {
            for pot in [lot.principal, lot.bonus] {
                prop_assert_eq!((pot.brought, pot.held, pot.spent), (pot.open, cny(0), cny(0)));
            }
        }
    }
}
