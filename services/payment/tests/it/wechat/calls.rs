//! Each call, in both modes.

use kernel::{
    Currency, ErrorKind, Money,
    ids::{PaymentId, RefundId},
};
use payment::{
    domain::{Action, Tender},
    peers::{ChargeState, NewCharge, NewRefund, Payer, Provider, RefundState, Wechat},
};
use proto::payment::v1::{
    order::State,
    payment::{State as PaymentState, Tender as PbTender},
    payment_action::Action as PbAction,
};

use super::MODES;
use crate::{
    shop::Shop,
    wire::{fresh, minor},
};

fn charge(shop: &Shop, tender: Tender) -> NewCharge {
    NewCharge {
        payment: PaymentId::from_uuid(fresh()),
        tender,
        amount: Money::new(6_000, Currency::CNY),
        description: "肩颈按摩 60 分钟".to_owned(),
        minutes: 30,
        expire_time: shop.clock_now() + std::time::Duration::from_secs(1_800),
        payer: Payer { id: "o-payer".to_owned(), ip: "203.0.113.7".to_owned(), ..Payer::default() },
    }
}

fn number(payment: PaymentId) -> String {
    payment.uuid().simple().to_string()
}

#[tokio::test]
async fn each_way_to_pay_gives_what_the_customers_side_needs() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let client = &shop.wechat_client;
        let made = client.create_charge(charge(&shop, Tender::WechatJsapi)).await.expect("made");
        let Action::Jsapi(params) = made.action else { panic!("{:?}", made.action) };
        assert!(params.package.starts_with("prepay_id=wx"), "{params:?}");
        assert_eq!((params.sign_type.as_str(), params.app_id.is_empty()), ("RSA", false));

        let made = client.create_charge(charge(&shop, Tender::WechatNative)).await.expect("made");
        assert!(matches!(&made.action, Action::Show { code } if code.starts_with("weixin://")), "{:?}", made.action);

        let new = charge(&shop, Tender::WechatH5);
        let payment = new.payment;
        let made = client.create_charge(new.clone()).await.expect("made");
        assert!(matches!(&made.action, Action::Open { uri } if uri.starts_with(&shop.wechat_url)), "{:?}", made.action);
        assert_eq!(made.id, number(payment));
        let again = client.create_charge(new).await.expect("found");
        assert_eq!(again, made, "the number is the idempotency key");
    }
}

#[tokio::test]
async fn a_charge_is_asked_about_closed_and_given_back() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let client = &shop.wechat_client;
        assert_eq!(client.charge(PaymentId::from_uuid(fresh())).await.expect("asked"), None);

        let paid = charge(&shop, Tender::WechatNative);
        client.create_charge(paid.clone()).await.expect("made");
        let state = async |payment| client.charge(payment).await.expect("asked").expect("known").state;
        assert_eq!(state(paid.payment).await, ChargeState::Pending);
        shop.wechat.pay(&number(paid.payment)).expect("paid");
        let report = client.charge(paid.payment).await.expect("asked").expect("known");
        assert_eq!(report.state, ChargeState::Succeeded);
        assert_eq!(report.amount.as_ref().map(|amount| (amount.minor, amount.currency.as_str())), Some((6_000, "CNY")));
        assert!(report.transaction.starts_with("42000"), "{report:?}");
        let error = client.close_charge(paid.payment).await.expect_err("too late");
        assert_eq!(error.reason(), "ALREADY_PAID");

        let closed = charge(&shop, Tender::WechatNative);
        client.create_charge(closed.clone()).await.expect("made");
        for _ in 0..2 {
            client.close_charge(closed.payment).await.expect("closed");
        }
        client.close_charge(PaymentId::from_uuid(fresh())).await.expect("nothing to close");
        assert_eq!(state(closed.payment).await, ChargeState::Failed { reason: "EXPIRED".to_owned() });
        assert!(shop.wechat.pay(&number(closed.payment)).is_err());

        give_back(&shop, client, &paid).await;
    }
}

async fn give_back(shop: &Shop, client: &Wechat, paid: &NewCharge) {
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
        assert_eq!(client.refund(&refund).await.expect("sent"), RefundState::Pending, "once, however often it is sent");
    }
    let error = client.refund(&part(2_001)).await.expect_err("more than came");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::FailedPrecondition, "PROVIDER_REFUSED"));
    assert_eq!(client.refund(&part(2_000)).await.expect("the rest"), RefundState::Pending);
    assert_eq!(shop.wechat.finish_refunds().expect("done"), 2);
    assert_eq!(client.refund_state(&refund).await.expect("asked"), Some(RefundState::Succeeded));
    assert_eq!(client.refund(&refund).await.expect("known"), RefundState::Succeeded);
    let state = client.charge(paid.payment).await.expect("asked").expect("known").state;
    assert_eq!(state, ChargeState::Succeeded, "what went back was there");
}

#[tokio::test]
async fn an_order_is_paid_and_given_back_by_wechat_pay() {
    for mode in MODES {
        let shop = Shop::open(mode).await;
        let (order, payment) = shop.deposit(PbTender::WechatJsapi).await;
        let action = payment.action.as_ref().and_then(|action| action.action.as_ref());
        assert!(matches!(action, Some(PbAction::WechatJsapi(params)) if !params.pay_sign.is_empty()), "{action:?}");
        assert_eq!(shop.get(&order).await.payments[0], payment, "and it is kept");
        shop.wechat.pay(&Shop::number(&payment)).expect("paid");
        assert_eq!(super::delivered(&shop).await, [200]);
        assert_eq!(shop.get(&order).await.state(), State::DepositPaid);
        assert_eq!(
            shop.books().await,
            [("customer_deposits".to_owned(), -6_000), ("provider_receivable".to_owned(), 6_000)]
        );
        let known = shop.count("select count(*) from payment where transaction_id like '42000%'").await;
        assert_eq!(known, 1, "bills call it by the provider's id");

        shop.close(&order, None).await;
        assert_eq!(shop.send_refunds().await, 1);
        assert_eq!(minor(&shop.get(&order).await.refunded), 0, "it is under way");
        shop.wechat.finish_refunds().expect("done");
        assert_eq!(super::delivered(&shop).await, [200]);
        assert_eq!(minor(&shop.get(&order).await.refunded), 6_000);
        assert_eq!(shop.books().await, []);
        assert_eq!(shop.breaks().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_refund_whose_notice_never_comes_is_asked_for() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(PbTender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    super::delivered(&shop).await;
    shop.close(&order, None).await;
    shop.send_refunds().await;
    shop.wechat.finish_refunds().expect("done");
    shop.clock.advance(std::time::Duration::from_secs(30));
    assert_eq!(shop.send_refunds().await, 1);
    assert_eq!(minor(&shop.get(&order).await.refunded), 6_000);
    // The notice comes after all.
    assert_eq!(super::delivered(&shop).await, [200]);
    assert_eq!((shop.books().await, shop.breaks().await), (vec![], vec![]));
}

#[tokio::test]
async fn a_refund_that_cannot_reach_the_customer_stays_owed_and_is_noted_once() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(PbTender::WechatNative).await;
    shop.wechat.pay(&Shop::number(&payment)).expect("paid");
    super::delivered(&shop).await;
    shop.close(&order, None).await;
    shop.send_refunds().await;
    shop.wechat.jam_refunds().expect("jammed");
    assert_eq!(super::delivered(&shop).await, [200]);
    for _ in 0..3 {
        shop.clock.advance(std::time::Duration::from_secs(600));
        shop.send_refunds().await;
    }
    assert_eq!(shop.breaks().await, ["REFUND_STUCK", "REFUND_STUCK"], "by the notice, and when asked");
    assert_eq!(shop.balances().await["refunds_payable"], -6_000);
}

#[tokio::test]
async fn what_cannot_be_paid_so_is_refused_and_changes_nothing() {
    let shop = Shop::open(true).await;
    let order = shop.order().await;
    for (tender, field) in [(PbTender::WechatJsapi, "payer.id"), (PbTender::WechatH5, "payer.ip")] {
        let request = proto::payment::v1::PayOrderRequest { payer: None, ..shop.request(&order, tender) };
        let status = shop.try_pay(request).await.expect_err("refused");
        assert!(status.message().contains(field), "{status:?}");
    }
    let mut request = shop.request(&order, PbTender::WechatH5);
    request.payer.get_or_insert_default().return_uri = "javascript:alert(1)".to_owned();
    let status = shop.try_pay(request).await.expect_err("refused");
    assert!(status.message().contains("payer.return_uri"), "{status:?}");
    assert!(shop.get(&order).await.payments.is_empty());
    assert!(shop.wechat.book().trades.is_empty());
}

#[tokio::test]
async fn a_charge_nobody_pays_in_time_fails_and_another_way_is_open() {
    let shop = Shop::open(true).await;
    let (order, payment) = shop.deposit(PbTender::WechatNative).await;
    shop.clock.advance(std::time::Duration::from_secs(1_801));
    assert!(shop.wechat.pay(&Shop::number(&payment)).is_err());
    payment::worker::query_pending(&shop.app).await.expect("asked");
    let failed = &shop.get(&order).await.payments[0];
    assert_eq!((failed.state(), failed.failure_reason.as_str()), (PaymentState::Failed, "EXPIRED"));
    shop.cash(&order, proto::payment::v1::payment::Purpose::Deposit).await;
}
