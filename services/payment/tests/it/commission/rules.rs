//! Rules are made, read and taken out of use by those who may, and tell what a visit would earn.

use kernel::ids::StoreId;
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        commission_rule::{Manner, Payee, Rate},
    },
};
use tonic::Code;

use super::office::{Office, as_admin, day, new_rule, rule_with};
use crate::{
    house::House,
    wire::{cny, fresh, minor, refusal, refused, usd},
};

async fn open() -> (House, Office) {
    let house = House::open().await;
    let office = Office::of(&house).await;
    (house, office)
}

#[tokio::test]
async fn a_rule_is_made_once_and_reads_back() {
    let (house, office) = open().await;
    let request = rule_with(|rule| {
        rule.store = office.store.name();
        rule.item = office.item.name();
        rule.partner = " meituan ".to_owned();
        rule.grade = 4;
        rule.manner = Manner::Requested.into();
        rule.rate = Some(Rate::FixedAmount(cny(5_000).expect("given")));
        rule.end_date = day(2027, 12, 31);
    });
    let made = office.rule(request.clone()).await;
    assert_eq!(office.rule(request.clone()).await, made, "the same request again");
    assert_eq!(house.count("select count(*) from commission_rule").await, 1);
    assert_eq!(house.count("select count(*) from audit_entry where action = 'commission_rule.create'").await, 1);
    let get = as_admin(pb::GetCommissionRuleRequest { name: made.name.clone() });
    let read = office.client.clone().get_commission_rule(get).await.expect("the rule").into_inner();
    assert_eq!(read, made);
    let asked = request.rule.expect("given");
    let expected = pb::CommissionRule {
        name: made.name.clone(),
        partner: "meituan".to_owned(),
        create_time: made.create_time,
        etag: "1".to_owned(),
        ..asked
    };
    assert_eq!(made, expected);
    let nobody = as_admin(pb::GetCommissionRuleRequest { name: format!("commissionRules/{}", fresh()) });
    assert_eq!(refused(office.client.clone().get_commission_rule(nobody).await).0, Code::NotFound);
}

#[tokio::test]
async fn what_can_not_be_is_refused_and_leaves_nothing() {
    let (house, office) = open().await;
    let bad = [
        rule_with(|rule| rule.payee = Payee::Unspecified.into()),
        rule_with(|rule| rule.payee = 9),
        rule_with(|rule| rule.rate = None),
        rule_with(|rule| rule.rate = Some(Rate::BasisPoints(10_001))),
        rule_with(|rule| rule.rate = Some(Rate::BasisPoints(-1))),
        rule_with(|rule| rule.rate = cny(-1).map(Rate::FixedAmount)),
        rule_with(|rule| rule.grade = 6),
        rule_with(|rule| rule.manner = 7),
        rule_with(|rule| rule.start_date = None),
        rule_with(|rule| rule.start_date = day(2027, 2, 30)),
        rule_with(|rule| rule.end_date = day(2026, 12, 31)),
        rule_with(|rule| rule.store = "stores/x".to_owned()),
        rule_with(|rule| rule.item = office.store.name()),
        rule_with(|rule| rule.partner = "x".repeat(65)),
    ];
    for request in bad {
        let rule = request.rule.clone();
        assert_eq!(refused(office.try_rule(request).await).0, Code::InvalidArgument, "{rule:?}");
    }
    assert_eq!(house.count("select count(*) from commission_rule").await, 0);
    assert_eq!(house.count("select count(*) from idempotency_key").await, 0);
}

#[tokio::test]
async fn a_rule_is_retired_by_who_has_seen_it_as_it_is() {
    let (house, office) = open().await;
    let rule = office.rule(new_rule(3_000)).await;
    let retire = |etag: &str| pb::RetireCommissionRuleRequest {
        name: rule.name.clone(),
        etag: etag.to_owned(),
        request_id: fresh().to_string(),
    };
    let mut client = office.client.clone();
    let stale = client.retire_commission_rule(as_admin(retire("7"))).await;
    assert_eq!(refused(stale), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let request = retire(&rule.etag);
    let retired = client.retire_commission_rule(as_admin(request.clone())).await.expect("retired").into_inner();
    assert!(retired.retire_time.is_some() && retired.etag != rule.etag);
    let again = client.retire_commission_rule(as_admin(request)).await.expect("the same reply").into_inner();
    assert_eq!(again, retired);
    let twice = client.retire_commission_rule(as_admin(retire(""))).await;
    assert_eq!(refused(twice), (Code::FailedPrecondition, "RETIRED".to_owned()));
    assert_eq!(house.count("select count(*) from audit_entry where action = 'commission_rule.retire'").await, 1);

    let list = |show_retired| as_admin(pb::ListCommissionRulesRequest { show_retired, ..Default::default() });
    assert!(client.list_commission_rules(list(false)).await.expect("a page").into_inner().rules.is_empty());
    assert_eq!(client.list_commission_rules(list(true)).await.expect("a page").into_inner().rules, [retired]);
    let shares = client.preview_commission(as_admin(office.preview(30_000))).await.expect("shares").into_inner().shares;
    assert_eq!(minor(&shares[0].amount), 0, "{}", shares[0].explanation);
}

#[tokio::test]
async fn rules_are_listed_page_by_page() {
    let (_house, office) = open().await;
    let mut names = Vec::new();
    for points in 0..5 {
        office.clock.advance(std::time::Duration::from_secs(1));
        names.push(office.rule(new_rule(points)).await.name);
    }
    names.reverse();
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListCommissionRulesRequest { page_size: 2, page_token, ..Default::default() };
        let page = office.client.clone().list_commission_rules(as_admin(request)).await.expect("a page").into_inner();
        listed.extend(page.rules.into_iter().map(|rule| rule.name));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(listed, names);
}

#[tokio::test]
async fn a_preview_tells_what_the_most_specific_rule_gives_and_why() {
    let (house, office) = open().await;
    office.rules(3_000, 1_000).await;
    let here = office.rule(rule_with(|rule| {
        rule.store = office.store.name();
        rule.rate = Some(Rate::BasisPoints(3_550));
    }));
    let here = here.await;
    office.rule(rule_with(|rule| rule.rate = usd(1).map(Rate::FixedAmount))).await;
    let mut request = office.preview(30_000);
    request.partner = "meituan".to_owned();
    // A manager may ask, for any store.
    let asked = house.as_staff(request.clone(), Role::StoreManager, Some(StoreId::from_uuid(fresh())));
    let shares = office.client.clone().preview_commission(asked).await.expect("shares").into_inner().shares;
    let figures: Vec<_> = shares.iter().map(|share| (share.payee.clone(), minor(&share.amount))).collect();
    assert_eq!(figures, [(office.therapist.name(), 10_650), ("partners/meituan".to_owned(), 3_000)]);
    assert_eq!(shares[0].rule, here.name);
    assert!(
        shares[0].explanation.starts_with("35.50 % of 300.00 CNY by commissionRules/"),
        "{}",
        shares[0].explanation
    );
    assert!(shares[0].explanation.contains("which is for store; 1 more fit"), "{}", shares[0].explanation);

    for bad in [
        pb::PreviewCommissionRequest { parts: vec![], ..request.clone() },
        pb::PreviewCommissionRequest { price: cny(-1), ..request.clone() },
        pb::PreviewCommissionRequest { date: None, ..request },
    ] {
        let status = office.client.clone().preview_commission(as_admin(bad)).await.expect_err("refused");
        assert_eq!(refusal(&status).0, Code::InvalidArgument);
    }
    assert_eq!(house.count("select count(*) from commission_accrual").await, 0);
}
