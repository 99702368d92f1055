//! Who sees what was earned.

use std::time::Duration;

use kernel::{
    Uuid,
    ids::{StaffId, StoreId},
};
use proto::{access::Role, payment::v1 as pb};
use testkit::with_token;
use tonic::{Code, Request};

use super::office::{Office, as_admin};
use crate::{
    house::House,
    wire::{fresh, refused},
};

const LIN: StaffId = StaffId::from_uuid(Uuid::from_u128(21));

fn as_lin(request: pb::ListAccrualsRequest, store: StoreId) -> Request<pb::ListAccrualsRequest> {
    with_token(request, &testkit::keys().staff_token(LIN, [Role::Therapist], Some(store)))
}

#[tokio::test]
async fn therapists_see_their_own_managers_their_stores_finance_all() {
    let house = House::open().await;
    let office = Office::of(&house).await;
    let other = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    for (of, partner) in [(&office, "meituan"), (&other, "")] {
        of.complete(&of.visit(&house.order().await).await.through(partner)).await;
    }
    let mut client = office.client.clone();
    let mut payees = async |request: Request<pb::ListAccrualsRequest>| {
        let accruals = client.list_accruals(request).await?.into_inner().accruals;
        let mut payees: Vec<_> = accruals.into_iter().filter_map(|accrual| accrual.share).map(|of| of.payee).collect();
        payees.sort_unstable();
        Ok::<_, tonic::Status>(payees)
    };
    let all = pb::ListAccrualsRequest::default;
    let of_payee = |payee: &str| pb::ListAccrualsRequest { payee: payee.to_owned(), ..Default::default() };

    let nobody = refused(payees(as_lin(all(), house.store)).await);
    assert_eq!(nobody, (Code::FailedPrecondition, "THERAPIST_NOT_LINKED".to_owned()));
    office.link(other.therapist, LIN).await;
    office.link(office.therapist, LIN).await;
    let own = [office.therapist.name()];
    assert_eq!(payees(as_lin(all(), house.store)).await.expect("his own"), own);
    assert_eq!(payees(as_lin(of_payee(&other.therapist.name()), house.store)).await.expect("his own"), own);
    assert_eq!(payees(as_lin(of_payee("partners/meituan"), house.store)).await.expect("his own"), own);

    let elsewhere = StoreId::from_uuid(fresh());
    let manager = |request, store| house.as_staff(request, Role::StoreManager, Some(store));
    assert_eq!(payees(manager(all(), house.store)).await.expect("the store's").len(), 3);
    assert!(payees(manager(all(), elsewhere)).await.expect("none").is_empty());
    let theirs = pb::ListAccrualsRequest { store: house.store.name(), ..Default::default() };
    assert_eq!(refused(payees(manager(theirs, elsewhere)).await).1, "OTHER_STORE");
    let finance = |request| house.as_staff(request, Role::Finance, None);
    assert_eq!(payees(finance(all())).await.expect("all").len(), 3);
    assert_eq!(payees(finance(of_payee("partners/meituan"))).await.expect("its own"), ["partners/meituan"]);
    assert_eq!(refused(payees(finance(of_payee("members/x"))).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn what_was_earned_is_listed_page_by_page() {
    let house = House::open().await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    for n in 0..4 {
        // Two of them are of one moment.
        house.clock.advance(Duration::from_secs(n % 2));
        office.complete(&office.visit(&house.order().await).await.and(30)).await;
    }
    let whole: Vec<_> = office.accruals().await.into_iter().map(|accrual| accrual.name).collect();
    assert_eq!(whole.len(), 8);
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListAccrualsRequest { page_size: 3, page_token, ..Default::default() };
        let page = office.client.clone().list_accruals(as_admin(request)).await.expect("a page").into_inner();
        listed.extend(page.accruals.into_iter().map(|accrual| accrual.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, whole);
}

#[tokio::test]
async fn a_link_is_of_one_therapist_and_one_member_of_staff() {
    let house = House::open().await;
    let office = Office::of(&house).await;
    let other = Office::of(&house).await;
    let wang = StaffId::from_uuid(Uuid::from_u128(22));
    office.link(office.therapist, LIN).await;
    office.link(other.therapist, wang).await;
    office.link(office.therapist, wang).await;
    assert_eq!(house.count("select count(*) from therapist_link").await, 1);
    assert_eq!(house.count("select count(*) from audit_entry where action = 'therapist.link_staff'").await, 3);
}
