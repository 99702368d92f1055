//! Making and reading orders, and who may.

use kernel::ids::{MemberId, StoreId};
use proto::{
    access::Role,
    payment::v1::{self as pb, order::State},
};
use testkit::with_token;
use tonic::Code;

use crate::{
    house::House,
    wire::{cny, fresh, minor, refused, usd},
};

#[tokio::test]
async fn an_order_is_made_once() {
    let house = House::open().await;
    let mut client = house.client.clone();
    let request = house.new_order(30_000, 6_000);
    let made = client.create_order(house.as_booking(request.clone())).await.expect("made").into_inner();
    assert_eq!((made.state(), made.version, minor(&made.total)), (State::Open, 1, 30_000));
    assert_eq!(house.get(&made.name).await, made);

    // The same request, and the same content under another request id, find it.
    for request_id in [request.request_id.clone(), fresh().to_string()] {
        let again = pb::CreateOrderRequest { request_id, ..request.clone() };
        let found = client.create_order(house.as_booking(again)).await.expect("found").into_inner();
        assert_eq!(found, made);
    }
    assert_eq!(house.events(&made.name).await, ["OrderCreated"]);

    let other = pb::CreateOrderRequest { deposit: cny(1), request_id: fresh().to_string(), ..request.clone() };
    let answer = refused(client.create_order(house.as_booking(other)).await);
    assert_eq!(answer, (Code::AlreadyExists, "ORDER_EXISTS".to_owned()));

    let reused = pb::CreateOrderRequest { deposit: cny(1), ..request };
    let answer = refused(client.create_order(house.as_booking(reused)).await);
    assert_eq!(answer, (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned()));
}

#[tokio::test]
async fn what_cannot_be_owed_is_refused() {
    let house = House::open().await;
    let good = house.new_order(30_000, 6_000);
    let with_line = |amount| {
        let mut bad = good.clone();
        bad.lines[0].amount = amount;
        bad
    };
    let third_decimal = cny(1).map(|amount| proto::google::r#type::Money { nanos: 1_000_000, ..amount });
    let bad = [
        pb::CreateOrderRequest { order_id: "7".into(), ..good.clone() },
        pb::CreateOrderRequest { booking: "stores/x".into(), ..good.clone() },
        pb::CreateOrderRequest { request_id: String::new(), ..good.clone() },
        pb::CreateOrderRequest { deposit: cny(30_001), ..good.clone() },
        pb::CreateOrderRequest { deposit: cny(-1), ..good.clone() },
        pb::CreateOrderRequest { deposit: None, ..good.clone() },
        pb::CreateOrderRequest { deposit: usd(6_000), ..good.clone() },
        pb::CreateOrderRequest { lines: vec![], ..good.clone() },
        with_line(None),
        with_line(cny(-1)),
        with_line(usd(30_000)),
        with_line(third_decimal),
    ];
    for request in bad {
        let shown = format!("{request:?}");
        let answer = house.client.clone().create_order(house.as_booking(request)).await;
        assert_eq!(refused(answer).0, Code::InvalidArgument, "{shown}");
    }
    assert_eq!(house.count("select count(*) from customer_order").await, 0);
}

#[tokio::test]
async fn everybody_sees_what_is_theirs() {
    let house = House::open().await;
    let mut client = house.client.clone();
    let order = house.order().await;
    let get = || pb::GetOrderRequest { name: order.clone() };
    let stranger = testkit::keys().member_token(MemberId::from_uuid(fresh()));
    let elsewhere = Some(StoreId::from_uuid(fresh()));

    assert!(client.get_order(house.as_member(get())).await.is_ok());
    assert!(client.get_order(house.as_desk(get())).await.is_ok());
    assert!(client.get_order(house.as_staff(get(), Role::Finance, None)).await.is_ok());
    let hidden = client.get_order(with_token(get(), &stranger)).await.expect_err("hidden");
    let missing = pb::GetOrderRequest { name: format!("orders/{}", fresh()) };
    let missing = client.get_order(with_token(missing, &stranger)).await.expect_err("missing");
    assert_eq!(hidden.code(), Code::NotFound);
    assert_eq!(hidden.message(), missing.message(), "one can't be told from the other");
    let answer = refused(client.get_order(house.as_staff(get(), Role::FrontDesk, elsewhere)).await);
    assert_eq!(answer.0, Code::PermissionDenied);

    let pay = crate::wire::pay(&order, pb::payment::Purpose::Deposit, pb::payment::Tender::Sandbox);
    assert_eq!(refused(client.pay_order(with_token(pay, &stranger)).await).0, Code::NotFound);
    let answer = client.create_order(house.as_member(house.new_order(1, 1))).await;
    assert_eq!(refused(answer).0, Code::PermissionDenied, "orders are made by services");
    let answer = client.close_order(house.as_staff(crate::wire::close(&order, None), Role::Administrator, None)).await;
    assert_eq!(refused(answer).0, Code::PermissionDenied, "and ended by them");
    let ledger = pb::ListLedgerAccountsRequest::default();
    assert_eq!(refused(client.list_ledger_accounts(house.as_desk(ledger)).await).0, Code::PermissionDenied);
}

#[tokio::test]
async fn lists_are_paged_and_bound_to_the_caller() {
    let house = House::open().await;
    let mut client = house.client.clone();
    let mut made = Vec::new();
    for _ in 0..5 {
        house.clock.advance(std::time::Duration::from_secs(1));
        made.insert(0, house.order().await);
    }
    let other = pb::CreateOrderRequest { customer: format!("members/{}", fresh()), ..house.new_order(100, 0) };
    let other = client.create_order(house.as_booking(other)).await.expect("made").into_inner().name;

    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListOrdersRequest { page_size: 2, page_token: token.clone(), ..Default::default() };
        let page = client.list_orders(house.as_member(request)).await.expect("a page").into_inner();
        seen.extend(page.orders.into_iter().map(|order| order.name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, made);

    let all = client.list_orders(house.as_desk(pb::ListOrdersRequest::default())).await.expect("a page").into_inner();
    assert!(all.orders.len() == 6 && all.orders.iter().any(|order| order.name == other));
    let elsewhere =
        house.as_staff(pb::ListOrdersRequest::default(), Role::FrontDesk, Some(StoreId::from_uuid(fresh())));
    assert!(client.list_orders(elsewhere).await.expect("a page").into_inner().orders.is_empty());

    let ask = |page_size, page_token: &str, customer: String| pb::ListOrdersRequest {
        page_size,
        page_token: page_token.to_owned(),
        customer,
        ..Default::default()
    };
    let foreign = ask(2, "", format!("members/{}", fresh()));
    assert_eq!(refused(client.list_orders(house.as_member(foreign)).await).0, Code::NotFound);
    for bad in [ask(-1, "", String::new()), ask(1_001, "", String::new()), ask(2, "AAAA", String::new())] {
        assert_eq!(refused(client.list_orders(house.as_member(bad)).await).0, Code::InvalidArgument);
    }
}
