//! Random lives of an order: whatever comes in whatever order, money is conserved.
//!
//! `make sim SEEDS=100000` runs that many seeds, `make sim SEED=17` one of them again.

use std::{collections::BTreeMap, env};

use kernel::{
    Currency, Money, Timestamp, Uuid,
    ids::{BookingId, CheckoutId, MemberId, OrderId, OrderReturnId, PaymentId, StoreId},
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::{
    Amendment, Keep, Line, NewCheckout, NewOrder, NewTender, Order, Outcome, Purpose, State, Subject, Tender,
    ledger::{Account, Transaction},
    order::{GiveBack, TenderClass},
};

#[derive(Debug, Clone)]
enum Step {
    Start { purpose: Purpose, tender: Tender },
    Checkout { purpose: Purpose, cash: i64, external: bool },
    Void(usize),
    Capture(usize),
    Fail(usize),
    Amend { number: usize, minor: i64 },
    Close(Option<i64>),
    GiveBack { number: u128, minor: Option<i64> },
    RefundDone(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let purpose = prop_oneof![Just(Purpose::Deposit), Just(Purpose::Balance)];
    let again = purpose.clone();
    let tender = prop_oneof![Just(Tender::Sandbox), Just(Tender::Cash)];
    let step = prop_oneof![
        4 => (purpose, tender).prop_map(|(purpose, tender)| Step::Start { purpose, tender }),
        3 => (again, 1_i64..200, prop::bool::ANY)
            .prop_map(|(purpose, cash, external)| Step::Checkout { purpose, cash, external }),
        1 => (0_usize..4).prop_map(Step::Void),
        4 => (0_usize..4).prop_map(Step::Capture),
        2 => (0_usize..4).prop_map(Step::Fail),
        2 => (0_usize..4, -200_i64..200).prop_map(|(number, minor)| Step::Amend { number, minor }),
        1 => prop::option::of(0_i64..400).prop_map(Step::Close),
        2 => (0_u128..3, prop::option::of(1_i64..200)).prop_map(|(number, minor)| Step::GiveBack { number, minor }),
        2 => (0_usize..4).prop_map(Step::RefundDone),
    ];
    prop::collection::vec(step, 0..30)
}

fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

/// Takes a step; `None` if it is refused or there is nothing to do it with.
fn take(order: Order, step: &Step, number: u128) -> Option<Outcome> {
    let now = Timestamp::UNIX_EPOCH;
    match step {
        Step::Start { purpose, tender } => {
            let id = PaymentId::from_uuid(Uuid::from_u128(number));
            let order = order.start_payment(id, *purpose, *tender, None, now).ok()?;
            // Cash is there as soon as it is offered.
            match tender.provider() {
                None => order.capture(id, now).ok(),
                Some(_) => Some(Outcome { order, postings: vec![], events: vec![] }),
            }
        }
        Step::Checkout { purpose, cash, external } => {
            let due = order.due(*purpose).ok()?;
            let cash = cny(*cash.min(&due.minor()));
            let other = if *external { Tender::Sandbox } else { Tender::CardTerminal };
            let parts = [(Tender::Cash, cash), (other, due.try_sub(cash).ok()?)];
            let tender = |(i, (tender, amount)): (u128, (Tender, Money))| NewTender {
                id: PaymentId::from_uuid(Uuid::from_u128((number + 1) * 1_000 + i)),
                tender,
                amount,
                reference: String::new(),
            };
            let new = NewCheckout {
                id: CheckoutId::from_uuid(Uuid::from_u128(number)),
                purpose: *purpose,
                tenders: (0..).zip(parts).filter(|(_, (_, amount))| !amount.is_zero()).map(tender).collect(),
                expire_time: Timestamp::MAX,
            };
            order.start_checkout(new, now).ok()
        }
        Step::Void(n) => {
            let checkout = order.payments.get(*n)?.checkout?;
            order.void_checkout(checkout.id, "X").ok()
        }
        Step::Capture(n) => external(&order, *n).and_then(|id| order.capture(id, now).ok()),
        Step::Fail(n) => external(&order, *n).and_then(|id| order.fail(id, "DECLINED").ok()),
        Step::Amend { number, minor } => {
            let id = Uuid::from_u128(1_000 + *number as u128);
            order
                .amend(
                    Amendment {
                        id,
                        item: "items/b".into(),
                        display_name: String::new(),
                        amount: cny(*minor),
                        discount: cny(0),
                    },
                    now,
                )
                .ok()
        }
        Step::GiveBack { number, minor } => {
            let id = OrderReturnId::from_uuid(Uuid::from_u128(*number));
            let wanted = minor.map_or(GiveBack::All, |minor| GiveBack::Amount(cny(minor)));
            order.give_back(id, &wanted, &TenderClass::ALL, "COMPLAINT", now).ok()
        }
        Step::Close(None) => order.close(Keep::Nothing, "X", now).ok(),
        Step::Close(Some(keep)) => order.close(Keep::UpTo(cny(*keep)), "X", now).ok(),
        Step::RefundDone(n) => order.refunds.get(*n).map(|r| r.id).and_then(|id| order.refund_done(id, now).ok()),
    }
}

/// A payment on which a provider has a word.
fn external(order: &Order, n: usize) -> Option<PaymentId> {
    order.payments.get(n).filter(|payment| payment.tender.provider().is_some()).map(|payment| payment.id)
}

fn balances(booked: &[Transaction]) -> BTreeMap<Account, i64> {
    let mut balances = BTreeMap::new();
    for entry in booked.iter().flat_map(Transaction::entries) {
        *balances.entry(entry.on.account).or_default() += entry.amount.minor();
    }
    balances
}

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 4_000;

#[test]
fn money_is_conserved() {
    let number = |name| env::var(name).ok().filter(|text| !text.is_empty()).map(|text| text.parse().expect("a number"));
    let seeds = number("SIM_SEED").map_or(0..number("SIM_SEEDS").unwrap_or(SEEDS), |seed: u64| seed..seed + 1);
    for seed in seeds {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let drawn = (1_i64..400, 0_i64..=100, steps()).new_tree(&mut TestRunner::new_with_rng(Config::default(), rng));
        let (total, deposit_percent, steps) = drawn.expect("a life").current();
        let lived = live(total, total * deposit_percent / 100, &steps);
        assert!(lived.is_ok(), "SIM_SEED={seed}: {total}, {deposit_percent} %, {steps:?}: {lived:?}");
    }
}

fn live(total: i64, deposit: i64, steps: &[Step]) -> Result<(), TestCaseError> {
    let at = Timestamp::UNIX_EPOCH;
    let new = NewOrder {
        id: OrderId::new(at),
        subject: Subject::Visit(BookingId::new(at)),
        customer: MemberId::new(at),
        store: StoreId::new(at),
        lines: vec![Line {
            item: "items/a".into(),
            display_name: String::new(),
            amount: cny(total),
            discount: cny(0),
            amendment: None,
        }],
        discount: cny(0),
        deposit: cny(deposit),
    };
    let mut order = Order::create(new, at).expect("valid").order;
    let (mut booked, mut told) = (Vec::new(), 1);
    for (number, step) in steps.iter().enumerate() {
        let Some(outcome) = take(order.clone(), step, number as u128) else { continue };
        booked.extend(outcome.postings);
        for event in &outcome.events {
            told += 1;
            prop_assert_eq!(event.version, told);
        }
        order = outcome.order;
        prop_assert_eq!(order.version, told);
        check(&order, &booked)?;
    }
    Ok(())
}

fn check(order: &Order, booked: &[Transaction]) -> Result<(), TestCaseError> {
    let balances = balances(booked);
    let of = |account| balances.get(&account).copied().unwrap_or(0);
    prop_assert_eq!(balances.values().sum::<i64>(), 0);

    let lines: i64 = order.lines.iter().map(|line| line.amount.minor()).sum();
    prop_assert_eq!(order.total.minor(), lines);
    prop_assert!(order.paid.minor() <= order.total.minor());
    prop_assert_eq!(
        order.state == State::Paid,
        order.paid == order.total && !matches!(order.state, State::Closed { .. })
    );
    prop_assert!(order.refunded.minor() <= order.paid.minor());
    for payment in &order.payments {
        let back: i64 = order.refunds.iter().filter(|r| r.payment == payment.id).map(|r| r.amount.minor()).sum();
        let captured = if payment.is_captured() { payment.amount.minor() } else { 0 };
        prop_assert!(back <= captured);
        prop_assert!(!payment.is_surplus() || back == payment.amount.minor());
    }

    // Payments of a checkout come to pass together, or not at all.
    for checkout in order.payments.iter().filter_map(|payment| payment.checkout) {
        let counted = order.together(checkout.id).filter(|p| p.is_captured() && !p.is_surplus()).count();
        prop_assert!(counted == 0 || counted == order.together(checkout.id).count());
    }

    // What lies with us is what came less what went back.
    let came: i64 = order.payments.iter().filter(|p| p.is_captured()).map(|p| p.amount.minor()).sum();
    let went: i64 = order.refunds.iter().filter(|r| r.is_done()).map(|r| r.amount.minor()).sum();
    let going: i64 = order.refunds.iter().filter(|r| !r.is_done()).map(|r| r.amount.minor()).sum();
    prop_assert_eq!(of(Account::ProviderReceivable) + of(Account::CashDrawer) + of(Account::CardTerminal), came - went);
    prop_assert_eq!(of(Account::RefundsPayable), -going);

    // A deposit is a liability until the visit is paid or ended, and nothing afterwards.
    let unsettled = matches!(order.state, State::Open | State::DepositPaid);
    prop_assert_eq!(of(Account::CustomerDeposits), if unsettled { -order.paid.minor() } else { 0 });
    // Nothing is booked twice.
    let mut sources: Vec<_> = booked.iter().map(|t| (t.kind().as_str(), t.source())).collect();
    sources.sort();
    sources.dedup();
    prop_assert_eq!(sources.len(), booked.len());
    Ok(())
}
