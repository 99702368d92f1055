//! What can't be paid so.

use proto::{
    access::Role,
    payment::v1::{self as pb, payment::Tender},
};
use tonic::Code;

use super::{client, request, start, tender};
use crate::{
    house::House,
    wire::{cny, fresh, pay, refused, usd},
};

#[tokio::test]
async fn tenders_that_can_not_be_are_refused() {
    let house = House::open().await;
    let order = house.order_of(100, 0).await;
    let try_with = async |tenders: &[pb::CheckoutTender]| refused(start(&house, &request(&order, tenders)).await);
    let cash = |minor| tender(Tender::Cash, minor);
    let invalid = (Code::InvalidArgument, "INVALID_ARGUMENT".to_owned());
    let unfit = |reason: &str| (Code::FailedPrecondition, reason.to_owned());
    assert_eq!(try_with(&[]).await.0, Code::InvalidArgument);
    assert_eq!(try_with(&[tender(Tender::Unspecified, 100)]).await.0, Code::InvalidArgument);
    assert_eq!(try_with(&[pb::CheckoutTender { tender: 99, ..cash(100) }]).await.0, Code::InvalidArgument);
    assert_eq!(try_with(&[cash(99)]).await, unfit("AMOUNT_MISMATCH"));
    assert_eq!(try_with(&[cash(50), cash(50)]).await, invalid);
    assert_eq!(try_with(&[cash(101), tender(Tender::CardTerminal, -1)]).await, invalid);
    assert_eq!(try_with(&[cash(100), tender(Tender::CardTerminal, 0)]).await, invalid);
    let several = [tender(Tender::Sandbox, 50), tender(Tender::WechatH5, 50)];
    assert_eq!(try_with(&several).await, unfit("SEVERAL_PROVIDERS"));
    assert_eq!(try_with(&[tender(Tender::WechatH5, 90), cash(10)]).await, unfit("TENDER_NOT_OFFERED"));
    assert_eq!(try_with(&[tender(Tender::StoredValue, 90), cash(10)]).await, invalid, "which card?");
    assert_eq!(try_with(&[pb::CheckoutTender { amount: usd(100), ..cash(100) }]).await.1, "CURRENCY_MISMATCH");
    assert_eq!(try_with(&[pb::CheckoutTender { amount: None, ..cash(100) }]).await.0, Code::InvalidArgument);
    let third_decimal = cny(100).map(|amount| proto::google::r#type::Money { nanos: 1_000_000, ..amount });
    assert_eq!(try_with(&[pb::CheckoutTender { amount: third_decimal, ..cash(100) }]).await.0, Code::InvalidArgument);
    let no_slip = pb::CheckoutTender { reference: " ".to_owned(), ..tender(Tender::CardTerminal, 100) };
    assert_eq!(try_with(&[no_slip]).await, invalid);
    assert_eq!(try_with(&[pb::CheckoutTender { reference: "7".to_owned(), ..cash(100) }]).await, invalid);
    assert_eq!(try_with(&[pb::CheckoutTender { source: "cards/7".to_owned(), ..cash(100) }]).await, invalid);
    assert_eq!((house.count("select count(*) from payment").await, house.books().await), (0, vec![]));
}

#[tokio::test]
async fn what_is_taken_at_the_desk_is_not_for_members_and_what_needs_a_checkout_not_for_pay_order() {
    let house = House::open().await;
    let order = house.order_of(100, 0).await;
    for desk in [Tender::Cash, Tender::CardTerminal] {
        let message = house.as_member(request(&order, &[tender(desk, 100)]));
        assert_eq!(refused(client(&house).start_checkout(message).await).0, Code::PermissionDenied);
    }
    for needs_more in [Tender::CardTerminal, Tender::StoredValue, Tender::PrepaidSession] {
        let alone = house.as_desk(pay(&order, pb::payment::Purpose::Balance, needs_more));
        assert_eq!(refused(house.client.clone().pay_order(alone).await).0, Code::InvalidArgument);
    }
    let elsewhere = Some(kernel::ids::StoreId::from_uuid(fresh()));
    let message = house.as_staff(request(&order, &[tender(Tender::Cash, 100)]), Role::FrontDesk, elsewhere);
    assert_eq!(refused(client(&house).start_checkout(message).await).0, Code::PermissionDenied);
    let nothing = pb::GetCheckoutRequest { name: format!("checkouts/{}", fresh()) };
    assert_eq!(refused(client(&house).get_checkout(house.as_desk(nothing)).await).0, Code::NotFound);
}

#[tokio::test]
async fn a_request_id_is_for_one_checkout() {
    let house = House::open().await;
    let (order, other) = (house.order_of(100, 0).await, house.order_of(100, 0).await);
    let first = request(&order, &[tender(Tender::Cash, 100)]);
    let paid = start(&house, &first).await.expect("paid");
    assert_eq!(start(&house, &first).await.expect("replayed"), paid);
    let reused = (Code::InvalidArgument, "REQUEST_ID_REUSED".to_owned());
    let elsewhere = pb::StartCheckoutRequest { order: other, ..first };
    assert_eq!(refused(start(&house, &elsewhere).await), reused);
    assert_eq!(house.balances().await["cash_drawer"], 100);
}
