use kernel::{
    Uuid,
    ids::{BookingId, CardId, ContractId},
};

use super::*;
use crate::domain::{Action, ledger::Transaction};

pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn new_order(total: i64, deposit: i64) -> NewOrder {
    NewOrder {
        id: OrderId::new(NOW),
        subject: Subject::Visit(BookingId::new(NOW)),
        customer: MemberId::new(NOW),
        store: StoreId::new(NOW),
        lines: vec![Line {
            item: "items/a".into(),
            display_name: "Swedish massage".into(),
            amount: cny(total),
            discount: cny(0),
            amendment: None,
        }],
        discount: cny(0),
        deposit: cny(deposit),
    }
}

pub(super) fn order(total: i64, deposit: i64) -> Order {
    Order::create(new_order(total, deposit), NOW).expect("valid").order
}

pub(super) fn id(n: u128) -> PaymentId {
    PaymentId::from_uuid(Uuid::from_u128(n))
}

fn start(order: Order, n: u128, purpose: Purpose, tender: Tender) -> Order {
    order.start_payment(id(n), purpose, tender, None, NOW).expect("due")
}

fn pay(order: Order, n: u128, purpose: Purpose, tender: Tender) -> Outcome {
    start(order, n, purpose, tender).capture(id(n), NOW).expect("captured")
}

pub(super) fn balance(postings: &[Transaction], account: Account) -> i64 {
    postings.iter().flat_map(Transaction::entries).filter(|e| e.on.account == account).map(|e| e.amount.minor()).sum()
}

pub(super) fn told(outcome: &Outcome) -> Vec<Happened> {
    outcome.events.iter().map(|event| event.happened.clone()).collect()
}

#[test]
fn deposit_then_balance() {
    let paid = pay(order(30_000, 6_000), 1, Purpose::Deposit, Tender::Sandbox);
    assert_eq!(paid.order.state, State::DepositPaid);
    assert_eq!(told(&paid), [Happened::Captured(id(1))]);
    assert_eq!(balance(&paid.postings, Account::CustomerDeposits), -6_000);

    let paid = pay(paid.order, 2, Purpose::Balance, Tender::Cash);
    assert_eq!(paid.order.state, State::Paid);
    assert_eq!(paid.order.paid, cny(30_000));
    assert_eq!(told(&paid), [Happened::Captured(id(2)), Happened::Paid]);
    assert_eq!(paid.events.iter().map(|event| event.version).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(balance(&paid.postings, Account::Takings), -30_000);
    assert_eq!(balance(&paid.postings, Account::CashDrawer), 24_000);
}

#[test]
fn what_is_due_follows_the_state() {
    let reason = |order: &Order, purpose| order.due(purpose).map_err(|e| e.reason());
    let open = order(30_000, 6_000);
    assert_eq!(reason(&open, Purpose::Deposit), Ok(cny(6_000)));
    assert_eq!(reason(&open, Purpose::Balance), Ok(cny(30_000)));
    let half = pay(open, 1, Purpose::Deposit, Tender::Cash).order;
    assert_eq!(reason(&half, Purpose::Deposit), Err("NOTHING_DUE"));
    assert_eq!(reason(&half, Purpose::Balance), Ok(cny(24_000)));
    let closed = half.clone().close(Keep::Nothing, "X", NOW).expect("closed").order;
    assert_eq!(reason(&closed, Purpose::Balance), Err("ORDER_CLOSED"));
    let full = pay(half, 2, Purpose::Balance, Tender::Cash).order;
    assert_eq!(reason(&full, Purpose::Balance), Err("NOTHING_DUE"));
}

#[test]
fn without_a_deposit_the_balance_is_due_and_nothing_at_all_is_paid() {
    assert_eq!(order(30_000, 0).state, State::DepositPaid);
    assert_eq!(order(0, 0).state, State::Paid);
    assert_eq!(pay(order(500, 500), 1, Purpose::Deposit, Tender::Cash).order.state, State::Paid);
}

#[test]
fn an_order_is_of_one_currency_and_its_deposit_a_part() {
    let reason = |new| Order::create(new, NOW).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(reason(new_order(100, 101)), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(new_order(100, -1)), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(new_order(-1, 0)), Err("INVALID_ARGUMENT"));
    let mut mixed = new_order(100, 0);
    mixed.lines[0].amount = Money::new(100, Currency::parse("c", "USD").expect("known"));
    assert_eq!(reason(mixed), Err("CURRENCY_MISMATCH"));
}

#[test]
fn the_payer_must_know_what_is_due() {
    let attempt = |believed| {
        order(100, 40)
            .start_payment(id(1), Purpose::Deposit, Tender::Cash, Some(believed), NOW)
            .map(|_| ())
            .map_err(|e| e.reason())
    };
    assert_eq!(attempt(cny(40)), Ok(()));
    assert_eq!(attempt(cny(39)), Err("AMOUNT_MISMATCH"));
    assert_eq!(attempt(Money::new(40, Currency::parse("c", "USD").expect("known"))), Err("CURRENCY_MISMATCH"));
}

#[test]
fn one_attempt_at_a_time() {
    let waiting = start(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox);
    let second = |order: Order| order.start_payment(id(2), Purpose::Deposit, Tender::Cash, None, NOW);
    assert_eq!(second(waiting.clone()).map_err(|e| e.reason()), Err("PAYMENT_PENDING"));
    let failed = waiting.fail(id(1), "DECLINED").expect("failed");
    assert_eq!(told(&failed), [Happened::PaymentFailed(id(1))]);
    assert!(second(failed.order).is_ok());
}

#[test]
fn nobody_is_sent_to_pay_what_was_given_up() {
    let charge = || Charge { id: "ch_1".into(), action: Action::Open { uri: "https://pay.example/ch_1".into() } };
    let waiting = start(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox);
    let made = waiting.clone().charge_made(id(1), charge()).expect("noted");
    assert_eq!(made.payments[0].charge, Some(charge()));
    let failed = waiting.fail(id(1), "NOT_STARTED").expect("failed").order;
    assert_eq!(failed.charge_made(id(1), charge()).expect("passed over").payments[0].charge, None);
}

#[test]
fn a_repeat_changes_nothing() {
    let once = pay(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox).order;
    let again = once.clone().capture(id(1), NOW).expect("repeat");
    assert_eq!((again.order, again.postings.len(), again.events.len()), (once.clone(), 0, 0));
    let late_failure = once.clone().fail(id(1), "DECLINED").expect("harmless");
    assert_eq!(late_failure.order, once);

    let closed = once.close(Keep::Nothing, "X", NOW).expect("closed").order;
    let again = closed.clone().close(Keep::UpTo(cny(0)), "Y", NOW).expect("repeat");
    assert_eq!((again.order, again.events.len()), (closed, 0));
}

#[test]
fn closing_gives_back_what_was_paid_last_first_and_cash_at_once() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox).order;
    let full = pay(half, 2, Purpose::Balance, Tender::Cash).order;
    let closed = full.close(Keep::UpTo(cny(30)), "BOOKING_CANCELLED", NOW).expect("closed");
    let amounts: Vec<_> = closed.order.refunds.iter().map(|r| (r.payment, r.amount.minor(), r.is_done())).collect();
    assert_eq!(amounts, [(id(2), 60, true), (id(1), 10, false)]);
    assert_eq!(closed.order.refunded, cny(60));
    assert_eq!(told(&closed), [Happened::Closed, Happened::Refunded(Refund::id_for(id(2)))]);
    assert_eq!(balance(&closed.postings, Account::Takings), 70, "it was recognised before");
    assert_eq!(balance(&closed.postings, Account::RefundsPayable), -10);
    assert_eq!(balance(&closed.postings, Account::CashDrawer), -60);

    let done = closed.order.refund_done(Refund::id_for(id(1)), NOW).expect("done");
    assert_eq!(done.order.refunded, cny(70));
    assert_eq!(balance(&done.postings, Account::RefundsPayable), 10);
}

#[test]
fn what_is_kept_of_a_deposit_is_forfeited() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox).order;
    let closed = half.close(Keep::UpTo(cny(25)), "LATE", NOW).expect("closed");
    assert_eq!(balance(&closed.postings, Account::ForfeitedDeposits), -25);
    assert_eq!(balance(&closed.postings, Account::CustomerDeposits), 40);
}

#[test]
fn no_more_is_kept_than_was_paid() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let refused = |keep| half.clone().close(keep, "X", NOW).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(refused(Keep::UpTo(cny(-1))), Err("INVALID_ARGUMENT"));
    let usd = Money::new(1, Currency::parse("c", "USD").expect("known"));
    assert_eq!(refused(Keep::UpTo(usd)), Err("CURRENCY_MISMATCH"));
    let closed = half.close(Keep::UpTo(cny(1_000)), "X", NOW).expect("closed");
    assert_eq!((closed.order.refunded, closed.order.refunds.len()), (cny(0), 0));
    assert_eq!(balance(&closed.postings, Account::ForfeitedDeposits), -40);
}

#[test]
fn what_comes_after_the_end_goes_back_whole() {
    let waiting = start(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox);
    let closed = waiting.close(Keep::Nothing, "EXPIRED", NOW).expect("closed").order;
    let late = closed.capture(id(1), NOW).expect("captured");
    assert_eq!(told(&late), [Happened::Captured(id(1))]);
    assert!(matches!(late.events[0].facts.state, State::Closed { .. }));
    assert_eq!(late.order.refunds[0].amount, cny(40));
    assert_eq!(balance(&late.postings, Account::CustomerDeposits), 0);
    assert_eq!(balance(&late.postings, Account::RefundsPayable), -40);
}

#[test]
fn money_that_nobody_owes_goes_back_without_counting() {
    let failed =
        start(order(100, 40), 1, Purpose::Deposit, Tender::Sandbox).fail(id(1), "DECLINED").expect("failed").order;
    let paid = pay(failed.clone(), 2, Purpose::Deposit, Tender::Cash).order;
    let surplus = paid.capture(id(1), NOW).expect("captured");
    assert_eq!(surplus.order.paid, cny(40));
    assert!(surplus.events.is_empty());
    assert_eq!(surplus.order.refunds[0].reason, "SURPLUS");
    let back = surplus.order.refund_done(Refund::id_for(id(1)), NOW).expect("done");
    assert_eq!(back.order.refunded, cny(0));
    // Had nobody else paid, it would have counted.
    assert_eq!(failed.capture(id(1), NOW).expect("captured").order.paid, cny(40));
}

fn add(order: Order, n: u128, minor: i64) -> Outcome {
    let added = Amendment {
        id: Uuid::from_u128(n),
        item: "items/b".into(),
        display_name: "+15".into(),
        amount: cny(minor),
        discount: cny(0),
    };
    order.amend(added, NOW).expect("added")
}

#[test]
fn what_is_added_is_owed_and_what_was_paid_counts_on() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let longer = add(half, 9, 25);
    assert_eq!((longer.order.total, longer.order.due(Purpose::Balance).ok()), (cny(125), Some(cny(85))));
    assert!(matches!(told(&longer).as_slice(), [Happened::Amended(line)] if line.amount == cny(25)));
    assert!(longer.postings.is_empty());
    let again = add(longer.order.clone(), 9, 25);
    assert_eq!((again.order, again.events.len()), (longer.order.clone(), 0));
    let other = Amendment {
        id: Uuid::from_u128(9),
        item: "x".into(),
        display_name: String::new(),
        amount: cny(25),
        discount: cny(0),
    };
    assert_eq!(longer.order.amend(other, NOW).map(|_| ()).map_err(|e| e.reason()), Err("AMENDMENT_EXISTS"));
}

#[test]
fn an_order_paid_in_full_waits_for_what_was_added() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let full = pay(half, 2, Purpose::Balance, Tender::Cash).order;
    let longer = add(full, 9, 25);
    assert_eq!(longer.order.state, State::DepositPaid);
    assert_eq!(balance(&longer.postings, Account::CustomerDeposits), -100);
    assert_eq!(balance(&longer.postings, Account::Takings), 100);
    let paid = pay(longer.order, 3, Purpose::Balance, Tender::Cash);
    assert_eq!(paid.order.state, State::Paid);
    assert_eq!(told(&paid), [Happened::Captured(id(3)), Happened::Paid]);
    assert_eq!(balance(&paid.postings, Account::Takings), -125);
    // For nothing, it stays paid.
    assert_eq!(add(paid.order, 10, 0).order.state, State::Paid);
}

#[test]
fn an_order_that_becomes_cheaper_is_owed_less() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let cheaper = add(half.clone(), 9, -25);
    assert_eq!((cheaper.order.total, cheaper.order.due(Purpose::Balance).ok()), (cny(75), Some(cny(35))));
    assert!(cheaper.postings.is_empty() && cheaper.order.refunds.is_empty());
    // Nothing is left to pay.
    let nothing = add(half, 9, -60);
    assert_eq!((nothing.order.state.clone(), balance(&nothing.postings, Account::Takings)), (State::Paid, -40));
    assert!(matches!(told(&nothing).as_slice(), [Happened::Amended(_), Happened::Paid]));
}

#[test]
fn what_was_paid_above_a_lower_total_goes_back_the_last_first() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let full = pay(half, 2, Purpose::Balance, Tender::Sandbox).order;
    let cheaper = add(full, 9, -25);
    assert_eq!((cheaper.order.state.clone(), cheaper.order.paid, cheaper.order.total), (State::Paid, cny(75), cny(75)));
    let back: Vec<_> = cheaper.order.refunds.iter().map(|refund| (refund.payment, refund.amount)).collect();
    assert_eq!(back, [(id(2), cny(25))]);
    assert_eq!(balance(&cheaper.postings, Account::Takings), 25);
    let refund = cheaper.order.refunds[0].id;
    let done = cheaper.order.refund_done(refund, NOW).expect("done");
    assert_eq!((told(&done), done.order.refunded), (vec![Happened::Refunded(refund)], cny(0)));
    // Given up after all, no more goes back of a payment than is left of it.
    let closed = done.order.close(Keep::Nothing, "X", NOW).expect("closed").order;
    let back: Vec<_> = closed.refunds.iter().map(|refund| (refund.payment, refund.amount)).collect();
    assert_eq!(back, [(id(2), cny(25)), (id(2), cny(35)), (id(1), cny(40))]);
}

#[test]
fn a_balance_on_its_way_while_something_is_added_counts() {
    let half = pay(order(100, 40), 1, Purpose::Deposit, Tender::Cash).order;
    let waiting = start(half, 2, Purpose::Balance, Tender::Sandbox);
    let captured = add(waiting, 9, 25).order.capture(id(2), NOW).expect("captured").order;
    assert_eq!((captured.paid, captured.state.clone()), (cny(100), State::DepositPaid));
    assert_eq!(captured.due(Purpose::Balance).ok(), Some(cny(25)));
}

#[test]
fn what_cannot_be_added_is_refused() {
    let reason = |order: Order, amount| {
        let added = Amendment {
            id: Uuid::from_u128(9),
            item: "x".into(),
            display_name: String::new(),
            amount,
            discount: cny(0),
        };
        order.amend(added, NOW).map(|_| ()).map_err(|e| e.reason())
    };
    assert_eq!(reason(order(100, 40), cny(-61)), Err("INVALID_ARGUMENT"));
    let usd = Money::new(1, Currency::parse("c", "USD").expect("known"));
    assert_eq!(reason(order(100, 40), usd), Err("CURRENCY_MISMATCH"));
    let closed = order(100, 40).close(Keep::Nothing, "X", NOW).expect("closed").order;
    assert_eq!(reason(closed, cny(1)), Err("ORDER_CLOSED"));
}

fn for_subject(subject: Subject) -> Order {
    Order::create(NewOrder { subject, ..new_order(100, 0) }, NOW).expect("valid").order
}

#[test]
fn what_is_paid_ahead_is_owed_until_it_is_spent() {
    let card = CardId::new(NOW);
    let paid = pay(for_subject(Subject::TopUp(card)), 1, Purpose::Balance, Tender::Sandbox);
    assert_eq!(told(&paid), [Happened::Captured(id(1)), Happened::Paid]);
    assert_eq!(balance(&paid.postings, Account::StoredValuePrincipal), -100);
    assert_eq!((balance(&paid.postings, Account::Takings), balance(&paid.postings, Account::CustomerDeposits)), (0, 0));
    let contract = pay(for_subject(Subject::Contract(ContractId::new(NOW))), 1, Purpose::Balance, Tender::Sandbox);
    assert_eq!(balance(&contract.postings, Account::PrepaidLiability), -100);

    let closed = paid.order.close(Keep::UpTo(cny(30)), "CONTRACT_ENDED", NOW).expect("closed");
    assert_eq!(balance(&closed.postings, Account::StoredValuePrincipal), 70);
    assert_eq!(balance(&closed.postings, Account::RefundsPayable), -70);
}

#[test]
fn only_to_visits_something_is_added() {
    let added = Amendment {
        id: Uuid::from_u128(9),
        item: "x".into(),
        display_name: String::new(),
        amount: cny(1),
        discount: cny(0),
    };
    let refused = for_subject(Subject::TopUp(CardId::new(NOW))).amend(added, NOW).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(refused, Err("NOT_A_VISIT"));
}

#[test]
fn a_reduction_is_spread_and_the_order_knows_what_it_was_made_from() {
    let line = |minor| Line { amount: cny(minor), discount: cny(5), ..new_order(0, 0).lines.remove(0) };
    let new = NewOrder { lines: vec![line(100), line(201)], discount: cny(30), ..new_order(0, 200) };
    let order = Order::create(new.clone(), NOW).expect("valid").order;
    assert_eq!((order.total, order.discount), (cny(271), cny(40)));
    assert_eq!(order.lines.iter().map(|line| line.discount.minor()).collect::<Vec<_>>(), [15, 25]);
    assert!(order.is_made_from(&new));
    assert!(!order.is_made_from(&NewOrder { discount: cny(29), ..new.clone() }));
    let too_much = Order::create(NewOrder { discount: cny(302), ..new.clone() }, NOW);
    assert_eq!(too_much.map(|_| ()).map_err(|e| e.reason()), Err("INVALID_ARGUMENT"));
    let deposit = Order::create(NewOrder { deposit: cny(272), ..new }, NOW);
    assert_eq!(deposit.map(|_| ()).map_err(|e| e.reason()), Err("INVALID_ARGUMENT"));
}
