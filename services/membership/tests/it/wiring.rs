//! The service with its neighbours over the wire.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use feed::{FeedServer, FeedSource};
use kernel::{SharedClock, Uuid, ids::OrderId};
use membership::{
    domain::phone::Phone,
    peers::{GrpcMessages, Messages},
    worker::{self, Feeds},
};
use pg::outbox::{self, NewEvent};
use proto::{
    access::Role,
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    marketing::v1::{
        ListMailboxMessagesRequest, ListMailboxMessagesResponse, ListMessagesRequest, ListMessagesResponse, Message,
        SendMessageRequest,
        message::Kind,
        message_service_server::{MessageService, MessageServiceServer},
    },
    payment::v1::OrderPaid,
};
use rpc::{
    client::{self, ServiceAuth},
    service_token::ServiceTokens,
    unary,
};
use runtime::{Shutdown, Tasks};
use tokio::sync::watch;
use tonic::{Request, Response, Status, service::RoutesBuilder};

use crate::world::*;

fn auth(clock: SharedClock) -> ServiceAuth {
    ServiceAuth::new(ServiceTokens::new("membership", testkit::keys().service_signer(), clock))
}

/// A marketing service that keeps what it is sent.
#[derive(Clone, Default)]
struct Marketing(Arc<Mutex<Vec<SendMessageRequest>>>);

#[tonic::async_trait]
impl MessageService for Marketing {
    async fn send_message(&self, request: Request<SendMessageRequest>) -> Result<Response<Message>, Status> {
        unary(request, |_, request| async move {
            self.0.lock().expect("not poisoned").push(request);
            Ok(Message::default())
        })
        .await
    }

    async fn list_messages(&self, _: Request<ListMessagesRequest>) -> Result<Response<ListMessagesResponse>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }

    async fn list_mailbox_messages(
        &self,
        _: Request<ListMailboxMessagesRequest>,
    ) -> Result<Response<ListMailboxMessagesResponse>, Status> {
        Err(Status::unimplemented("not asked for here"))
    }
}

#[tokio::test]
async fn a_code_goes_to_marketing_as_a_message() {
    let marketing = Marketing::default();
    let mut routes = RoutesBuilder::default();
    routes.add_service(MessageServiceServer::new(marketing.clone()));
    let channel = testkit::serve(routes.routes()).await;
    let messages = GrpcMessages::new(client::peer(channel, auth(testkit::clock())));
    let phone = Phone::parse("phone", PHONE).expect("valid");
    messages.send_code(&phone, "012345", Uuid::from_u128(8)).await.expect("sends");
    let sent = marketing.0.lock().expect("not poisoned").remove(0);
    assert_eq!((sent.phone.as_str(), sent.kind()), (PHONE, Kind::VerificationCode));
    assert_eq!(sent.variables.get("code").map(String::as_str), Some("012345"));
    assert_eq!(sent.request_id, Uuid::from_u128(8).to_string());
}

#[tokio::test]
async fn the_worker_makes_a_key_seals_the_audit_log_and_turns_paid_orders_into_points() {
    let world = world().await;
    let payment = testkit::database(&membership::MIGRATOR).await;
    let (_wake, woken) = watch::channel(0);
    let feed = FeedServer::new(payment.pg.clone(), woken, Shutdown::new().soft().clone());
    let mut routes = RoutesBuilder::default();
    routes.add_service(EventFeedServiceServer::new(feed));
    let channel = testkit::serve(routes.routes()).await;

    let shutdown = Shutdown::new();
    let tasks = Tasks::new(shutdown.clone());
    let source = FeedSource::new("payment", channel, auth(testkit::clock()));
    worker::spawn(&world.app, Feeds { payment: source }, &tasks);

    let member = world.member(PHONE).await;
    world.bootstrap("boss", &[Role::Administrator], None).await;
    for version in [3, 4, 5] {
        let order = OrderId::new(testkit::START);
        let paid = OrderPaid { order: Some(facts(order, member, 500, 500, 0)) };
        let mut tx = payment.pg.begin().await.expect("begins");
        outbox::append(&mut tx, NewEvent::new(order.uuid(), version, testkit::START, &paid)).await.expect("appends");
        tx.commit().await.expect("commits");
    }
    testkit::eventually(Duration::from_secs(20), || async { world.look(member).await.points == 150 }).await;
    testkit::eventually(Duration::from_secs(20), || async {
        world.count("select count(*) from signing_key").await == 1
            && world.count("select count(*) from audit_seal").await > 0
    })
    .await;
    shutdown.begin();
    assert_eq!(tasks.run(Duration::from_secs(10)).await, runtime::lifecycle::Outcome::Clean);
}
