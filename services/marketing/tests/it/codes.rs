//! One-time codes, and the demo mailbox.

use std::collections::BTreeMap;

use kernel::ids::uuid_v7;
use marketing::Policy;
use proto::marketing::v1::{self as pb, message::Kind};
use testkit::START;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::support::{Mode, PHONE, World, as_service, fields, open_policy, reason};

fn code(code: &str) -> pb::SendMessageRequest {
    pb::SendMessageRequest {
        phone: PHONE.to_owned(),
        kind: Kind::VerificationCode.into(),
        variables: BTreeMap::from([("code".to_owned(), code.to_owned())]),
        language_code: "en".to_owned(),
        request_id: uuid_v7(START).to_string(),
    }
}

async fn send(world: &World, request: pb::SendMessageRequest) -> Result<pb::Message, Status> {
    Ok(world.texts.clone().send_message(as_service(request)).await?.into_inner())
}

#[tokio::test]
async fn a_code_is_there_when_the_call_returns_and_not_in_its_reply() {
    let world = World::new().await;
    let reply = send(&world, code("481516")).await.expect("sent");
    assert_eq!((reply.state(), reply.body.as_str()), (pb::message::State::Sent, ""));
    let inbox = world.mailbox(PHONE).await.expect("the mailbox");
    assert_eq!(inbox[0].body, "Your code is 481516. Do not share it with anybody.");
    assert_eq!(inbox[0].name, reply.name);
    assert!(world.mailbox("+8613900139000").await.expect("another's").is_empty());
    assert_eq!(world.events().await, ["MessageSent"]);
    let chinese = send(&world, pb::SendMessageRequest { language_code: String::new(), ..code("2342") }).await;
    chinese.expect("sent");
    let newest = world.mailbox(PHONE).await.expect("the mailbox");
    assert!(newest.iter().any(|letter| letter.body == "您的验证码是 2342，请勿告诉他人。"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twins_of_a_request_send_one_text() {
    let world = World::new().await;
    let request = code("481516");
    let mut calls = JoinSet::new();
    for _ in 0..30 {
        let (mut client, request) = (world.texts.clone(), request.clone());
        calls.spawn(async move { client.send_message(as_service(request)).await.expect("sent").into_inner() });
    }
    let replies = calls.join_all().await;
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
    assert_eq!(world.events().await.len(), 1);
    let other = pb::SendMessageRequest { variables: code("1").variables, ..request };
    assert_eq!(reason(&send(&world, other).await.expect_err("reused")), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_channel_that_is_away_is_said_and_a_repeat_delivers_once() {
    let world = World::new().await;
    let request = code("481516");
    for mode in [Mode::IsAway, Mode::LosesTheAnswer] {
        world.channel.set(mode);
        assert_eq!(send(&world, request.clone()).await.expect_err("away").code(), Code::Unavailable);
    }
    world.channel.set(Mode::Works);
    send(&world, request).await.expect("sent");
    assert_eq!(world.mailbox(PHONE).await.expect("the mailbox").len(), 1);
}

#[tokio::test]
async fn bad_input_names_its_field_and_sends_nothing() {
    let world = World::new().await;
    let variables = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
    };
    let bad = [
        (pb::SendMessageRequest { phone: "13800138000".to_owned(), ..code("1") }, "phone"),
        (pb::SendMessageRequest { kind: 0, ..code("1") }, "kind"),
        (pb::SendMessageRequest { kind: 99, ..code("1") }, "kind"),
        (pb::SendMessageRequest { variables: variables(&[]), ..code("1") }, "variables"),
        (pb::SendMessageRequest { variables: variables(&[("code", "1"), ("name", "x")]), ..code("1") }, "variables"),
        (pb::SendMessageRequest { variables: variables(&[("code", "1\n2")]), ..code("1") }, "variables[\"code\"]"),
        (pb::SendMessageRequest { language_code: "no tag".to_owned(), ..code("1") }, "language_code"),
    ];
    for (request, field) in bad {
        let refused = send(&world, request).await.expect_err(field);
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
    }
    assert!(world.mailbox(PHONE).await.expect("the mailbox").is_empty());
}

#[tokio::test]
async fn the_mailbox_cannot_be_read_where_the_demo_is_off() {
    let world = World::with(Policy { demo_mailbox: false, ..open_policy() }).await;
    send(&world, code("481516")).await.expect("sent");
    let refused = world.mailbox(PHONE).await.expect_err("off");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "DEMO_MAILBOX_OFF"));
}

#[tokio::test]
async fn the_mailbox_has_pages() {
    let world = World::new().await;
    for n in 0..5 {
        send(&world, code(&n.to_string())).await.expect("sent");
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    let (mut token, mut bodies) = (String::new(), Vec::new());
    loop {
        let request =
            pb::ListMailboxMessagesRequest { phone: PHONE.to_owned(), page_size: 2, page_token: token.clone() };
        let page = world.texts.clone().list_mailbox_messages(request).await.expect("a page").into_inner();
        bodies.extend(page.messages.into_iter().map(|letter| letter.body));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
        let elsewhere = pb::ListMailboxMessagesRequest {
            phone: "+8613900139000".to_owned(),
            page_size: 2,
            page_token: token.clone(),
        };
        let refused = world.texts.clone().list_mailbox_messages(elsewhere).await.expect_err("another phone's");
        assert_eq!(fields(&refused), ["page_token"]);
    }
    let codes: Vec<_> = bodies.iter().map(|body| body.chars().find(char::is_ascii_digit).expect("a digit")).collect();
    assert_eq!(codes, ['4', '3', '2', '1', '0']);
}
