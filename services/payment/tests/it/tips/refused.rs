//! Tips that can't be.

use kernel::ids::{MemberId, StoreId};
use payment::domain::Subject;
use proto::{
    access::Role,
    payment::v1::{self as pb, tip_payout::Way},
};
use testkit::with_token;
use tonic::Code;

use super::{add, client, paid, pay_out, payout, tip};
use crate::{
    house::House,
    subjects::paid_ahead,
    wire::{cny, fresh, refused, usd},
};

fn invalid() -> (Code, String) {
    (Code::InvalidArgument, "INVALID_ARGUMENT".to_owned())
}

#[tokio::test]
async fn bad_input_makes_no_tip() {
    let house = House::open().await;
    let visit = house.order().await;
    for wish in [
        tip(&visit, 0, &[1]),
        tip(&visit, -5, &[1]),
        tip(&visit, 1, &[1, 2]),
        tip(&visit, 50, &[1, 1]),
        tip(&visit, 50, &[]),
        pb::AddTipRequest { amount: None, ..tip(&visit, 5, &[1]) },
        pb::AddTipRequest { therapists: vec!["staff/x".to_owned()], ..tip(&visit, 5, &[1]) },
        pb::AddTipRequest { request_id: String::new(), ..tip(&visit, 5, &[1]) },
    ] {
        assert_eq!(refused(add(&house, wish).await), invalid());
    }
    let in_dollars = pb::AddTipRequest { amount: usd(5), ..tip(&visit, 5, &[1]) };
    assert_eq!(refused(add(&house, in_dollars).await), (Code::InvalidArgument, "CURRENCY_MISMATCH".to_owned()));
    let unknown = tip(&format!("orders/{}", fresh()), 5, &[1]);
    assert_eq!(refused(add(&house, unknown).await).0, Code::NotFound);
    let card = paid_ahead(&house, Subject::TopUp(kernel::ids::CardId::from_uuid(fresh())), 5_000).await;
    assert_eq!(refused(add(&house, tip(&card, 5, &[1])).await).1, "NOT_A_VISIT");
    let ended = house.order().await;
    house.close(&ended, None).await;
    assert_eq!(refused(add(&house, tip(&ended, 5, &[1])).await).1, "ORDER_CLOSED");
    assert_eq!(house.count("select count(*) from tip").await, 0);

    for minor in [0, -1] {
        assert_eq!(refused(pay_out(&house, payout(&house, 1, minor, Way::Transfer)).await), invalid());
    }
    assert_eq!(refused(pay_out(&house, payout(&house, 1, 1, Way::Unspecified)).await), invalid());
    let nothing = pay_out(&house, payout(&house, 1, 1, Way::Transfer)).await;
    assert_eq!(refused(nothing), (Code::FailedPrecondition, "INSUFFICIENT_BALANCE".to_owned()));
}

#[tokio::test]
async fn nobody_tips_on_the_order_of_another_or_pays_out_elsewhere() {
    let house = House::open().await;
    let visit = house.order().await;
    let stranger = testkit::keys().member_token(MemberId::from_uuid(fresh()));
    let answer = client(&house).add_tip(with_token(tip(&visit, 5, &[1]), &stranger)).await;
    assert_eq!(refused(answer).0, Code::NotFound);
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let desk = house.as_staff(tip(&visit, 5, &[1]), Role::FrontDesk, elsewhere);
    assert_eq!(refused(client(&house).add_tip(desk).await).1, "OTHER_STORE");
    paid(&house, &visit, 5, &[1]).await;
    let manager = house.as_staff(payout(&house, 1, 5, Way::Transfer), Role::StoreManager, elsewhere);
    assert_eq!(refused(client(&house).pay_out_tips(manager).await).1, "OTHER_STORE");
}

#[tokio::test]
async fn nothing_is_added_to_a_tip_and_it_is_not_paid_by_what_was_paid_ahead() {
    let house = House::open().await;
    let added = add(&house, tip(&house.order().await, 500, &[1])).await.expect("added");
    let more = house.as_booking(crate::wire::amend(&added.name, 100));
    assert_eq!(refused(house.client.clone().amend_order(more).await).1, "NOT_A_VISIT");
    let second = tip(&added.name, 5, &[1]);
    assert_eq!(refused(add(&house, second).await).1, "NOT_A_VISIT", "no tip on a tip");
    let too_little = pb::PayOrderRequest {
        amount: cny(499),
        ..crate::wire::pay(&added.name, pb::payment::Purpose::Balance, pb::payment::Tender::Cash)
    };
    let answer = house.client.clone().pay_order(house.as_desk(too_little)).await;
    assert_eq!(refused(answer).1, "AMOUNT_MISMATCH");
}
