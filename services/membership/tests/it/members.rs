//! Reading members.

use kernel::ids::StoreId;
use proto::{
    access::Role,
    membership::v1::{GetContactRequest, ListMembersRequest, ListPointsEntriesRequest},
};

use crate::world::*;

const MASKED: &str = "**********8000";

fn list(phone: &str, page_size: i32, page_token: &str) -> ListMembersRequest {
    ListMembersRequest { phone: phone.to_owned(), page_size, page_token: page_token.to_owned() }
}

#[tokio::test]
async fn a_member_reads_himself_and_nobody_else() {
    let world = world().await;
    let me = world.register(PHONE).await;
    let other = world.member(&phone(1)).await;
    assert_eq!(world.get(&me.subject, &me.access_token).await.map(|member| member.phone).ok(), Some(PHONE.to_owned()));
    let nobody = kernel::ids::MemberId::new(testkit::START);
    let hidden = world.get(&other.name(), &me.access_token).await.expect_err("is hidden");
    let missing = world.get(&nobody.name(), &me.access_token).await.expect_err("is missing");
    assert_eq!((hidden.code(), hidden.message()), (missing.code(), missing.message()));
    assert_eq!(hidden.code(), tonic::Code::NotFound);
    let entries = ListPointsEntriesRequest { member: other.name(), ..ListPointsEntriesRequest::default() };
    let refused = world.members().list_points_entries(with(entries, &me.access_token)).await;
    assert_eq!(refused.err().map(|status| status.code()), Some(tonic::Code::NotFound));
    let all = world.members().list_members(with(list("", 0, ""), &me.access_token)).await;
    assert_eq!(reason(all), "ROLE_NOT_ALLOWED");
    let contact = GetContactRequest { member: me.subject.clone() };
    assert_eq!(reason(world.members().get_contact(with(contact, &me.access_token)).await), "ROLE_NOT_ALLOWED");
}

#[tokio::test]
async fn staff_see_a_masked_phone_and_are_recorded() {
    let world = world().await;
    let id = world.member(PHONE).await;
    let desk = world.staff_token(Role::FrontDesk, Some(StoreId::from_uuid(kernel::Uuid::from_u128(3))));
    let seen = world.get(&id.name(), &desk).await.expect("reads");
    assert_eq!((seen.phone.as_str(), seen.display_name.as_str()), (MASKED, NAME));
    let found = world.members().list_members(with(list(PHONE, 0, ""), &desk)).await.expect("finds").into_inner();
    assert_eq!(found.members.len(), 1);
    assert_eq!(found.members[0].phone, MASKED);
    let none = world.members().list_members(with(list(&phone(9), 0, ""), &desk)).await.expect("finds").into_inner();
    assert!(none.members.is_empty());
    let entries = ListPointsEntriesRequest { member: id.name(), ..ListPointsEntriesRequest::default() };
    world.members().list_points_entries(with(entries, &desk)).await.expect("reads");
    for (query, times) in [
        ("select count(*) from audit_entry where action = 'member.read'", 1),
        ("select count(*) from audit_entry where action = 'member.list'", 2),
        ("select count(*) from audit_entry where action = 'member.points.read'", 1),
    ] {
        assert_eq!(world.count(query).await, times, "{query}");
    }
    while membership::worker::seal_audit(&world.app).await.expect("seals") > 0 {}
    let verdict = pg::audit::verify(&mut world.db.pg.conn().await.expect("a connection")).await.expect("verifies");
    assert!(matches!(verdict, pg::audit::Verdict::Intact { .. }), "{verdict:?}");
    assert_eq!(field(world.get("members/me", &desk).await), "name");
    assert_eq!(field(world.get("stores/1", &desk).await), "name");
}

#[tokio::test]
async fn services_get_the_contact_and_a_masked_member() {
    let world = world().await;
    let id = world.member(PHONE).await;
    let token = testkit::keys().service_token("marketing");
    let contact = GetContactRequest { member: id.name() };
    let contact = world.members().get_contact(with(contact, &token)).await.expect("reads").into_inner();
    assert_eq!((contact.phone.as_str(), contact.display_name.as_str()), (PHONE, NAME));
    assert_eq!(world.look(id).await.phone, MASKED);
    assert_eq!(world.count("select count(*) from audit_entry").await, 0);
    let nobody = GetContactRequest { member: kernel::ids::MemberId::new(testkit::START).name() };
    let refused = world.members().get_contact(with(nobody, &token)).await;
    assert_eq!(refused.err().map(|status| status.code()), Some(tonic::Code::NotFound));
}

#[tokio::test]
async fn all_members_are_listed_newest_first() {
    let world = world().await;
    let mut all = Vec::new();
    for n in 0..7 {
        all.push((n / 2, world.member(&phone(n)).await.name()));
        if n % 2 == 1 {
            world.minutes(1);
        }
    }
    // Those of one instant come by their ids.
    all.sort();
    all.reverse();
    let all: Vec<String> = all.into_iter().map(|(_, name)| name).collect();
    let token = world.staff_token(Role::Support, None);
    let (mut listed, mut next) = (Vec::new(), String::new());
    loop {
        let page = world.members().list_members(with(list("", 3, &next), &token)).await.expect("lists").into_inner();
        assert!(page.members.len() <= 3);
        listed.extend(page.members.into_iter().map(|member| member.name));
        next = page.next_page_token;
        if next.is_empty() {
            break;
        }
    }
    assert_eq!(listed, all);
}

#[tokio::test]
async fn bad_pages_are_refused() {
    let world = world().await;
    for n in 0..3 {
        world.member(&phone(n)).await;
    }
    let token = world.staff_token(Role::Support, None);
    for size in [-1, 1_001, i32::MAX] {
        assert_eq!(field(world.members().list_members(with(list("", size, ""), &token)).await), "page_size");
    }
    let page = world.members().list_members(with(list("", 1, ""), &token)).await.expect("lists").into_inner();
    for request in [list(PHONE, 1, &page.next_page_token), list("", 1, "nonsense")] {
        assert_eq!(field(world.members().list_members(with(request, &token)).await), "page_token");
    }
    assert_eq!(field(world.members().list_members(with(list("123", 1, ""), &token)).await), "phone");
}

#[tokio::test]
async fn an_erased_member_is_nobody() {
    let world = world().await;
    let id = world.member(PHONE).await;
    let mut tx = world.db.pg.begin().await.expect("begins");
    pg::vault::shred(&mut tx, id.uuid()).await.expect("shreds");
    tx.commit().await.expect("commits");
    let member = world.look(id).await;
    assert_eq!((member.phone.as_str(), member.display_name.as_str()), ("", ""));
    let token = testkit::keys().service_token("marketing");
    let refused = world.members().get_contact(with(GetContactRequest { member: id.name() }, &token)).await;
    assert_eq!(reason(refused), "PERSONAL_DATA_SHREDDED");
}
