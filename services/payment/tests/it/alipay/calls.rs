//! Each call, in both modes.

use std::time::Duration;

use kernel::{
    Currency, ErrorKind, Money,
    ids::{PaymentId, RefundId},
};
use payment::{
    domain::{Action, Tender},
    peers::{Alipay, ChargeState, NewCharge, NewRefund, Payer, Provider, RefundState},
};
use proto::payment::v1::{order::State, payment::Tender as PbTender, payment_action::Action as PbAction};

use super::{MODES, open, order_of};
use crate::{
    shop::Shop,
    wire::{fresh, minor},
};

fn charge(shop: &Shop, tender: Tender, auth_code: &str) -> NewCharge {
    NewCharge {
        payment: PaymentId::from_uuid(fresh()),
        tender,
        amount: Money::new(6_000, Currency::CNY),
        description: "肩颈按摩, 60 分钟".to_owned(),
        minutes: 30,
        expire_time: shop.clock_now() + Duration::from_secs(1_800),
        payer: Payer { auth_code: auth_code.to_owned(), ..Payer::default() },
    }
}

fn number(payment: PaymentId) -> String {
    payment.uuid().simple().to_string()
}

#[tokio::test]
async fn each_way_to_pay_gives_what_the_customers_side_needs() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let client = &shop.alipay_client;
        for tender in [Tender::AlipayPage, Tender::AlipayApp] {
            let new = charge(&shop, tender, "");
            let made = client.create_charge(new.clone()).await.expect("made");
            assert_eq!(client.charge(new.payment).await.expect("asked"), None, "nobody has opened it");
            assert_eq!(shop.alipay.open(&order_of(&made.action)).expect("opened"), number(new.payment));
            let report = client.charge(new.payment).await.expect("asked").expect("known");
            assert_eq!(report.state, ChargeState::Pending);
            let forged = order_of(&made.action).replace("6000", "1").replace("60.00", "0.01");
            assert!(shop.alipay.open(&forged).is_err(), "what was changed is not opened");
        }
        let shown = client.create_charge(charge(&shop, Tender::AlipayInStore, "")).await.expect("made");
        assert!(
            matches!(&shown.action, Action::Show { code } if code.starts_with("https://qr.alipay.com/")),
            "{shown:?}"
        );
        let scanned = charge(&shop, Tender::AlipayInStore, "280000000000000001");
        let made = client.create_charge(scanned.clone()).await.expect("made");
        assert_eq!(made.action, Action::Wait);
        let state = client.charge(scanned.payment).await.expect("asked").expect("known").state;
        assert_eq!(state, ChargeState::Succeeded, "it is paid as soon as it is scanned");
        let again = client.create_charge(scanned).await.expect_err("it is paid: ask");
        assert_eq!(again.kind(), ErrorKind::Unavailable);
    }
}

#[tokio::test]
async fn a_charge_is_asked_about_closed_undone_and_given_back() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let client = &shop.alipay_client;
        let state = async |payment| client.charge(payment).await.expect("asked").expect("known").state;

        let paid = charge(&shop, Tender::AlipayInStore, "");
        client.create_charge(paid.clone()).await.expect("made");
        assert_eq!(client.create_charge(paid.clone()).await.expect("found").id, number(paid.payment));
        shop.alipay.pay(&number(paid.payment)).expect("paid");
        let report = client.charge(paid.payment).await.expect("asked").expect("known");
        assert_eq!(report.amount.as_ref().map(|amount| (amount.minor, amount.currency.as_str())), Some((6_000, "CNY")));
        assert!(report.transaction.starts_with("20270301"), "{report:?}");
        assert_eq!(client.close_charge(paid.payment).await.expect_err("too late").reason(), "ALREADY_PAID");

        let closed = charge(&shop, Tender::AlipayInStore, "");
        client.create_charge(closed.clone()).await.expect("made");
        for _ in 0..2 {
            client.close_charge(closed.payment).await.expect("closed");
        }
        client.close_charge(PaymentId::from_uuid(fresh())).await.expect("nothing to close");
        assert_eq!(state(closed.payment).await, ChargeState::Failed { reason: "EXPIRED".to_owned() });

        // The customer is asked for a password and walks away.
        let waiting = charge(&shop, Tender::AlipayInStore, "280000000000000009");
        client.create_charge(waiting.clone()).await.expect("made");
        assert_eq!(state(waiting.payment).await, ChargeState::Pending);
        client.cancel(&number(waiting.payment)).await.expect("undone");
        assert_eq!(state(waiting.payment).await, ChargeState::Failed { reason: "EXPIRED".to_owned() });
        client.cancel(&number(PaymentId::from_uuid(fresh()))).await.expect("nothing to undo");

        give_back(client, &paid).await;
        assert_eq!(state(paid.payment).await, ChargeState::Succeeded, "what went back whole was there");
    }
}

async fn give_back(client: &Alipay, paid: &NewCharge) {
    let part = |fen| NewRefund {
        id: RefundId::from_uuid(fresh()),
        payment: paid.payment,
        captured: paid.amount,
        amount: Money::new(fen, Currency::CNY),
        reason: "BOOKING_CANCELLED".to_owned(),
    };
    let refund = part(4_000);
    assert_eq!(client.refund_state(&refund).await.expect("asked"), None);
    for _ in 0..2 {
        assert_eq!(
            client.refund(&refund).await.expect("sent"),
            RefundState::Succeeded,
            "once, however often it is sent"
        );
    }
    let other = NewRefund { amount: Money::new(3_999, Currency::CNY), ..refund.clone() };
    assert_eq!(client.refund(&other).await.expect_err("another amount").reason(), "PROVIDER_REFUSED");
    assert_eq!(client.refund(&part(2_001)).await.expect_err("more than came").reason(), "PROVIDER_REFUSED");
    assert_eq!(client.refund(&part(2_000)).await.expect("the rest"), RefundState::Succeeded);
    assert_eq!(client.refund_state(&refund).await.expect("asked"), Some(RefundState::Succeeded));
}

#[tokio::test]
async fn an_order_is_paid_and_given_back_by_alipay() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let (order, payment) = shop.deposit(PbTender::AlipayPage).await;
        let action = payment.action.as_ref().and_then(|action| action.action.as_ref());
        assert!(matches!(action, Some(PbAction::OpenUri(uri)) if *uri == payment.pay_uri), "{action:?}");
        open(&shop, &payment);
        shop.alipay.pay(&Shop::number(&payment)).expect("paid");
        assert_eq!(shop.alipay.deliver_due().await, [200]);
        assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
        assert_eq!(
            shop.books().await,
            [("customer_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)]
        );

        shop.close(&order, None).await;
        assert_eq!(shop.send_refunds().await, 1);
        assert_eq!(minor(&shop.get(&order).await.refunded), 6_000, "it is done at once");
        // That it went back whole is told as «closed», and changes nothing.
        assert_eq!(shop.alipay.deliver_due().await, [200]);
        assert_eq!((shop.books().await, shop.breaks().await), (vec![], vec![]));
        assert_eq!(shop.get(&order).await.payments[0].state(), proto::payment::v1::payment::State::Captured);
    }
}

#[tokio::test]
async fn at_the_desk_a_scanned_code_is_paid_at_once() {
    let shop = Shop::open(true).await;
    let order = shop.order().await;
    let payer = |code: &str| Some(proto::payment::v1::Payer { auth_code: code.to_owned(), ..Default::default() });
    let request = proto::payment::v1::PayOrderRequest {
        payer: payer("280000000000000001"),
        ..shop.request(&order, PbTender::AlipayInStore)
    };
    let payment = shop.client.clone().pay_order(shop.as_desk(request)).await.expect("a payment").into_inner();
    assert_eq!((payment.action, payment.pay_uri.as_str()), (None, ""));
    // Nobody has waited for the notice, nor for the worker.
    assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
    assert_eq!(shop.alipay.deliver_due().await, [200]);
    assert_eq!(shop.events(&order).await, ["OrderCreated", "PaymentCaptured"]);

    // One that asks for a password is paid when the customer has typed it.
    let other = shop.order().await;
    let request = proto::payment::v1::PayOrderRequest {
        payer: payer("280000000000000009"),
        ..shop.request(&other, PbTender::AlipayInStore)
    };
    let payment = shop.client.clone().pay_order(shop.as_desk(request)).await.expect("a payment").into_inner();
    assert_eq!(shop.get(&other).await.state(), State::Open);
    shop.alipay.pay(&Shop::number(&payment)).expect("paid");
    assert_eq!(shop.alipay.deliver_due().await, [200]);
    assert_eq!(shop.get(&other).await.state(), State::DepositPaid);
}
