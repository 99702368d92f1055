//! Searches: filters, pages, and who finds what.

use kernel::ids::{MemberId, StoreId};
use proto::{
    access::Role,
    payment::v1::{
        self as pb, PaymentFilter,
        payment::{Purpose, State, Tender},
    },
};
use testkit::with_token;
use tonic::Code;

use super::{Files, SECOND, at, by_tender, in_state, names};
use crate::wire::{fresh, minor, refused};

#[tokio::test]
async fn each_filter_finds_what_it_says_newest_first() {
    let files = Files::open().await;
    let (cash, wechat, failed) = (files.cash.as_str(), files.wechat.as_str(), files.failed.as_str());
    let all = files.find(PaymentFilter::default()).await;
    assert_eq!(names(&all), [failed, wechat, cash]);
    let found = &all[1];
    let amounts = [&found.amount, &found.refunded, &found.refunding, &found.fee].map(minor);
    assert_eq!(
        (found.state(), found.tender(), amounts),
        (State::Captured, Tender::WechatNative, [4_000, 1_000, 500, 24])
    );
    assert_eq!((found.transaction.as_str(), found.store.as_str()), ("4200000001", files.house.store.name().as_str()));
    assert!(all[2].purpose() == Purpose::Deposit && all[2].fee.is_none());

    let (first, last) = (all[2].create_time, all[0].create_time);
    let number = wechat.trim_start_matches("payments/").replace('-', "");
    let with = |change: &dyn Fn(&mut PaymentFilter)| {
        let mut filter = PaymentFilter::default();
        change(&mut filter);
        filter
    };
    let cases: [(&str, PaymentFilter, Vec<&str>); 14] = [
        ("store", files.store(), vec![failed, wechat, cash]),
        ("another store", with(&|of| of.store = StoreId::from_uuid(fresh()).name()), vec![]),
        ("customer", with(&|of| of.customer = files.house.member.name()), vec![failed, wechat, cash]),
        ("another customer", with(&|of| of.customer = MemberId::from_uuid(fresh()).name()), vec![]),
        ("order", with(&|of| of.order.clone_from(&all[2].order)), vec![cash]),
        ("state", in_state(State::Failed), vec![failed]),
        ("tender", by_tender(Tender::Cash), vec![cash]),
        ("transaction", with(&|of| "4200000001".clone_into(&mut of.transaction)), vec![wechat]),
        ("number", with(&|of| of.transaction.clone_from(&number)), vec![wechat]),
        ("currency", with(&|of| "USD".clone_into(&mut of.currency_code)), vec![]),
        ("at least", with(&|of| of.min_amount_minor = 4_000), vec![wechat, cash]),
        ("at most", with(&|of| of.max_amount_minor = 4_000), vec![failed, wechat]),
        ("from then on", with(&|of| (of.start_time, of.end_time) = (first, last)), vec![wechat, cash]),
        ("all of it", PaymentFilter { min_amount_minor: 1, ..in_state(State::Captured) }, vec![wechat, cash]),
    ];
    for (what, filter, expected) in cases {
        assert_eq!(names(&files.find(filter).await), expected, "{what}");
    }
}

#[tokio::test]
async fn pages_stay_as_they_are_while_payments_come_in() {
    let files = Files::open().await;
    // Some of them at the same moment.
    for step in [0_u32, 0, 1, 0, 1] {
        files.house.clock.advance(SECOND * step);
        let order = files.house.order().await;
        files.house.cash(&order, Purpose::Balance).await;
    }
    let before = files.find(files.store()).await;
    assert_eq!(before.len(), 8);
    let mut request = pb::SearchPaymentsRequest { filter: Some(files.store()), page_size: 3, ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = files.page(request.clone()).await.expect("a page");
        seen.extend(page.payments);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
        files.house.clock.advance(SECOND);
        let order = files.house.order().await;
        files.house.cash(&order, Purpose::Deposit).await;
    }
    assert_eq!(names(&seen), names(&before));
    assert_eq!(files.find(files.store()).await.len(), 8 + 2);

    // A token is one of its search.
    let other = pb::SearchPaymentsRequest { filter: Some(in_state(State::Failed)), ..request };
    assert_eq!(refused(files.page(other).await).0, Code::InvalidArgument);
}

#[tokio::test]
async fn everybody_finds_what_is_theirs_and_nothing_else() {
    let files = Files::open().await;
    let house = &files.house;
    let search = |filter| pb::SearchPaymentsRequest { filter: Some(filter), ..Default::default() };
    let mine = files.by(house.as_member(search(PaymentFilter::default()))).await.expect("my own");
    assert_eq!(names(&mine), [&files.failed, &files.wechat, &files.cash]);
    assert!(mine.iter().all(|record| record.fee.is_none()), "what a provider keeps is not told to members");

    let stranger = MemberId::from_uuid(fresh());
    let token = testkit::keys().member_token(stranger);
    let theirs = files.by(with_token(search(PaymentFilter::default()), &token)).await.expect("their own");
    assert_eq!(names(&theirs), [""; 0]);
    let asked = PaymentFilter { customer: house.member.name(), ..PaymentFilter::default() };
    assert_eq!(refused(files.by(with_token(search(asked), &token)).await).0, Code::NotFound);
    let order = PaymentFilter { order: mine[2].order.clone(), ..PaymentFilter::default() };
    assert_eq!(files.by(with_token(search(order), &token)).await.expect("their own").len(), 0);

    let elsewhere = Some(StoreId::from_uuid(fresh()));
    for role in [Role::StoreManager, Role::Finance, Role::Support] {
        let here = house.as_staff(search(PaymentFilter::default()), role, Some(house.store));
        assert_eq!(files.by(here).await.expect("the store's").len(), 3, "{role}");
        let there = house.as_staff(search(PaymentFilter::default()), role, elsewhere);
        assert_eq!(files.by(there).await.expect("none").len(), 0, "{role}");
        let named = house.as_staff(search(files.store()), role, elsewhere);
        assert_eq!(refused(files.by(named).await), (Code::PermissionDenied, "OTHER_STORE".to_owned()), "{role}");
    }
}

#[tokio::test]
async fn a_bad_filter_is_refused_by_the_name_of_its_field() {
    let files = Files::open().await;
    let now = files.house.clock_now();
    type Change<'a> = &'a dyn Fn(&mut PaymentFilter);
    let cases: [(&str, Change<'_>); 12] = [
        ("filter.customer", &|of| "members/me".clone_into(&mut of.customer)),
        ("filter.store", &|of| "stores/".clone_into(&mut of.store)),
        ("filter.order", &|of| "bookings/1".clone_into(&mut of.order)),
        ("filter.state", &|of| of.state = 99),
        ("filter.tender", &|of| of.tender = -1),
        ("filter.transaction", &|of| of.transaction = "4".repeat(65)),
        ("filter.currency_code", &|of| "yuan".clone_into(&mut of.currency_code)),
        ("filter.min_amount_minor", &|of| of.min_amount_minor = -1),
        ("filter.max_amount_minor", &|of| of.max_amount_minor = i64::MIN),
        ("filter.max_amount_minor", &|of| (of.min_amount_minor, of.max_amount_minor) = (2, 1)),
        ("filter.start_time", &|of| of.start_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })),
        ("filter.end_time", &|of| (of.start_time, of.end_time) = (at(now), at(now))),
    ];
    for (field, change) in cases {
        let mut filter = PaymentFilter::default();
        change(&mut filter);
        let request = pb::SearchPaymentsRequest { filter: Some(filter), ..Default::default() };
        let status = files.page(request).await.expect_err(field);
        assert_eq!((status.code(), super::fields(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    for page_size in [-1, 1_001] {
        let request = pb::SearchPaymentsRequest { page_size, ..Default::default() };
        assert_eq!(super::fields(&files.page(request).await.expect_err("too many")), ["page_size"]);
    }
}
