//! How long a call may take. Time stands still but for what the layer waits on.

use std::{convert::Infallible, time::Duration};

use http::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kernel::{Clock, ids::MemberId};
use proto::{
    access::Role,
    membership::v1::{GetMemberRequest, member_service_client::MemberServiceClient},
};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::world::{World, listen, with_token};

/// Calls a handler that never ends; gives the status and how long it took.
async fn wait_for_ever(timeout: Option<&str>) -> (Status, Duration) {
    let world = World::new();
    let handler = service_fn(|_: Request<Body>| std::future::pending::<Result<http::Response<Body>, Infallible>>());
    let mut request = Request::builder()
        .uri("/meridian.membership.v1.MemberService/GetMember")
        .header("authorization", world.authorization_of(Role::Support));
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout);
    }
    let started = Instant::now();
    let request = request.body(Body::empty()).expect("a valid request");
    let response = world.layer().layer(handler).oneshot(request).await.expect("infallible");
    (Status::from_header_map(response.headers()).expect("has a status"), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_is_kept() {
    let (status, took) = wait_for_ever(Some("250m")).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(status.get_details_error_info().map(|info| info.reason).as_deref(), Some("DEADLINE_EXCEEDED"));
    assert!((Duration::from_millis(250)..Duration::from_millis(260)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_a_deadline_gets_ten_seconds() {
    for timeout in [None, Some("nonsense")] {
        let (status, took) = wait_for_ever(timeout).await;
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert!((Duration::from_secs(10)..Duration::from_secs(11)).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_is_served_for_longer_than_a_minute() {
    let (status, took) = wait_for_ever(Some("99999999H")).await;
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!((Duration::from_secs(60)..Duration::from_secs(61)).contains(&took), "{took:?}");
}

/// tonic has a timer of its own for the header, which answers CANCELLED; a plain HTTP client has none to hide it.
#[tokio::test]
async fn the_layers_timer_ends_before_that_of_tonic() {
    let world = World::new();
    let (uri, _) = listen(world.router(|_, _| std::future::pending())).await;
    let transport = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
    let mut client = MemberServiceClient::with_origin(transport, uri.parse().expect("a valid address"));
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    for millis in 1..=60 {
        let mut request = with_token(GetMemberRequest { name: me.name() }, &token);
        request.set_timeout(Duration::from_millis(millis));
        let status = client.get_member(request).await.expect_err("never answers");
        assert_eq!(status.code(), Code::DeadlineExceeded, "{millis} ms: {}", status.message());
    }
}
