use kernel::{
    Uuid,
    ids::{CardId, CheckoutId},
};

use super::{
    super::tests::{NOW, balance, cny, id, order, told},
    *,
};
use crate::domain::{Amendment, Keep, NewCheckout, NewTender, Purpose, ledger::Account};

fn mixed() -> Order {
    let card = Tender::StoredValue(CardId::from_uuid(Uuid::from_u128(80)));
    let parts = [(Tender::Cash, 20), (card, 30), (Tender::CardTerminal, 10), (Tender::Sandbox, 40)];
    let tender = |(n, (tender, minor)): (u128, (Tender, i64))| NewTender {
        id: id(n),
        tender,
        amount: cny(minor),
        reference: String::new(),
    };
    let new = NewCheckout {
        id: CheckoutId::from_uuid(Uuid::from_u128(70)),
        purpose: Purpose::Balance,
        tenders: (1..).zip(parts).map(tender).collect(),
        expire_time: Timestamp::MAX,
    };
    let open = order(100, 0).start_checkout(new, NOW).expect("open").order;
    open.capture(id(4), NOW).expect("captured").order
}

fn give(order: Order, n: u128, wanted: GiveBack) -> Result<Outcome> {
    let id = OrderReturnId::from_uuid(Uuid::from_u128(n));
    order.give_back(id, &wanted, &TenderClass::ALL, "COMPLAINT", NOW)
}

fn amount(minor: i64) -> GiveBack {
    GiveBack::Amount(cny(minor))
}

fn shares(order: &Order, wanted: &GiveBack, classes: &[TenderClass]) -> Vec<(PaymentId, i64)> {
    let plan = order.plan_refund(wanted, classes).expect("planned");
    plan.shares.iter().map(|share| (share.payment, share.amount.minor())).collect()
}

#[test]
fn tenders_give_back_in_the_stated_order() {
    let order = mixed();
    assert_eq!(shares(&order, &amount(45), &TenderClass::ALL), [(id(4), 40), (id(3), 5)]);
    let all = [(id(4), 40), (id(3), 10), (id(1), 20), (id(2), 30)];
    assert_eq!(shares(&order, &GiveBack::All, &TenderClass::ALL), all);
    let mut backwards = TenderClass::ALL;
    backwards.reverse();
    assert_eq!(shares(&order, &amount(45), &backwards), [(id(2), 30), (id(1), 15)]);
}

#[test]
fn no_more_goes_back_than_was_captured_what_is_on_its_way_included() {
    let once = give(mixed(), 1, amount(60)).expect("given back");
    assert_eq!(told(&once)[0], Happened::Returned(OrderReturnId::from_uuid(Uuid::from_u128(1))));
    assert_eq!((once.order.refunded, once.order.state.clone()), (cny(20), State::Paid));
    assert_eq!(balance(&once.postings, Account::Takings), 60);
    assert_eq!(balance(&once.postings, Account::RefundsPayable), -40, "the provider has to be told");
    let again = give(once.order.clone(), 1, amount(60)).expect("repeat");
    assert_eq!((again.order, again.events.len()), (once.order.clone(), 0));

    let reason = |wanted| give(once.order.clone(), 2, wanted).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(reason(amount(60)), Err("REFUND_EXCEEDS_CAPTURED"));
    assert_eq!(reason(amount(41)), Err("REFUND_EXCEEDS_CAPTURED"));
    assert_eq!(reason(amount(0)), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(amount(-1)), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(amount(i64::MAX)), Err("REFUND_EXCEEDS_CAPTURED"));
    let usd = kernel::Currency::parse("c", "USD").expect("known");
    assert_eq!(reason(GiveBack::Amount(Money::new(1, usd))), Err("CURRENCY_MISMATCH"));
    let rest = give(once.order.clone(), 2, GiveBack::All).expect("the rest").order;
    assert_eq!(give(rest, 3, GiveBack::All).map(|_| ()).map_err(|e| e.reason()), Err("NOTHING_REFUNDABLE"));
}

#[test]
fn a_line_gives_back_what_it_cost_and_no_more() {
    let lines = |wanted: &[(usize, Option<i64>)]| {
        GiveBack::Lines(wanted.iter().map(|(position, minor)| (*position, minor.map(cny))).collect())
    };
    let reason = |order: Order, wanted| give(order, 9, wanted).map(|_| ()).map_err(|e| e.reason());
    let once = give(mixed(), 1, lines(&[(0, Some(30))])).expect("given back").order;
    assert_eq!(once.returns[0].lines, [(0, cny(30))]);
    assert_eq!(reason(once.clone(), lines(&[(0, Some(71))])), Err("REFUND_EXCEEDS_LINE"));
    assert_eq!(reason(once.clone(), lines(&[(1, None)])), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(once.clone(), lines(&[(0, None), (0, None)])), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(once.clone(), lines(&[])), Err("INVALID_ARGUMENT"));
    let all = give(once, 2, lines(&[(0, None)])).expect("the rest").order;
    assert_eq!(all.returns[1].amount, cny(70));
}

#[test]
fn what_went_back_before_is_reckoned_with_when_the_order_ends() {
    let once = give(mixed(), 1, amount(60)).expect("given back").order;
    let amount = cny(5);
    let more =
        Amendment { id: Uuid::from_u128(9), item: "x".into(), display_name: String::new(), amount, discount: cny(0) };
    assert_eq!(once.clone().amend(more, NOW).map(|_| ()).map_err(|e| e.reason()), Err("ORDER_REFUNDED"));
    let closed = once.clone().close(Keep::UpTo(cny(25)), "X", NOW).expect("closed");
    assert_eq!(Money::try_sum(cny(0).currency(), closed.order.refunds.iter().map(|r| r.amount)).ok(), Some(cny(75)));
    assert_eq!(balance(&closed.postings, Account::Takings), 15);
    let kept = once.close(Keep::UpTo(cny(90)), "X", NOW).expect("closed");
    assert_eq!((kept.postings.len(), kept.order.refunds.len()), (0, 3));
}

#[test]
fn what_is_not_paid_in_full_ends_by_closing() {
    let open = order(100, 40);
    assert_eq!(give(open, 1, GiveBack::All).map(|_| ()).map_err(|e| e.reason()), Err("NOT_PAID"));
    let closed = mixed().close(Keep::UpTo(cny(100)), "X", NOW).expect("closed").order;
    assert_eq!(give(closed, 1, GiveBack::All).map(|_| ()).map_err(|e| e.reason()), Err("NOT_PAID"));
}

#[test]
fn words_of_the_settings_read_back() {
    for class in TenderClass::ALL {
        assert_eq!(TenderClass::parse(class.as_str()), Some(class));
    }
    assert_eq!(TenderClass::parse("shells"), None);
}
