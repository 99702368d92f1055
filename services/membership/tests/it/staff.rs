//! Accounts of people who work for the chain.

use std::collections::HashSet;

use kernel::ids::{StaffId, StoreId};
use membership::flows::bootstrap_staff;
use proto::{
    access::{Role, v1 as access},
    membership::v1::{CreateStaffRequest, GetStaffRequest, ListStaffRequest},
};

use crate::world::*;

fn store(n: u128) -> StoreId {
    StoreId::from_uuid(kernel::Uuid::from_u128(n))
}

fn create(user_name: &str, role: access::Role, store: Option<StoreId>) -> CreateStaffRequest {
    CreateStaffRequest {
        user_name: user_name.to_owned(),
        display_name: "Li Wei 李伟".to_owned(),
        password: PASSWORD.to_owned(),
        roles: vec![role.into()],
        store: store.map(StoreId::name).unwrap_or_default(),
        request_id: request_id(),
    }
}

#[tokio::test]
async fn an_administrator_opens_accounts() {
    let world = world().await;
    let admin = world.staff_token(Role::Administrator, None);
    let request = create("li.wei", access::Role::StoreManager, Some(store(1)));
    let made = world.staff().create_staff(with(request.clone(), &admin)).await.expect("opens").into_inner();
    assert_eq!((made.user_name.as_str(), made.store.clone()), ("li.wei", store(1).name()));
    assert_eq!(made.roles, [i32::from(access::Role::StoreManager)]);
    let again = world.staff().create_staff(with(request.clone(), &admin)).await.expect("answers").into_inner();
    assert_eq!(again, made);
    let other = world.staff_token(Role::Administrator, None);
    let refused = world.staff().create_staff(with(request, &other)).await;
    assert_eq!(reason(refused), "USER_NAME_TAKEN", "request ids are each caller's own");

    let taken = create("li.wei", access::Role::Support, None);
    assert_eq!(reason(world.staff().create_staff(with(taken, &admin)).await), "USER_NAME_TAKEN");
    let signed_in = world.auth().sign_in_staff(sign_in_staff("li.wei", PASSWORD)).await.expect("signs in").into_inner();
    assert_eq!(signed_in.subject, made.name);
    let manager = signed_in.access_token;
    let read = world.staff().get_staff(with(GetStaffRequest { name: made.name.clone() }, &manager)).await;
    assert_eq!(read.expect("reads").into_inner(), made);
    let refused = world.staff().create_staff(with(create("eve", access::Role::Administrator, None), &manager)).await;
    assert_eq!(reason(refused), "ROLE_NOT_ALLOWED");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'staff.create'").await, 1);
}

#[tokio::test]
async fn a_hundred_twins_open_one_account() {
    let world = world().await;
    let admin = world.staff_token(Role::Administrator, None);
    let request = create("li.wei", access::Role::Support, None);
    let twins: Vec<_> = (0..100)
        .map(|_| {
            let (mut client, request) = (world.staff(), with(request.clone(), &admin));
            tokio::spawn(async move { bytes(client.create_staff(request).await.expect("opens").get_ref()) })
        })
        .collect();
    let mut answers = HashSet::new();
    for twin in twins {
        answers.insert(twin.await.expect("ends"));
    }
    assert_eq!((answers.len(), world.count("select count(*) from staff").await), (1, 1));
    let mut other = request;
    other.password = "another long password".to_owned();
    assert_eq!(reason(world.staff().create_staff(with(other, &admin)).await), "REQUEST_ID_REUSED");
}

#[tokio::test]
async fn bad_accounts_are_refused() {
    let world = world().await;
    let admin = world.staff_token(Role::Administrator, None);
    for (request, at) in [
        (create("Li Wei", access::Role::Support, None), "user_name"),
        (create("li.wei", access::Role::Member, None), "roles"),
        (create("li.wei", access::Role::Service, None), "roles"),
        (create("li.wei", access::Role::Partner, None), "roles"),
        (create("li.wei", access::Role::Therapist, None), "store"),
        (create("li.wei", access::Role::FrontDesk, None), "store"),
        (create("li.wei", access::Role::StoreManager, None), "store"),
    ] {
        assert_eq!(field(world.staff().create_staff(with(request, &admin)).await), at);
    }
    let mut short = create("li.wei", access::Role::Support, None);
    short.password = "short".to_owned();
    assert_eq!(field(world.staff().create_staff(with(short, &admin)).await), "password");
    assert_eq!(world.count("select count(*) from staff").await, 0);
}

#[tokio::test]
async fn the_answer_is_the_same_for_a_wrong_password_and_an_unknown_name() {
    let world = world().await;
    world.bootstrap("boss", &[Role::Administrator], None).await;
    let wrong = world.auth().sign_in_staff(sign_in_staff("boss", "wrong")).await.expect_err("is wrong");
    let unknown = world.auth().sign_in_staff(sign_in_staff("nobody", PASSWORD)).await.expect_err("is unknown");
    assert_eq!((wrong.code(), wrong.message()), (unknown.code(), unknown.message()));
    assert_eq!(reason::<()>(Err(wrong)), "SIGN_IN_FAILED");
}

#[tokio::test]
async fn ten_failures_close_the_door_for_a_quarter_of_an_hour() {
    let world = world().await;
    world.bootstrap("boss", &[Role::Administrator], None).await;
    for name in ["boss", "nobody"] {
        for _ in 0..10 {
            let answer = world.auth().sign_in_staff(sign_in_staff(name, "wrong")).await;
            assert_eq!(reason(answer), "SIGN_IN_FAILED");
        }
        assert_eq!(reason(world.auth().sign_in_staff(sign_in_staff(name, PASSWORD)).await), "TOO_MANY_TRIES");
    }
    world.minutes(15);
    world.auth().sign_in_staff(sign_in_staff("boss", PASSWORD)).await.expect("the door is open");
    assert_eq!(world.count("select count(*) from sign_in_failure").await, 10, "only those of the other name");
}

#[tokio::test]
async fn passwords_tried_at_once_are_all_counted() {
    let world = world().await;
    world.bootstrap("boss", &[Role::Administrator], None).await;
    let tries: Vec<_> = (0..25)
        .map(|n| {
            let (mut auth, request) = (world.auth(), sign_in_staff("boss", &format!("guess {n}")));
            tokio::spawn(async move { reason(auth.sign_in_staff(request).await) })
        })
        .collect();
    let mut told = 0;
    for attempt in tries {
        match attempt.await.expect("ends").as_str() {
            "SIGN_IN_FAILED" => told += 1,
            other => assert_eq!(other, "TOO_MANY_TRIES"),
        }
    }
    assert_eq!(told, 10);
}

#[tokio::test]
async fn a_repeated_sign_in_gets_the_same_tokens() {
    let world = world().await;
    world.bootstrap("boss", &[Role::Administrator], None).await;
    let request = sign_in_staff("boss", PASSWORD);
    let first = world.auth().sign_in_staff(request.clone()).await.expect("signs in").into_inner();
    let again = world.auth().sign_in_staff(request).await.expect("signs in").into_inner();
    assert_eq!(first, again);
    assert_eq!(world.count("select count(*) from session").await, 1);
}

#[tokio::test]
async fn who_works_for_one_store_sees_that_store_s_people() {
    let world = world().await;
    let here = world.bootstrap("anna", &[Role::Therapist], Some(store(1))).await;
    let there = world.bootstrap("berta", &[Role::Therapist], Some(store(2))).await;
    let chain = world.bootstrap("clara", &[Role::Finance], None).await;
    let manager = world.staff_token(Role::StoreManager, Some(store(1)));
    let auditor = world.staff_token(Role::Auditor, None);
    let get = |id: StaffId, token: &str| {
        let (mut client, request) = (world.staff(), with(GetStaffRequest { name: id.name() }, token));
        async move { reason(client.get_staff(request).await) }
    };
    assert_eq!(get(here, &manager).await, "OK");
    assert_eq!(get(there, &manager).await, "OTHER_STORE");
    assert_eq!(get(chain, &manager).await, "OTHER_STORE");
    assert_eq!(get(there, &auditor).await, "OK");
    assert_eq!(get(StaffId::new(testkit::START), &auditor).await, "NOT_FOUND");

    let page = |size, token: &str| ListStaffRequest { page_size: size, page_token: token.to_owned() };
    let list = world.staff().list_staff(with(page(0, ""), &manager)).await.expect("lists").into_inner();
    assert_eq!(list.staff.iter().map(|staff| staff.user_name.as_str()).collect::<Vec<_>>(), ["anna"]);
    let first = world.staff().list_staff(with(page(2, ""), &auditor)).await.expect("lists").into_inner();
    assert_eq!(first.staff.iter().map(|staff| staff.user_name.as_str()).collect::<Vec<_>>(), ["anna", "berta"]);
    let next = first.next_page_token;
    let second = world.staff().list_staff(with(page(2, &next), &auditor)).await.expect("lists").into_inner();
    assert_eq!(second.staff.iter().map(|staff| staff.name.clone()).collect::<Vec<_>>(), [chain.name()]);
    assert_eq!(field(world.staff().list_staff(with(page(2, &next), &manager)).await), "page_token");
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let world = world().await;
    let new = || new_staff("boss", &[Role::Administrator], None);
    let (a, b) = tokio::join!(bootstrap_staff(&world.app, new()), bootstrap_staff(&world.app, new()));
    let first = a.expect("opens");
    assert_eq!(b.expect("finds"), first);
    assert_eq!(world.bootstrap("boss", &[Role::Administrator], None).await, first);
    assert_eq!(world.count("select count(*) from audit_entry where action = 'staff.bootstrap'").await, 1);
    assert!(bootstrap_staff(&world.app, new_staff("x", &[Role::Administrator], None)).await.is_err());
}
