//! The frame around a handler: validation, the data rule, request ids, panics.

use kernel::{Clock, Error, Result, ids::*};
use proto::{
    access::Role,
    membership::v1::{GetMemberRequest, ListMembersRequest, Member, member_service_client::MemberServiceClient},
};
use rpc::Ctx;
use tonic::{Code, Request, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::world::{Members, World, get_member, own, with_token};

fn reason(status: &Status) -> String {
    status.get_details_error_info().expect("has an ErrorInfo").reason
}

fn wrong_field(status: &Status) -> Option<String> {
    status.get_details_bad_request()?.field_violations.into_iter().next().map(|violation| violation.field)
}

#[tokio::test]
async fn a_flow_that_forgets_whose_data_it_is_never_answers() {
    let world = World::new();
    let channel = world.serve(|_: Ctx, _| async { Ok(Member::default()) }).await;
    let me = MemberId::new(world.clock.now());
    for token in [world.member_token(me), world.staff_token(&[Role::Administrator], None)] {
        let status = get_member(&channel, &token, &me.name()).await.expect_err("a programming error");
        assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    }
}

#[tokio::test]
async fn a_strangers_thing_and_a_missing_one_look_the_same() {
    async fn lookup(ctx: Ctx, message: GetMemberRequest) -> Result<Member> {
        let id = MemberId::parse_name("name", &message.name)?;
        if id.uuid().as_u128() == 0 {
            return Err(Error::not_found(id));
        }
        own(ctx, message).await
    }
    let world = World::new();
    let channel = world.serve(lookup).await;
    let token = world.member_token(MemberId::new(world.clock.now()));
    let missing = MemberId::from_uuid(kernel::Uuid::nil()).name();
    let stranger = MemberId::new(world.clock.now()).name();

    let seen = |status: &Status| {
        let info = status.get_details_error_info().expect("has an ErrorInfo");
        (status.code(), status.message().to_owned(), info.reason, info.metadata)
    };
    let of_missing = get_member(&channel, &token, &missing).await.expect_err("isn't there");
    let of_stranger = get_member(&channel, &token, &stranger).await.expect_err("isn't theirs");
    assert_eq!(of_missing.code(), Code::NotFound);
    assert_eq!(seen(&of_missing), seen(&of_stranger));

    let staff = world.staff_token(&[Role::Support], None);
    let to_staff = get_member(&channel, &staff, &missing).await.expect_err("isn't there");
    assert!(to_staff.message().contains(&missing), "staff learn what is missing");
}

#[tokio::test]
async fn staff_of_another_store_are_refused() {
    let world = World::new();
    let (here, there) = (StoreId::new(world.clock.now()), StoreId::new(world.clock.now()));
    let flow = move |ctx: Ctx, _| async move {
        ctx.caller.see_own(None, Some(here))?;
        Ok(Member::default())
    };
    let channel = world.serve(flow).await;
    let name = MemberId::new(world.clock.now()).name();
    let ours = world.staff_token(&[Role::FrontDesk], Some(here));
    assert!(get_member(&channel, &ours, &name).await.is_ok());
    let theirs = world.staff_token(&[Role::FrontDesk], Some(there));
    let status = get_member(&channel, &theirs, &name).await.expect_err("another store");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::PermissionDenied, "OTHER_STORE"));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_server_lives() {
    let world = World::new();
    let flow = |ctx: Ctx, message: GetMemberRequest| async move {
        assert!(!message.name.ends_with("bad"), "the flow has a bug");
        own(ctx, message).await
    };
    let channel = world.serve(flow).await;
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    let status = get_member(&channel, &token, "members/bad").await.expect_err("panicked");
    assert_eq!((status.code(), status.message()), (Code::Internal, "internal error"));
    assert!(status.get_details_request_info().is_some(), "the caller can name the request");
    assert!(get_member(&channel, &token, &me.name()).await.is_ok());
}

#[tokio::test]
async fn a_handler_outside_the_layer_does_not_run() {
    let service = Members(std::sync::Arc::new(|ctx, message| Box::pin(own(ctx, message))));
    let request = Request::new(GetMemberRequest::default());
    let result = proto::membership::v1::member_service_server::MemberService::get_member(&service, request).await;
    assert_eq!(result.map_err(|status| status.code()).err(), Some(Code::Internal));
}

#[tokio::test]
async fn lists_refuse_bad_pages_and_long_filters() {
    let world = World::new();
    let channel = world.serve(own).await;
    let token = world.staff_token(&[Role::Support], None);
    let list = async |page_size: i32, page_token: &str, phone: &str| {
        let message = ListMembersRequest { phone: phone.into(), page_size, page_token: page_token.into() };
        MemberServiceClient::new(channel.clone()).list_members(with_token(message, &token)).await
    };
    let first = list(2, "", "").await.expect("a page").into_inner();
    assert_eq!(first.members.len(), 2);
    assert!(list(2, &first.next_page_token, "").await.is_ok());
    assert_eq!(list(0, "", "").await.expect("a page").into_inner().members.len(), 50);

    for (size, page_token, phone, field) in [
        (-1, "", "", "page_size"),
        (i32::MIN, "", "", "page_size"),
        (i32::MAX, "", "", "page_size"),
        (2, "from-elsewhere", "", "page_token"),
        (2, &*first.next_page_token, "+8613800138000", "page_token"),
        (2, "", "+8613800138000138000", "phone"),
    ] {
        let status = list(size, page_token, phone).await.expect_err(field);
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert_eq!(wrong_field(&status).as_deref(), Some(field));
    }
}

#[tokio::test]
async fn the_request_id_is_taken_over_when_it_is_fit() {
    let world = World::new();
    let channel = world.serve(own).await;
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    let call = async |channel: &Channel, sent: Option<&str>| {
        let mut request = with_token(GetMemberRequest { name: me.name() }, &token);
        if let Some(sent) = sent {
            request.metadata_mut().insert("x-request-id", sent.parse().expect("ASCII"));
        }
        let reply = MemberServiceClient::new(channel.clone()).get_member(request).await.expect("my own");
        reply.metadata().get("x-request-id").expect("always").to_str().expect("ASCII").to_owned()
    };
    assert_eq!(call(&channel, Some("req-1.2:3_4")).await, "req-1.2:3_4");
    let made = call(&channel, None).await;
    assert!(kernel::Uuid::try_parse(&made).is_ok());
    for unfit in ["", "two words", "line\tbreak", &"x".repeat(65)] {
        assert_ne!(call(&channel, Some(unfit)).await, unfit);
    }
}
