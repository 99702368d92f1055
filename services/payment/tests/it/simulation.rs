//! Random lives of orders through the whole service: whatever happens in whatever order, with notices that come late,
//! twice, swapped or never, money is conserved, and at the end every invariant of the audit holds.
//!
//! `make sim SEEDS=1000` runs that many seeds, `make sim SEED=17` one of them again.

use std::time::Duration;

use proptest::{prelude::*, strategy::ValueTree};
use proto::payment::v1::payment::{Purpose, State as PaymentState, Tender};

use crate::{
    house::House,
    seeds::{runner, seeds},
    wire::{minor, pay},
};

/// How many seeds are run if nothing else is said.
const SEEDS: u64 = 12;

#[derive(Debug, Clone)]
enum Step {
    Pay { purpose: Purpose, tender: Tender },
    Press { outcome: &'static str, fault: &'static str },
    Deliver,
    Query,
    Close(Option<i64>),
    SendRefunds,
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let purpose = prop_oneof![Just(Purpose::Deposit), Just(Purpose::Balance)];
    let tender = prop_oneof![3 => Just(Tender::Sandbox), 1 => Just(Tender::Cash)];
    let outcome = prop_oneof![3 => Just("succeed"), 1 => Just("fail")];
    let fault = prop::sample::select(vec!["", "late", "twice", "lost", "reordered", "wrong_amount", "bad_signature"]);
    let step = prop_oneof![
        4 => (purpose, tender).prop_map(|(purpose, tender)| Step::Pay { purpose, tender }),
        4 => (outcome, fault).prop_map(|(outcome, fault)| Step::Press { outcome, fault }),
        3 => Just(Step::Deliver),
        2 => Just(Step::Query),
        1 => prop::option::of(0_i64..12_000).prop_map(Step::Close),
        2 => Just(Step::SendRefunds),
        2 => (1_u64..200).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 4..16)
}

#[tokio::test]
async fn money_is_conserved() {
    let house = House::open().await;
    for seed in seeds(SEEDS) {
        let steps = steps().new_tree(&mut runner(seed)).expect("steps").current();
        let told = format!("SIM_SEED={seed}, steps {steps:?}");
        let order = house.order_of(10_000, 2_500).await;
        for step in &steps {
            take(&house, &order, step).await;
            check(&house, &order, &told).await;
        }
        // However it went, it can be brought to an end at which nothing is owed to anybody.
        house.clock.advance(Duration::from_secs(3_600));
        house.sandbox.expire_due().await.expect("expired");
        house.deliver().await;
        payment::worker::query_pending(&house.app).await.expect("asked");
        house.close(&order, None).await;
        while house.send_refunds().await > 0 {}
        check(&house, &order, &told).await;
        assert_eq!(house.balances().await.get("refunds_payable").copied().unwrap_or(0), 0, "{told}");
        assert_eq!(house.balances().await.get("customer_deposits").copied().unwrap_or(0), 0, "{told}");
    }
    for finding in payment::flows::audit::audit(&house.db.pg, |_| {}).await.expect("looked") {
        assert!(finding.breaches.is_empty(), "{finding:?}");
    }
}

async fn take(house: &House, order: &str, step: &Step) {
    match step {
        Step::Pay { purpose, tender } => {
            // A refusal is an answer too.
            let request = house.as_desk(pay(order, *purpose, *tender));
            let _ = house.client.clone().pay_order(request).await;
        }
        Step::Press { outcome, fault } => {
            let known = house.get(order).await;
            if let Some(pending) = known.payments.iter().find(|p| p.state() == PaymentState::Pending) {
                let query = if fault.is_empty() { String::new() } else { format!("?fault={fault}") };
                let body = serde_json::json!({ "outcome": outcome });
                let press = house.http.post(format!("{}{query}", pending.pay_uri)).json(&body);
                press.send().await.expect("the sandbox answers");
            }
        }
        Step::Deliver => {
            house.deliver().await;
        }
        Step::Query => {
            payment::worker::query_pending(&house.app).await.expect("asked");
        }
        Step::Close(keep) => {
            house.close(order, *keep).await;
        }
        Step::SendRefunds => {
            house.send_refunds().await;
        }
        Step::Wait(seconds) => {
            house.clock.advance(Duration::from_secs(*seconds));
        }
    }
}

async fn check(house: &House, order: &str, told: &str) {
    house.balances().await;
    house.events(order).await;
    let order = house.get(order).await;
    assert!(minor(&order.paid) <= minor(&order.total), "{told}");
    assert!(minor(&order.refunded) <= minor(&order.paid), "{told}");
    for payment in &order.payments {
        let back: i64 = order.refunds.iter().filter(|r| r.payment == payment.name).map(|r| minor(&r.amount)).sum();
        let captured = if payment.state() == PaymentState::Captured { minor(&payment.amount) } else { 0 };
        assert!(back <= captured, "{told}");
    }
    // What we believe to lie with the provider lies there.
    let receivable = house.balances().await.get("provider_receivable").copied().unwrap_or(0);
    let known = house
        .count(
            "select coalesce((select sum(amount_minor) from payment where state = 'captured' and tender = 'sandbox'), 0)::bigint
                  - coalesce((select sum(refund.amount_minor) from refund join payment on payment.id = payment_id
                              where refund.state = 'succeeded' and tender = 'sandbox'), 0)::bigint",
        )
        .await;
    assert_eq!(receivable, known, "{told}");
}
