//! One service calls another.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::SignedDuration;
use kernel::{Clock, ErrorKind, ids::MemberId};
use proto::membership::v1::{GetMemberRequest, Member, member_service_client::MemberServiceClient};
use rpc::{
    Ctx,
    client::{KeepAlive, Peer, ServiceAuth, channel, peer},
    from_status,
};
use tonic::Request;

use crate::world::{World, own, with_token};

/// A service, and a way to see what its last call brought.
async fn callee(world: &World) -> (Peer, Arc<Mutex<Option<Ctx>>>) {
    let seen: Arc<Mutex<Option<Ctx>>> = Arc::default();
    let writer = Arc::clone(&seen);
    let flow = move |ctx: Ctx, message| {
        *writer.lock().expect("not poisoned") = Some(ctx.clone());
        own(ctx, message)
    };
    let auth = ServiceAuth::new(world.service_tokens("booking"));
    (peer(world.serve(flow).await, auth), seen)
}

#[tokio::test]
async fn a_call_inherits_request_id_and_deadline() {
    let world = World::new();
    let (peer, seen) = callee(&world).await;
    let outer: Arc<Mutex<Option<Ctx>>> = Arc::default();
    let writer = Arc::clone(&outer);
    let flow = move |ctx: Ctx, message: GetMemberRequest| {
        *writer.lock().expect("not poisoned") = Some(ctx.clone());
        let mut client = MemberServiceClient::new(peer.clone());
        async move {
            ctx.caller.see_own(ctx.caller.member(), None)?;
            let reply = client.get_member(message).await.map_err(|status| from_status(status, "membership"))?;
            Ok::<Member, _>(reply.into_inner())
        }
    };
    let me = MemberId::new(world.clock.now());
    let mut request = with_token(GetMemberRequest { name: me.name() }, &world.member_token(me));
    request.metadata_mut().insert("x-request-id", "req-9".parse().expect("ASCII"));
    request.set_timeout(Duration::from_secs(3));
    let reply = MemberServiceClient::new(world.serve(flow).await).get_member(request).await.expect("answered");

    assert_eq!(reply.into_inner().display_name, "services/booking", "the peer sees the service, not the member");
    let inner = seen.lock().expect("not poisoned").take().expect("was called");
    let outer = outer.lock().expect("not poisoned").take().expect("was called");
    assert_eq!(inner.request_id.as_ref(), "req-9");
    let later = inner.deadline.saturating_duration_since(outer.deadline);
    assert!(later < Duration::from_millis(500), "the call to the peer may end {later:?} later");
}

#[tokio::test]
async fn service_tokens_are_renewed_before_they_end() {
    let world = World::new();
    let (peer, _) = callee(&world).await;
    let name = MemberId::new(world.clock.now()).name();
    let tokens = world.service_tokens("booking");
    let first = tokens.authorization().expect("signed");
    for _ in 0..10 {
        let mut client = MemberServiceClient::new(peer.clone());
        client.get_member(GetMemberRequest { name: name.clone() }).await.expect("always a good token");
        world.clock.advance(SignedDuration::from_secs(29));
    }
    assert_ne!(tokens.authorization().expect("signed"), first);
    let kept = tokens.authorization().expect("signed");
    world.clock.advance(SignedDuration::from_secs(29));
    assert_eq!(tokens.authorization().expect("signed"), kept, "not signed for each call");
}

#[tokio::test]
async fn a_peer_that_is_away_is_unavailable_and_found_when_it_is_back() {
    let world = World::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let away = channel(&format!("http://{port}"), KeepAlive::default()).expect("a valid address");
    let auth = ServiceAuth::new(world.service_tokens("booking"));
    let mut client = MemberServiceClient::new(peer(away, auth));
    let name = MemberId::new(world.clock.now()).name();
    let status = client.get_member(GetMemberRequest { name: name.clone() }).await.expect_err("nobody listens");
    let error = from_status(status, "membership");
    assert_eq!((error.kind(), error.reason()), (ErrorKind::Unavailable, "UNAVAILABLE"));

    let listener = tokio::net::TcpListener::bind(port).await.expect("the port is still free");
    let router = world.router(own);
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tokio::spawn(async move { router.serve_with_incoming(incoming).await });
    client.get_member(GetMemberRequest { name }).await.expect("it is back");
}

#[tokio::test]
async fn a_slow_peer_is_a_deadline_whoever_notices_first() {
    let world = World::new();
    let channel = world.serve(|_: Ctx, _| std::future::pending()).await;
    let auth = ServiceAuth::new(world.service_tokens("booking")).with_timeout(Duration::from_millis(50));
    let mut client = MemberServiceClient::new(peer(channel, auth));
    let request = Request::new(GetMemberRequest { name: MemberId::new(world.clock.now()).name() });
    let status = client.get_member(request).await.expect_err("never answers");
    assert_eq!(from_status(status, "membership").kind(), ErrorKind::DeadlineExceeded);
}

#[test]
fn an_address_that_is_none_is_named() {
    let error = channel("not an address", KeepAlive::default()).map(drop).expect_err("malformed");
    assert!(error.message().contains("not an address"));
}
