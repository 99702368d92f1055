//! Prices and who gets the coupon.

use std::time::Duration;

use feed::Event;
use kernel::ids::{MemberId, uuid_v7};
use prost::Message;
use proto::{
    marketing::v1::{self as pb, coupon::State},
    membership::v1::{MemberRegistered, Tier},
};
use rpc::convert::to_money;
use testkit::{START, eventually};
use tokio::task::JoinSet;
use tonic::Code;

use crate::support::{World, as_member, as_service, cny, fields, member, minor, reason};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

fn applied(quote: &pb::Quote) -> Vec<(&str, i64)> {
    let applied = quote.adjustments.iter().filter(|of| of.applied);
    applied.map(|of| (of.code.as_str(), minor(of.amount.as_ref()))).collect()
}

fn why_no_coupon(quote: &pb::Quote) -> &str {
    let of = quote.adjustments.iter().find(|of| of.code == "FIRST_VISIT_COUPON").expect("it was looked at");
    assert!(!of.applied);
    &of.explanation
}

#[tokio::test]
async fn a_first_visit_costs_a_fifth_less_after_the_tier_price() {
    let (world, me) = (World::new().await, member());
    world.tier(me, Tier::Silver, 2).await;
    let quote = world.quote(me).await;
    assert_eq!(applied(&quote), [("TIER_PRICE", 894), ("FIRST_VISIT_COUPON", 5_781)]);
    assert_eq!(minor(quote.price.as_ref()), 29_800 - 894 - 5_781);
    let coupon = world.coupon(me).await;
    assert_eq!((coupon.state(), &coupon.quote, coupon.basis_points), (State::Reserved, &quote.name, 2_000));
    let read = pb::GetQuoteRequest { name: quote.name.clone() };
    let read = world.promotions.clone().get_quote(as_member(me, read)).await.expect("it's mine").into_inner();
    assert_eq!(read, quote);
}

#[tokio::test]
async fn the_newest_tier_known_counts_in_whatever_order_it_comes() {
    let (world, me) = (World::new().await, member());
    world.tier(me, Tier::Gold, 5).await;
    world.tier(me, Tier::Silver, 3).await;
    let registered = MemberRegistered { member: me.name(), store: String::new(), tier: Tier::Member.into() };
    world.apply_member(&Event::new(me.uuid(), 1, START, &registered)).await;
    assert_eq!(applied(&world.quote(me).await)[0], ("TIER_PRICE", 1_490));
}

#[tokio::test]
async fn a_preview_keeps_nothing() {
    let (world, me) = (World::new().await, member());
    let request = || {
        let list_price = Some(to_money(cny(10_000)));
        let (item, store) = (world.item.name(), world.store.name());
        as_member(me, pb::PreviewQuoteRequest { customer: String::new(), item, store, list_price })
    };
    for _ in 0..2 {
        let preview = world.promotions.clone().preview_quote(request()).await.expect("a preview").into_inner();
        assert_eq!((preview.name.as_str(), minor(preview.price.as_ref())), ("", 8_000));
    }
    assert_eq!(world.coupon_state(me).await, State::Available);
    world.quote(me).await;
    let preview = world.promotions.clone().preview_quote(request()).await.expect("a preview").into_inner();
    assert_eq!(why_no_coupon(&preview), "The coupon is kept for another visit.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_quotes_at_once_one_has_the_coupon() {
    let (world, me) = (World::new().await, member());
    one_has_the_coupon(&world, me, start_64(&world, me).join_all().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_quotes_that_wait_for_one_coupon_one_has_it() {
    let (world, me) = (World::new().await, member());
    assert_eq!(world.coupon_state(me).await, State::Available, "given before anybody asks for a price");
    // The calls will need all connections of the service.
    let aside = world.db.connect().await;
    let mut tx = aside.begin().await.expect("begun");
    sqlx::query("select from coupon for update").execute(&mut *tx).await.expect("locked");
    let calls = start_64(&world, me);
    // They have all come as far as they can before anybody has it.
    let waiting = || async {
        let waiting: i64 = sqlx::query_scalar(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
        )
        .fetch_one(aside.pool())
        .await
        .expect("counted");
        waiting >= 4
    };
    eventually(PATIENCE, waiting).await;
    tx.commit().await.expect("unlocked");
    one_has_the_coupon(&world, me, calls.join_all().await).await;
}

fn start_64(world: &World, me: MemberId) -> JoinSet<pb::Quote> {
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let (mut client, request) = (world.promotions.clone(), world.quote_request(me, uuid_v7(START)));
        calls.spawn(async move { client.create_quote(as_service(request)).await.expect("a quote").into_inner() });
    }
    calls
}

async fn one_has_the_coupon(world: &World, me: MemberId, quotes: Vec<pb::Quote>) {
    let (with, without): (Vec<_>, Vec<_>) = quotes.iter().partition(|quote| minor(quote.price.as_ref()) == 23_840);
    assert_eq!((with.len(), without.len()), (1, 63));
    for quote in without {
        assert_eq!(minor(quote.price.as_ref()), 29_800);
        assert_eq!(why_no_coupon(quote), "The coupon is kept for another visit.");
    }
    assert_eq!(world.coupon(me).await.quote, with[0].name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_twins_of_a_request_get_one_quote_and_the_same_bytes() {
    let (world, me) = (World::new().await, member());
    let request = world.quote_request(me, uuid_v7(START));
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let (mut client, request) = (world.promotions.clone(), request.clone());
        calls.spawn(async move { client.create_quote(as_service(request)).await.expect("a quote").into_inner() });
    }
    let replies: Vec<_> = calls.join_all().await.iter().map(Message::encode_to_vec).collect();
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    let quotes: i64 =
        sqlx::query_scalar("select count(*) from quote").fetch_one(world.app.pg.pool()).await.expect("counted");
    assert_eq!(quotes, 1);
    let other = pb::CreateQuoteRequest { list_price: Some(to_money(cny(1))), ..request };
    let refused = world.promotions.clone().create_quote(as_service(other)).await.expect_err("reused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
}

#[tokio::test]
async fn bad_input_names_its_field() {
    let world = World::new().await;
    let good = world.quote_request(member(), uuid_v7(START));
    let bad = [
        (pb::CreateQuoteRequest { list_price: Some(to_money(cny(-1))), ..good.clone() }, "list_price"),
        (pb::CreateQuoteRequest { list_price: None, ..good.clone() }, "list_price"),
        (pb::CreateQuoteRequest { item: "items/x".to_owned(), ..good.clone() }, "item"),
        (pb::CreateQuoteRequest { customer: String::new(), ..good.clone() }, "customer"),
        (pb::CreateQuoteRequest { request_id: "1".to_owned(), ..good }, "request_id"),
    ];
    for (request, field) in bad {
        let refused = world.promotions.clone().create_quote(as_service(request)).await.expect_err(field);
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    let unknown = pb::GetQuoteRequest { name: kernel::ids::QuoteId::new(START).name() };
    let refused = world.promotions.clone().get_quote(as_service(unknown)).await.expect_err("unknown");
    assert_eq!(refused.code(), Code::NotFound);
}

#[tokio::test]
async fn lists_have_pages_and_refuse_foreign_tokens() {
    let (world, me) = (World::new().await, member());
    let list = |page_size, page_token: &str| {
        let request = pb::ListCouponsRequest { customer: String::new(), page_size, page_token: page_token.to_owned() };
        let mut client = world.promotions.clone();
        async move { client.list_coupons(as_member(me, request)).await }
    };
    assert!(list(1, "").await.expect("one page").into_inner().next_page_token.is_empty());
    for (size, token, field) in [(-1, "", "page_size"), (1_001, "", "page_size"), (1, "nonsense", "page_token")] {
        assert_eq!(fields(&list(size, token).await.expect_err(field)), [field]);
    }
}

#[tokio::test]
async fn a_quote_that_replaces_another_has_its_coupon() {
    let (world, me) = (World::new().await, member());
    let send = |replaces: String| {
        let request = pb::CreateQuoteRequest { replaces, ..world.quote_request(me, uuid_v7(START)) };
        let mut client = world.promotions.clone();
        async move { client.create_quote(as_service(request)).await.expect("a quote").into_inner() }
    };
    let first = send(String::new()).await;
    assert_eq!(minor(first.price.as_ref()), 23_840);
    let beside = send(String::new()).await;
    assert_eq!(why_no_coupon(&beside), "The coupon is kept for another visit.");
    let second = send(first.name.clone()).await;
    assert_eq!(minor(second.price.as_ref()), 23_840);
    assert_eq!(world.coupon(me).await.quote, second.name);
    // What is not kept any more is not given up again.
    let third = send(first.name).await;
    assert_eq!(why_no_coupon(&third), "The coupon is kept for another visit.");
}
