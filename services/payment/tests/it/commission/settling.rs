//! Settlement lists: drafted, confirmed and paid, each once.

use std::time::Duration;

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{self as pb, commission_settlement::State, payment::Purpose},
};
use tonic::Code;

use super::office::{Office, as_admin, day};
use crate::{
    house::House,
    wire::{fresh, minor, refused},
};

const DAY: Duration = Duration::from_secs(24 * 3_600);

/// A house in which two visits were completed through a partner, and can be paid out; their orders.
async fn open() -> (House, Office, [String; 2]) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    let orders = [house.order().await, house.order().await];
    for order in &orders {
        house.cash(order, Purpose::Balance).await;
        office.complete(&office.visit(order).await.through("meituan")).await;
    }
    house.clock.advance(7 * DAY);
    (house, office, orders)
}

#[tokio::test]
async fn a_list_is_drafted_confirmed_and_paid_and_the_books_say_so() {
    let (house, office, _) = open().await;
    let request = office.march();
    let draft = office.try_draft(request.clone()).await.expect("a draft");
    assert_eq!(office.try_draft(request).await.expect("the same"), draft);
    let figures: Vec<_> = draft.lines.iter().map(|of| (of.payee.clone(), of.accruals, minor(&of.amount))).collect();
    assert_eq!(figures, [("partners/meituan".to_owned(), 2, 6_000), (office.therapist.name(), 2, 18_000)]);
    assert_eq!((draft.state(), minor(&draft.total)), (State::Draft, 24_000));
    assert_eq!(refused(office.try_pay(&draft.name, "").await).1, "WRONG_STATE");
    assert_eq!(refused(office.try_confirm(&draft.name, "7").await), (Code::Aborted, "ETAG_MISMATCH".to_owned()));

    let confirmed = office.try_confirm(&draft.name, &draft.etag).await.expect("confirmed");
    assert_eq!((confirmed.state(), &confirmed.lines), (State::Confirmed, &draft.lines));
    assert_eq!(refused(office.try_confirm(&draft.name, "").await).1, "WRONG_STATE");
    let before = house.balances().await;
    let paid = office.try_pay(&draft.name, &confirmed.etag).await.expect("paid");
    assert!(paid.state() == State::Paid && paid.confirm_time.is_some() && paid.pay_time.is_some());
    assert_eq!(refused(office.try_pay(&draft.name, "").await).1, "WRONG_STATE");
    let after = house.balances().await;
    assert_eq!((before["commission_payable"], before["partner_payable"]), (-18_000, -6_000));
    assert_eq!((after["commission_payable"], after["partner_payable"], after["bank"]), (0, 0, -24_000));
    let deeds = "select count(*) from audit_entry where action like 'commission_settlement.%'";
    assert_eq!(house.count(deeds).await, 3);
    let states: Vec<_> = office.accruals().await.into_iter().map(|of| (of.state(), of.settlement)).collect();
    assert_eq!(states, vec![(pb::commission_accrual::State::Paid, paid.name); 4]);
}

#[tokio::test]
async fn only_what_is_payable_of_the_period_and_in_no_list_is_taken() {
    let (house, office, _) = open().await;
    // One more that may still be clawed back, on the eighth.
    office.complete(&office.visit(&house.order().await).await).await;
    let period = |from, to| pb::DraftSettlementRequest {
        start_date: day(2027, 3, from),
        end_date: day(2027, 3, to),
        ..office.march()
    };
    let nothing = "NOTHING_TO_SETTLE";
    assert_eq!(refused(office.try_draft(period(2, 31)).await).1, nothing);
    let yen = pb::DraftSettlementRequest { currency_code: "JPY".to_owned(), ..office.march() };
    assert_eq!(refused(office.try_draft(yen).await).1, nothing);
    let elsewhere = pb::DraftSettlementRequest { store: StoreId::from_uuid(fresh()).name(), ..office.march() };
    assert_eq!(refused(office.try_draft(elsewhere).await).1, nothing);
    assert_eq!(minor(&office.try_draft(period(1, 1)).await.expect("a draft").total), 24_000);
    assert_eq!(refused(office.try_draft(office.march()).await).1, nothing);
    house.clock.advance(7 * DAY);
    let late = office.try_draft(office.march()).await.expect("a list of what was left");
    assert_eq!((late.lines.len(), minor(&late.total)), (1, 9_000));
    for bad in [
        period(31, 1),
        pb::DraftSettlementRequest { start_date: None, ..office.march() },
        pb::DraftSettlementRequest { currency_code: "XXX".to_owned(), ..office.march() },
        pb::DraftSettlementRequest { store: "stores/x".to_owned(), ..office.march() },
    ] {
        assert_eq!(refused(office.try_draft(bad).await).0, Code::InvalidArgument);
    }
    assert_eq!(house.count("select count(*) from commission_settlement").await, 2);
}

#[tokio::test]
async fn a_refund_takes_from_a_draft_and_leaves_a_confirmed_list_as_it_is() {
    let (house, office, [first, second]) = open().await;
    let draft = office.try_draft(office.march()).await.expect("a draft");
    house.close(&first, None).await;
    let confirmed = office.try_confirm(&draft.name, &draft.etag).await.expect("confirmed");
    assert_eq!(minor(&confirmed.total), 12_000);
    house.close(&second, None).await;
    assert_eq!(house.balances().await["commission_expense"], 0, "it goes off the next list");
    let paid = office.try_pay(&draft.name, "").await.expect("paid");
    assert_eq!((&paid.lines, minor(&paid.total)), (&confirmed.lines, 12_000));
    let balances = house.balances().await;
    assert_eq!(
        (balances["commission_payable"], balances["partner_payable"], balances["bank"]),
        (9_000, 3_000, -12_000)
    );
}

#[tokio::test]
async fn staff_of_another_store_reach_no_list() {
    let (house, office, _) = open().await;
    let list = office.try_draft(office.march()).await.expect("a draft");
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let mut client = office.client.clone();
    let get = pb::GetSettlementRequest { name: list.name.clone() };
    let asked = house.as_staff(get.clone(), Role::StoreManager, elsewhere);
    assert_eq!(refused(client.get_settlement(asked).await).1, "OTHER_STORE");
    let export = pb::ExportSettlementRequest { name: list.name.clone() };
    let asked = house.as_staff(export, Role::StoreManager, elsewhere);
    assert_eq!(refused(client.export_settlement(asked).await).1, "OTHER_STORE");
    let draft = house.as_staff(office.march(), Role::StoreManager, elsewhere);
    assert_eq!(refused(client.draft_settlement(draft).await).1, "OTHER_STORE");
    let all = house.as_staff(pb::ListSettlementsRequest::default(), Role::StoreManager, elsewhere);
    assert!(client.list_settlements(all).await.expect("a page").into_inner().settlements.is_empty());
    let own = house.as_staff(pb::ListSettlementsRequest::default(), Role::StoreManager, Some(house.store));
    let own = client.list_settlements(own).await.expect("a page").into_inner().settlements;
    assert_eq!(own.iter().map(|of| (&of.name, of.lines.len())).collect::<Vec<_>>(), [(&list.name, 0)]);
    assert_eq!(client.get_settlement(as_admin(get)).await.expect("the list").into_inner(), list);
    let nobody = as_admin(pb::GetSettlementRequest { name: format!("commissionSettlements/{}", fresh()) });
    assert_eq!(refused(client.get_settlement(nobody).await).0, Code::NotFound);
}

#[tokio::test]
async fn a_list_is_written_out_row_by_row() {
    let (house, office, [first, _]) = open().await;
    office.complete(&office.visit(&house.order().await).await.through("a \"b\", c")).await;
    house.clock.advance(7 * DAY);
    house.close(&first, Some(20_000)).await;
    let list = office.try_draft(office.march()).await.expect("a draft");
    let request = as_admin(pb::ExportSettlementRequest { name: list.name.clone() });
    let body = office.client.clone().export_settlement(request).await.expect("a table").into_inner();
    assert_eq!(body.content_type, "text/csv; charset=utf-8");
    let text = String::from_utf8(body.data.to_vec()).expect("text");
    let rows: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(rows[0], "payee,booking,item,rule,completed,currency,base,earned,taken_back,clawed_back,amount");
    assert_eq!(rows.len(), 7);
    assert!(rows[1].starts_with("\"partners/a \"\"b\"\", c\",bookings/"), "{}", rows[1]);
    assert!(rows[2].starts_with("partners/meituan,bookings/"), "{}", rows[2]);
    let refunded = rows.iter().filter(|row| row.ends_with(",CNY,300.00,90.00,30.00,0.00,60.00")).count();
    assert_eq!(refunded, 1, "{text}");
}
