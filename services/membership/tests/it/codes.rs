//! One-time codes.

use crate::world::*;

#[tokio::test]
async fn a_code_is_six_digits_and_good_for_five_minutes() {
    let world = world().await;
    let reply = world.auth().send_code(send_code(PHONE)).await.expect("sends").into_inner();
    let until = reply.expire_time.expect("a time").seconds - testkit::START.as_second();
    assert_eq!(until, 300);
    let code = world.mailbox.last_code(PHONE);
    assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    world.minutes(5);
    assert_eq!(reason(world.auth().register_member(register(PHONE, &code)).await), "CODE_WRONG");
}

#[tokio::test]
async fn a_wrong_code_is_refused_and_the_sixth_try_even_if_it_is_right() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(reason(world.auth().register_member(register(PHONE, wrong)).await), "CODE_WRONG");
    }
    assert_eq!(reason(world.auth().register_member(register(PHONE, &code)).await), "CODE_WRONG");
    assert_eq!(world.count("select count(*) from member").await, 0);
}

#[tokio::test]
async fn guesses_that_come_at_once_are_all_counted() {
    let world = world().await;
    let code = world.code(PHONE).await;
    let guesses: Vec<_> = (0..40)
        .map(|n| {
            let mut auth = world.auth();
            let guess = format!("{n:06}");
            let guess = if guess == code { "999999".to_owned() } else { guess };
            tokio::spawn(async move { reason(auth.sign_in(sign_in(PHONE, &guess)).await) })
        })
        .collect();
    for guess in guesses {
        assert_eq!(guess.await.expect("ends"), "CODE_WRONG");
    }
    assert_eq!(world.count("select try_count::bigint from one_time_code").await, 5);
    assert_eq!(reason(world.auth().sign_in(sign_in(PHONE, &code)).await), "CODE_WRONG");
}

#[tokio::test]
async fn a_code_is_used_once() {
    let world = world().await;
    let code = world.code(PHONE).await;
    world.auth().register_member(register(PHONE, &code)).await.expect("registers");
    assert_eq!(reason(world.auth().sign_in(sign_in(PHONE, &code)).await), "CODE_WRONG");
}

#[tokio::test]
async fn only_the_newest_code_is_good() {
    let world = world().await;
    let first = world.code(PHONE).await;
    world.minutes(1);
    let second = world.code(PHONE).await;
    assert_ne!(first, second, "one in a million");
    assert_eq!(reason(world.auth().register_member(register(PHONE, &first)).await), "CODE_WRONG");
    world.auth().register_member(register(PHONE, &second)).await.expect("registers");
}

#[tokio::test]
async fn another_phone_s_code_is_wrong() {
    let world = world().await;
    let code = world.code(PHONE).await;
    world.code(&phone(1)).await;
    let answer = world.auth().register_member(register(&phone(2), &code)).await;
    assert_eq!(reason(answer), "CODE_WRONG");
}

#[tokio::test]
async fn a_phone_gets_one_code_a_minute_and_five_an_hour() {
    let world = world().await;
    for _ in 0..5 {
        world.code(PHONE).await;
        assert_eq!(reason(world.auth().send_code(send_code(PHONE)).await), "TOO_MANY_CODES");
        world.code(&phone(world.count("select count(*) from one_time_code").await.try_into().expect("few"))).await;
        world.minutes(1);
    }
    let refused = world.auth().send_code(send_code(PHONE)).await;
    assert_eq!(refused.as_ref().err().map(tonic::Status::code), Some(tonic::Code::ResourceExhausted));
    assert_eq!(reason(refused), "TOO_MANY_CODES");
    world.minutes(55);
    world.code(PHONE).await;
}

#[tokio::test]
async fn the_answer_is_the_same_whether_the_phone_is_known() {
    let world = world().await;
    world.register(PHONE).await;
    world.minutes(1);
    let known = world.auth().send_code(send_code(PHONE)).await.expect("sends").into_inner();
    let unknown = world.auth().send_code(send_code(&phone(1))).await.expect("sends").into_inner();
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn a_repeat_sends_nothing_and_gets_the_same_answer() {
    let world = world().await;
    let request = send_code(PHONE);
    let twins: Vec<_> = (0..20)
        .map(|_| {
            let (mut auth, request) = (world.auth(), request.clone());
            tokio::spawn(async move { auth.send_code(request).await.expect("sends").into_inner() })
        })
        .collect();
    let mut answers = Vec::new();
    for twin in twins {
        answers.push(twin.await.expect("ends"));
    }
    world.minutes(30);
    answers.push(world.auth().send_code(request.clone()).await.expect("answers").into_inner());
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(world.mailbox.codes(PHONE).len(), 1);
    let other = proto::membership::v1::SendCodeRequest { phone: phone(1), ..request };
    assert_eq!(reason(world.auth().send_code(other).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn a_code_that_could_not_be_sent_is_void_until_the_same_request_sends_it() {
    let world = world().await;
    world.mailbox.set_down(true);
    let request = send_code(PHONE);
    let refused = world.auth().send_code(request.clone()).await;
    assert_eq!(refused.err().map(|status| status.code()), Some(tonic::Code::Unavailable));
    world.minutes(10);
    world.mailbox.set_down(false);
    world.mailbox.set_deaf(true);
    assert_eq!(reason(world.auth().send_code(request.clone()).await), "UNAVAILABLE");
    let code = world.mailbox.last_code(PHONE);
    assert_eq!(reason(world.auth().register_member(register(PHONE, &code)).await), "CODE_WRONG", "it is void");
    world.mailbox.set_deaf(false);
    let reply = world.auth().send_code(request).await.expect("sends").into_inner();
    assert_eq!(reply.expire_time.expect("a time").seconds - testkit::START.as_second(), 15 * 60);
    assert_eq!(world.mailbox.codes(PHONE), std::slice::from_ref(&code), "it is the same message");
    world.auth().register_member(register(PHONE, &code)).await.expect("registers");
}

#[tokio::test]
async fn a_phone_that_is_none_is_refused() {
    let world = world().await;
    for bad in ["13800138000", "+0013800138000", "+86 1380013800", "+86138001380００"] {
        assert_eq!(field(world.auth().send_code(send_code(bad)).await), "phone", "{bad}");
    }
    let request = proto::membership::v1::SendCodeRequest { request_id: "no".to_owned(), ..send_code(PHONE) };
    assert_eq!(field(world.auth().send_code(request).await), "request_id");
}
