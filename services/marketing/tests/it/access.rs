//! Who sees what.

use std::time::Duration;

use kernel::ids::{StoreId, uuid_v7};
use proto::{
    access::Role,
    marketing::v1::{self as pb, message::Kind},
};
use rpc::convert::to_money;
use testkit::{START, eventually};
use tonic::{Code, Request};

use crate::{
    support::{PHONE, World, as_member, as_service, as_staff, cny, member, reason},
    visits::{Told, Visit},
};

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_quote_is_seen_by_its_customer_its_store_and_services() {
    let (world, me) = (World::new().await, member());
    let request = pb::GetQuoteRequest { name: world.quote(me).await.name };
    let get = |request: Request<pb::GetQuoteRequest>| {
        let mut client = world.promotions.clone();
        async move { client.get_quote(request).await.map_err(|status| status.code()).map(|_| ()) }
    };
    assert_eq!(get(as_member(me, request.clone())).await, Ok(()));
    assert_eq!(get(as_service(request.clone())).await, Ok(()));
    assert_eq!(get(as_staff(Role::FrontDesk, Some(world.store), request.clone())).await, Ok(()));
    assert_eq!(get(as_staff(Role::Administrator, None, request.clone())).await, Ok(()));
    assert_eq!(get(as_member(member(), request.clone())).await, Err(Code::NotFound));
    let elsewhere = Some(StoreId::new(START));
    assert_eq!(get(as_staff(Role::FrontDesk, elsewhere, request.clone())).await, Err(Code::PermissionDenied));
    assert_eq!(get(as_staff(Role::Finance, None, request.clone())).await, Err(Code::PermissionDenied));
    assert_eq!(get(Request::new(request)).await, Err(Code::Unauthenticated));
}

#[tokio::test]
async fn a_member_reaches_nobody_elses_coupons_prices_or_messages() {
    let (world, me, other) = (World::new().await, member(), member());
    world.tell(&Visit::new(&world, other, ""), &[(Told::Confirmed, 3)]).await;
    let coupons = pb::ListCouponsRequest { customer: other.name(), ..Default::default() };
    let refused = world.promotions.clone().list_coupons(as_member(me, coupons)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::NotFound);
    let preview = pb::PreviewQuoteRequest {
        customer: other.name(),
        item: world.item.name(),
        store: world.store.name(),
        list_price: Some(to_money(cny(100))),
    };
    let refused = world.promotions.clone().preview_quote(as_member(me, preview)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::NotFound);
    let messages = pb::ListMessagesRequest { customer: other.name(), ..Default::default() };
    let refused = world.texts.clone().list_messages(as_member(me, messages)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::NotFound);
    assert!(world.messages(me).await.is_empty());
    assert_eq!(world.messages(other).await.len(), 2);
}

#[tokio::test]
async fn a_look_of_staff_at_messages_is_on_record() {
    let (world, me) = (World::new().await, member());
    world.tell(&Visit::new(&world, me, ""), &[(Told::Confirmed, 3)]).await;
    let request = pb::ListMessagesRequest { customer: me.name(), ..Default::default() };
    let seen = world.texts.clone().list_messages(as_staff(Role::Support, None, request.clone())).await.expect("seen");
    assert_eq!(seen.into_inner().messages.len(), 2);
    let entries: Vec<(String, String)> =
        sqlx::query_as("select action, target from audit_entry").fetch_all(world.app.pg.pool()).await.expect("entries");
    assert_eq!(entries, [("message.list".to_owned(), me.name())]);
    // An entry can be sealed once no older transaction runs, and other tests have theirs on the same server.
    let sealed = || async { marketing::worker::seal_audit(&world.app).await.expect("looked") == 1 };
    eventually(PATIENCE, sealed).await;
    let refused = world.texts.clone().list_messages(as_staff(Role::FrontDesk, None, request)).await;
    assert_eq!(refused.expect_err("not their matter").code(), Code::PermissionDenied);
    let nobody = pb::ListMessagesRequest::default();
    let refused = world.texts.clone().list_messages(as_staff(Role::Support, None, nobody)).await;
    assert_eq!(refused.expect_err("whose?").code(), Code::InvalidArgument);
}

#[tokio::test]
async fn only_services_make_quotes_and_send_messages() {
    let (world, me) = (World::new().await, member());
    let quote = world.quote_request(me, uuid_v7(START));
    let text = pb::SendMessageRequest {
        phone: PHONE.to_owned(),
        kind: Kind::VerificationCode.into(),
        request_id: uuid_v7(START).to_string(),
        ..Default::default()
    };
    let refused = world.promotions.clone().create_quote(as_member(me, quote.clone())).await.expect_err("no service");
    assert_eq!(reason(&refused), "ROLE_NOT_ALLOWED");
    let refused = world.promotions.clone().create_quote(as_staff(Role::Administrator, None, quote)).await;
    assert_eq!(refused.expect_err("no service").code(), Code::PermissionDenied);
    let refused = world.texts.clone().send_message(as_member(me, text.clone())).await.expect_err("no service");
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = world.texts.clone().send_message(Request::new(text)).await.expect_err("nobody");
    assert_eq!(refused.code(), Code::Unauthenticated);
}
