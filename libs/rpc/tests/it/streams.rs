//! Server-streaming RPCs: framed like others, but open for as long as they like.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use proto::{
    access::Role,
    feed::v1::{
        Event, SubscribeRequest,
        event_feed_service_client::EventFeedServiceClient,
        event_feed_service_server::{EventFeedService, EventFeedServiceServer},
    },
};
use rpc::client::{ServiceAuth, peer};
use tonic::{Code, Request, Response, Status, transport::Server};

use crate::world::{World, listen, with_token};

/// Sends one event at once and another after the call's deadline.
struct Feed;

#[tonic::async_trait]
impl EventFeedService for Feed {
    type SubscribeStream = Pin<Box<dyn Stream<Item = Result<Event, Status>> + Send>>;

    async fn subscribe(&self, request: Request<SubscribeRequest>) -> Result<Response<Self::SubscribeStream>, Status> {
        rpc::unary(request, |ctx, message| async move {
            let late = ctx.deadline + Duration::from_millis(20);
            let events = stream::iter([(1, ctx.deadline), (2, late)]).then(move |(aggregate_version, at)| {
                let event = Event { event_id: message.consumer.clone(), aggregate_version, ..Event::default() };
                async move {
                    if at == late {
                        tokio::time::sleep_until(at).await;
                    }
                    Ok(event)
                }
            });
            Ok(Box::pin(events) as Self::SubscribeStream)
        })
        .await
    }
}

fn subscribe() -> SubscribeRequest {
    SubscribeRequest { consumer: "analytics".to_owned(), ..SubscribeRequest::default() }
}

#[tokio::test]
async fn a_stream_outlives_the_deadline_of_its_call() {
    let world = World::new();
    let router = Server::builder().layer(world.layer()).add_service(EventFeedServiceServer::new(Feed));
    let auth = ServiceAuth::new(world.service_tokens("analytics")).with_timeout(Duration::from_millis(100));
    let mut client = EventFeedServiceClient::new(peer(listen(router).await.1, auth));
    let mut events = client.subscribe(subscribe()).await.expect("services may").into_inner();
    for version in [1, 2] {
        let event = events.message().await.expect("no error").expect("not ended");
        assert_eq!((event.event_id.as_str(), event.aggregate_version), ("analytics", version));
    }
    assert!(events.message().await.expect("no error").is_none());
}

#[tokio::test]
async fn a_stream_has_rules_like_any_rpc() {
    let world = World::new();
    let router = Server::builder().layer(world.layer()).add_service(EventFeedServiceServer::new(Feed));
    let channel = listen(router).await.1;
    let staff = world.staff_token(&[Role::Administrator], None);
    let mut client = EventFeedServiceClient::new(channel.clone());
    let status = client.subscribe(with_token(subscribe(), &staff)).await.map(drop).expect_err("services only");
    assert_eq!(status.code(), Code::PermissionDenied);

    let auth = ServiceAuth::new(world.service_tokens("analytics")).without_timeout();
    let wrong = SubscribeRequest { partition: 4, ..subscribe() };
    let status =
        EventFeedServiceClient::new(peer(channel, auth)).subscribe(wrong).await.map(drop).expect_err("no such");
    assert_eq!(status.code(), Code::InvalidArgument);
}
