use kernel::{
    Uuid,
    ids::{CardId, CheckoutId},
};

use super::{
    super::tests::{NOW, balance, cny, id, order, told},
    *,
};
use crate::domain::{Amendment, Keep, Subject};

fn checkout() -> CheckoutId {
    CheckoutId::from_uuid(Uuid::from_u128(70))
}

fn card() -> Tender {
    Tender::StoredValue(CardId::from_uuid(Uuid::from_u128(80)))
}

fn tenders(parts: &[(Tender, i64)]) -> Vec<NewTender> {
    let one = |(n, (tender, minor)): (u128, &(Tender, i64))| NewTender {
        id: id(n),
        tender: *tender,
        amount: cny(*minor),
        reference: String::new(),
    };
    (1..).zip(parts).map(one).collect()
}

fn attempt(order: Order, purpose: Purpose, parts: &[(Tender, i64)]) -> Result<Outcome> {
    let expire_time = NOW + std::time::Duration::from_secs(60);
    order.start_checkout(NewCheckout { id: checkout(), purpose, tenders: tenders(parts), expire_time }, NOW)
}

fn mixed(total: i64) -> Order {
    let parts = [(Tender::Cash, 10), (card(), 20), (Tender::Sandbox, total - 30)];
    let open = attempt(order(total, 0), Purpose::Balance, &parts).expect("open");
    assert_eq!((open.events.len(), open.postings.len()), (0, 0));
    assert_eq!(open.order.checkout_state(checkout()), Some(CheckoutState::Open));
    open.order
}

fn states(order: &Order) -> Vec<&'static str> {
    let word = |payment: &Payment| match payment.state {
        payment::State::Pending => "pending",
        payment::State::Reserved => "reserved",
        payment::State::Captured { surplus: false, .. } => "captured",
        payment::State::Captured { .. } => "surplus",
        payment::State::Failed { .. } => "failed",
    };
    order.payments.iter().map(word).collect()
}

#[test]
fn without_a_provider_all_is_captured_at_once() {
    let paid = attempt(order(100, 40), Purpose::Balance, &[(Tender::Cash, 60), (Tender::CardTerminal, 40)]);
    let paid = paid.expect("paid");
    assert_eq!((paid.order.state.clone(), paid.order.paid), (State::Paid, cny(100)));
    assert_eq!(told(&paid), [Happened::Captured(id(1)), Happened::Captured(id(2)), Happened::Paid]);
    let of = |account| balance(&paid.postings, account);
    assert_eq!((of(Account::CashDrawer), of(Account::CardTerminal), of(Account::Takings)), (60, 40, -100));
    assert_eq!(paid.order.checkout_state(checkout()), Some(CheckoutState::Captured));
    let deposit = attempt(order(100, 40), Purpose::Deposit, &[(Tender::Cash, 10), (card(), 30)]).expect("paid");
    assert_eq!((deposit.order.state.clone(), deposit.order.paid), (State::DepositPaid, cny(40)));
    assert_eq!(
        balance(&deposit.postings, Account::CustomerDeposits),
        -10,
        "the card gives its part as it is committed"
    );
}

#[test]
fn the_others_wait_for_the_provider_and_come_to_pass_with_it() {
    let open = mixed(100);
    assert_eq!(states(&open), ["reserved", "reserved", "pending"]);
    assert_eq!(open.paid, cny(0));
    let paid = open.capture(id(3), NOW).expect("captured");
    assert_eq!((states(&paid.order), paid.order.state.clone()), (vec!["captured"; 3], State::Paid));
    assert_eq!(told(&paid).len(), 4);
    let again = paid.order.clone().capture(id(3), NOW).expect("repeat");
    assert_eq!((again.order, again.events.len()), (paid.order.clone(), 0));
    let refused = paid.order.void_checkout(checkout(), "X").map(|_| ()).map_err(|e| e.reason());
    assert_eq!(refused, Err("CHECKOUT_CAPTURED"));
}

#[test]
fn they_come_to_nothing_with_it() {
    let failed = mixed(100).fail(id(3), "DECLINED").expect("failed");
    assert_eq!((states(&failed.order), failed.postings.len()), (vec!["failed"; 3], 0));
    assert_eq!(told(&failed), [1, 2, 3].map(|n| Happened::PaymentFailed(id(n))));
    assert_eq!(failed.order.checkout_state(checkout()), Some(CheckoutState::Voided));
    // What is captured after all goes back whole.
    let late = failed.order.capture(id(3), NOW).expect("captured");
    assert_eq!((states(&late.order), late.order.paid), (vec!["failed", "failed", "surplus"], cny(0)));
    assert_eq!(late.order.refunds[0].amount, cny(70));
    let again = late.order.clone().void_checkout(checkout(), "X").expect("it stays");
    assert_eq!((again.order, again.events.len()), (late.order, 0));
}

#[test]
fn what_is_owed_no_more_goes_back_and_the_others_are_free() {
    let amount = cny(-50);
    let cheaper =
        Amendment { id: Uuid::from_u128(9), item: "x".into(), display_name: String::new(), amount, discount: cny(0) };
    let cheaper = mixed(100).amend(cheaper, NOW).expect("amended").order;
    let late = cheaper.capture(id(3), NOW).expect("captured");
    assert_eq!(states(&late.order), ["failed", "failed", "surplus"]);
    assert_eq!((late.order.paid, late.order.refunds[0].amount), (cny(0), cny(70)));
    assert_eq!(late.events.iter().map(|event| event.version).collect::<Vec<_>>(), [3, 4]);
    assert!(late.order.due(Purpose::Balance).is_ok() && late.order.open_checkout().is_none());
}

#[test]
fn the_end_of_the_order_frees_the_others() {
    let closed = mixed(100).close(Keep::Nothing, "BOOKING_CANCELLED", NOW).expect("closed").order;
    assert_eq!(states(&closed), ["failed", "failed", "pending"]);
    assert_eq!(closed.checkout_state(checkout()), Some(CheckoutState::Voided));
    let late = closed.capture(id(3), NOW).expect("captured").order;
    assert_eq!((late.refunds[0].amount, late.paid), (cny(70), cny(0)));
}

#[test]
fn one_thing_at_a_time() {
    let open = mixed(100);
    let cash = open.clone().start_payment(id(9), Purpose::Balance, Tender::Cash, None, NOW);
    assert_eq!(cash.map(|_| ()).map_err(|e| e.reason()), Err("PAYMENT_PENDING"));
    let second = attempt(open, Purpose::Balance, &[(Tender::Cash, 100)]).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(second, Err("PAYMENT_PENDING"));
}

#[test]
fn tenders_that_can_not_be_are_refused() {
    let reason =
        |parts: &[(Tender, i64)]| attempt(order(100, 0), Purpose::Balance, parts).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(reason(&[]), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(&[(Tender::Cash, 99)]), Err("AMOUNT_MISMATCH"));
    assert_eq!(reason(&[(Tender::Cash, 100), (card(), 0)]), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(&[(Tender::Cash, 101), (card(), -1)]), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(&[(card(), 50), (card(), 50)]), Err("INVALID_ARGUMENT"));
    assert_eq!(reason(&[(Tender::Sandbox, 50), (Tender::WechatH5, 50)]), Err("SEVERAL_PROVIDERS"));
    assert_eq!(reason(&[(Tender::Cash, i64::MAX), (card(), 1)]), Err("AMOUNT_OVERFLOW"));
    let top_up = Order { subject: Subject::TopUp(CardId::from_uuid(Uuid::from_u128(80))), ..order(100, 0) };
    let circle = attempt(top_up, Purpose::Balance, &[(card(), 100)]).map(|_| ()).map_err(|e| e.reason());
    assert_eq!(circle, Err("NOT_A_VISIT"));
}
