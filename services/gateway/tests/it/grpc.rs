//! gRPC and gRPC-Web through the gateway.

use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, BytesMut};
use gateway::Config;
use http::{Method, Request};
use http_body_util::Full;
use prost::Message;
use proto::booking::v1::{Booking, GetBookingRequest, booking_service_client::BookingServiceClient};
use rpc::client::KeepAlive;
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt;

use crate::{
    booking::{self, BOOKING},
    echo,
    harness::{Gateway, request, signed_in, with},
};

const GET: &str = "/meridian.booking.v1.BookingService/GetBooking";

fn channel(gateway: &Gateway) -> Channel {
    rpc::client::channel(&format!("http://{}", gateway.address), KeepAlive::default()).expect("a URI")
}

fn framed(message: &impl Message) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.encoded_len()).expect("short"));
    frame.extend_from_slice(&message.encode_to_vec());
    frame.freeze()
}

fn web(name: &str) -> Request<Full<Bytes>> {
    let message = GetBookingRequest { name: name.to_owned() };
    let call = with(request(Method::POST, GET, framed(&message)), "content-type", "application/grpc-web+proto");
    with(call, "x-grpc-web", "1")
}

/// The frames of a gRPC-Web body: flag and content.
fn frames(mut body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, rest @ ..] = body {
        let (content, more) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
        frames.push((*flag, content.to_vec()));
        body = more;
    }
    assert!(body.is_empty(), "a broken frame is left: {body:?}");
    frames
}

#[tokio::test]
async fn a_grpc_client_can_use_the_gateway_as_if_it_were_the_service() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let mut client = BookingServiceClient::new(channel(&gateway));
    let token = testkit::keys().member_token(crate::harness::member());
    let get = |name: &str| testkit::with_token(GetBookingRequest { name: name.to_owned() }, &token);
    let answer = client.get_booking(get(BOOKING)).await.expect("an answer");
    assert_eq!(*answer.get_ref(), booking::booking(BOOKING));
    assert!(answer.metadata().contains_key("x-request-id"));
    assert!(seen.metadata("x-request-id").is_some());

    let taken = client.get_booking(get("bookings/taken")).await.expect_err("refused");
    assert_eq!(taken.code(), Code::FailedPrecondition);
    assert_eq!(taken.get_details_error_info().map(|info| info.reason).as_deref(), Some("SLOT_TAKEN"));

    let missing = client.get_booking(GetBookingRequest { name: BOOKING.to_owned() }).await.expect_err("refused");
    assert_eq!(missing.code(), Code::Unauthenticated);
    assert_eq!(missing.get_details_error_info().map(|info| info.reason).as_deref(), Some("TOKEN_MISSING"));
    assert_eq!(seen.calls(), 2, "the gateway refused it itself");
}

#[tokio::test]
async fn a_package_that_is_not_served_is_unimplemented() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let path = "/meridian.feed.v1.EventFeedService/Subscribe";
    let call = with(
        request(Method::POST, path, framed(&GetBookingRequest::default())),
        "content-type",
        "application/grpc-web",
    );
    let answer = gateway.send(call).await;
    assert_eq!((answer.status.as_u16(), answer.header("grpc-status")), (200, "12"));
}

#[tokio::test]
async fn a_grpc_web_call_framed_by_hand() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let answer = gateway.send(signed_in(web(BOOKING))).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/grpc-web+proto"));
    let frames = frames(&answer.body);
    assert_eq!(frames.len(), 2);
    assert_eq!((frames[0].0, Booking::decode(&*frames[0].1).ok()), (0, Some(booking::booking(BOOKING))));
    let trailers = String::from_utf8(frames[1].1.clone()).expect("text");
    assert!(frames[1].0 == 0x80 && trailers.replace(": ", ":").contains("grpc-status:0"), "{trailers}");
}

#[tokio::test]
async fn a_grpc_web_text_call_is_base64() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let body = BASE64_STANDARD.encode(framed(&GetBookingRequest { name: BOOKING.to_owned() }));
    let mut call = signed_in(request(Method::POST, GET, body));
    for name in ["content-type", "accept"] {
        call = with(call, name, "application/grpc-web-text");
    }
    let answer = gateway.send(call).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // Each part is encoded by itself, so padding may come in the middle.
    let text = std::str::from_utf8(&answer.body).expect("base64");
    let bytes: Vec<u8> = text
        .split_inclusive('=')
        .filter(|part| *part != "=")
        .flat_map(|part| BASE64_STANDARD.decode(pad(part)).expect("base64"))
        .collect();
    let frames = frames(&bytes);
    assert_eq!(frames.len(), 2, "{answer:?}");
    assert_eq!(Booking::decode(&*frames[0].1).ok(), Some(booking::booking(BOOKING)));
}

fn pad(part: &str) -> String {
    let bare = part.trim_end_matches('=');
    format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4))
}

#[tokio::test]
async fn a_grpc_web_caller_reads_errors_from_headers() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let answer = gateway.send(web(BOOKING)).await;
    assert_eq!((answer.status.as_u16(), answer.header("grpc-status")), (200, "16"));
    assert!(!answer.header("grpc-status-details-bin").is_empty());
}

#[tokio::test]
async fn streams_run_both_ways_at_once() {
    use gateway::transcode::call::RawCodec;

    let (gateway, _) = echo::gateway(Config::default()).await;
    let mut client = tonic::client::Grpc::new(channel(&gateway));
    client.ready().await.expect("ready");
    let (send, receive) = questions();
    let path = "/test.echo.v1.EchoService/Chat".parse().expect("a path");
    let answer = client.streaming(tonic::Request::new(receive), path, RawCodec).await.expect("an answer");
    let mut replies = answer.into_inner();
    for text in ["one", "two", "three"] {
        send.send(Bytes::from(text)).expect("the stream is open");
        let reply = replies.message().await.expect("no error").expect("a reply before the next question");
        assert_eq!(reply, text);
    }
    drop(send);
    assert_eq!(replies.message().await.expect("no error"), None);
}

/// A channel as a stream.
fn questions() -> (tokio::sync::mpsc::UnboundedSender<Bytes>, impl futures_util::Stream<Item = Bytes> + Send + 'static)
{
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    let stream =
        futures_util::stream::unfold(receive, |mut receive| async move { Some((receive.recv().await?, receive)) });
    (send, stream)
}
