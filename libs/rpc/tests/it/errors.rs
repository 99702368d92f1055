//! Each kind of error, over the wire and back.

use kernel::{Clock, Error, ErrorKind, ids::MemberId};
use proto::membership::v1::{GetMemberRequest, Member, member_service_client::MemberServiceClient};
use rpc::{Ctx, from_status};
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::{World, get_member, with_token};

const KINDS: [(ErrorKind, Code); 11] = [
    (ErrorKind::InvalidArgument, Code::InvalidArgument),
    (ErrorKind::Unauthenticated, Code::Unauthenticated),
    (ErrorKind::PermissionDenied, Code::PermissionDenied),
    (ErrorKind::NotFound, Code::NotFound),
    (ErrorKind::AlreadyExists, Code::AlreadyExists),
    (ErrorKind::FailedPrecondition, Code::FailedPrecondition),
    (ErrorKind::Aborted, Code::Aborted),
    (ErrorKind::ResourceExhausted, Code::ResourceExhausted),
    (ErrorKind::DeadlineExceeded, Code::DeadlineExceeded),
    (ErrorKind::Unavailable, Code::Unavailable),
    (ErrorKind::Internal, Code::Internal),
];

#[tokio::test]
async fn each_kind_has_its_code_reason_facts_and_request_id() {
    let world = World::new();
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    for (kind, code) in KINDS {
        let flow = move |ctx: Ctx, _: GetMemberRequest| async move {
            ctx.caller.see_own(ctx.caller.member(), None)?;
            Err::<Member, _>(
                Error::new(kind, "SOME_REASON", "a sentence for people")
                    .with("state", "HELD")
                    .with_violation("name", "is wrong")
                    .caused_by("a cause for the log"),
            )
        };
        let channel = world.serve(flow).await;
        let mut request = with_token(GetMemberRequest { name: me.name() }, &token);
        request.metadata_mut().insert("x-request-id", "req-7".parse().expect("ASCII"));
        let status = MemberServiceClient::new(channel).get_member(request).await.expect_err("always");

        assert_eq!(status.code(), code);
        let details = status.get_error_details();
        let info = details.error_info().expect("has an ErrorInfo");
        assert_eq!(info.domain, "meridian");
        assert_eq!(details.request_info().map(|info| info.request_id.as_str()), Some("req-7"));
        assert!(!String::from_utf8_lossy(status.details()).contains("for the log"));
        if kind == ErrorKind::Internal {
            assert_eq!((status.message(), info.reason.as_str()), ("internal error", "INTERNAL"));
            assert!(info.metadata.is_empty() && details.bad_request().is_none());
            continue;
        }
        assert_eq!((status.message(), info.reason.as_str()), ("a sentence for people", "SOME_REASON"));
        assert_eq!(info.metadata["state"], "HELD");
        let bad = details.bad_request().expect("has a BadRequest");
        assert_eq!(bad.field_violations[0].field, "name");

        let back = from_status(status, "membership");
        let ours = [ErrorKind::Unauthenticated, ErrorKind::Unavailable, ErrorKind::DeadlineExceeded];
        if !ours.contains(&kind) {
            assert_eq!((back.kind(), back.reason(), back.message()), (kind, "SOME_REASON", "a sentence for people"));
            assert_eq!(back.metadata(), [("state", "HELD".to_owned())]);
            assert_eq!(back.violations()[0].description, "is wrong");
        }
    }
}

#[tokio::test]
async fn an_error_with_very_much_to_say_still_arrives() {
    let world = World::new();
    let me = MemberId::new(world.clock.now());
    let flow = |_: Ctx, _: GetMemberRequest| async move {
        let violations = (0..5_000)
            .map(|i| kernel::FieldViolation { field: format!("rows[{i}].price"), description: "is wrong".to_owned() })
            .collect();
        Err(Error::invalid_fields(violations))
    };
    let channel = world.serve(flow).await;
    let status = get_member(&channel, &world.member_token(me), &me.name()).await.expect_err("always");
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "5000 fields are not valid");
}
