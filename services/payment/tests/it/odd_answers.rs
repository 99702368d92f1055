//! A provider that answers what it should not, and a database that fails once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kernel::{Error, Result, ids::PaymentId};
use payment::{
    App, Peers, Policy,
    domain::Charge,
    peers::{Acknowledgement, ChargeReport, Envelope, NewCharge, NewRefund, Notice, Provider, Providers, RefundState},
    worker::{query_pending, send_refunds},
};
use proto::payment::v1::{
    order::State,
    payment::{Purpose, State as PaymentState},
};

use crate::house::{House, vault};

/// The sandbox, but for what it says when it is asked about a charge.
#[derive(Debug)]
struct Odd {
    sandbox: Arc<dyn Provider>,
    knows_nothing: bool,
    fails_once: AtomicBool,
}

#[tonic::async_trait]
impl Provider for Odd {
    fn name(&self) -> &'static str {
        self.sandbox.name()
    }

    async fn create_charge(&self, charge: NewCharge) -> Result<Charge> {
        self.sandbox.create_charge(charge).await
    }

    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>> {
        if self.fails_once.swap(false, Ordering::SeqCst) {
            return Err(Error::unavailable("the payment provider"));
        }
        if self.knows_nothing { Ok(None) } else { self.sandbox.charge(payment).await }
    }

    async fn close_charge(&self, payment: PaymentId) -> Result<()> {
        self.sandbox.close_charge(payment).await
    }

    async fn refund(&self, refund: &NewRefund) -> Result<RefundState> {
        self.sandbox.refund(refund).await
    }

    async fn refund_state(&self, refund: &NewRefund) -> Result<Option<RefundState>> {
        self.sandbox.refund_state(refund).await
    }

    async fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice> {
        self.sandbox.read_notice(envelope).await
    }

    fn acknowledgement(&self) -> Acknowledgement {
        self.sandbox.acknowledgement()
    }
}

/// Payment with a provider that knows nothing of any charge, or one that fails once.
fn with_odd_provider(house: &House, knows_nothing: bool) -> App {
    let sandbox = Arc::clone(house.app.peers.providers.named("sandbox").expect("wired"));
    let provider: Arc<dyn Provider> =
        Arc::new(Odd { sandbox, knows_nothing, fails_once: AtomicBool::new(!knows_nothing) });
    App::new(
        house.db.pg.clone(),
        vault(),
        house.clock.clone(),
        Policy::default(),
        Peers { providers: Providers::new([provider]), invoicing: None },
    )
}

#[tokio::test]
async fn a_charge_that_was_made_is_not_given_up_because_the_provider_forgot_it() {
    let house = House::open().await;
    let order = house.order().await;
    let deposit = house.start(&order, Purpose::Deposit).await;
    let odd = with_odd_provider(&house, true);
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(query_pending(&odd).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.payments[0].state(), PaymentState::Pending);

    // The customer pays it, the notice is lost, and the provider comes to its senses.
    house.press(&deposit, "succeed", "lost").await;
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.state(), State::DepositPaid);
    assert_eq!(house.events(&order).await, ["OrderCreated", "PaymentCaptured"]);
}

#[tokio::test]
async fn a_charge_that_the_provider_forgot_for_good_ends_when_it_can_be_paid_no_more() {
    let house = House::open().await;
    let order = house.order().await;
    house.start(&order, Purpose::Deposit).await;
    let odd = with_odd_provider(&house, true);
    house.clock.advance(Duration::from_secs(35 * 60));
    assert_eq!(query_pending(&odd).await.expect("asked"), 1);
    assert_eq!(house.get(&order).await.payments[0].failure_reason, "NOT_STARTED");
    house.cash(&order, Purpose::Deposit).await;
}

#[tokio::test]
async fn a_payment_that_cannot_be_asked_about_holds_up_no_other() {
    let house = House::open().await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        let order = house.order().await;
        let deposit = house.start(&order, Purpose::Deposit).await;
        house.press(&deposit, "succeed", "lost").await;
        orders.push(order);
    }
    house.clock.advance(Duration::from_secs(61));
    assert!(query_pending(&with_odd_provider(&house, false)).await.is_err(), "it is told");
    let mut paid = 0;
    for order in &orders {
        paid += usize::from(house.get(order).await.state() == State::DepositPaid);
    }
    assert_eq!(paid, 2);
    house.clock.advance(Duration::from_secs(121));
    assert_eq!(query_pending(&house.app).await.expect("asked"), 1, "the one that is left");
}

#[tokio::test]
async fn a_refund_that_cannot_be_booked_holds_up_no_other() {
    let house = House::open().await;
    for _ in 0..3 {
        let order = house.order().await;
        let deposit = house.start(&order, Purpose::Deposit).await;
        house.succeed(&deposit).await;
        house.close(&order, None).await;
    }
    for statement in [
        "create sequence tries",
        "create function fail_once() returns trigger language plpgsql as $$
         begin if nextval('tries') = 1 then raise exception 'the disk is full'; end if; return new; end $$",
        "create trigger fail_once before update on customer_order for each row execute function fail_once()",
    ] {
        sqlx::query(statement).execute(house.db.pg.pool()).await.expect("done");
    }
    assert!(send_refunds(&house.app).await.is_err(), "it is told");
    assert_eq!(house.balances().await["refunds_payable"], -6_000, "one is left");
    house.clock.advance(Duration::from_secs(121));
    assert_eq!(house.send_refunds().await, 1);
    assert_eq!((house.books().await, house.count("select count(*) from sandbox.refund").await), (vec![], 3));
    let refunded = house.count("select sum(refunded_minor)::bigint from customer_order").await;
    assert_eq!(refunded, 18_000);
}
