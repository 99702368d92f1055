//! Who sees what of a group.

use kernel::ids::MemberId;
use proto::{access::Role, booking::v1 as pb};
use testkit::with_token;
use tonic::{Code, Status};

use super::{cancel, get, guests, hold, send};
use crate::world::{World, at, member, reason};

async fn list(world: &World, token: &str, customer: Option<MemberId>) -> Result<Vec<String>, Status> {
    let customer = customer.map(MemberId::name).unwrap_or_default();
    let mut request = pb::ListGroupsRequest { customer, page_size: 1, ..pb::ListGroupsRequest::default() };
    let mut names = Vec::new();
    loop {
        let page = world.groups().list_groups(with_token(request.clone(), token)).await?.into_inner();
        names.extend(page.groups.into_iter().map(|group| group.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(names);
        }
    }
}

#[tokio::test]
async fn organiser_and_guests_see_a_group_and_nobody_else() {
    let world = World::new(2, 2).await;
    let ((organiser, token), (friend, friends), (_, strangers)) = (member(), member(), member());
    let mut two = guests(&world, 2);
    two[1].customer = friend.name();
    let request = pb::HoldGroupRequest { payer: pb::booking_group::Payer::Split.into(), ..hold(&world, two, at(2)) };
    let held = send(&world, &token, request).await.expect("held");
    world.clock.advance(std::time::Duration::from_secs(1));
    let other = send(&world, &token, hold(&world, guests(&world, 2), at(5))).await.expect("held");

    let whole = get(&world, &token, &held.name).await.expect("his group");
    assert_eq!((whole.bookings.len(), whole.shares.len()), (2, 2));
    let seen = get(&world, &friends, &held.name).await.expect("he comes along");
    assert_eq!(seen.bookings[1], whole.bookings[1]);
    let others = &seen.bookings[0];
    assert_eq!(
        (&others.item, &others.start_time, &others.room),
        (&held.bookings[0].item, &held.start_time, &held.bookings[0].room)
    );
    assert!(others.customer.is_empty() && others.order.is_empty() && others.history.is_empty());
    assert_eq!((&others.price, &others.deposit, &others.list_price), (&None, &None, &None));
    let payers: Vec<_> = seen.shares.iter().map(|share| share.payer.clone()).collect();
    assert_eq!(payers, [friend.name()]);
    assert_eq!(get(&world, &strangers, &held.name).await.expect_err("hidden").code(), Code::NotFound);

    assert_eq!(list(&world, &token, None).await.expect("both"), [other.name.clone(), held.name.clone()]);
    assert_eq!(list(&world, &friends, None).await.expect("one"), std::slice::from_ref(&held.name));
    assert!(list(&world, &strangers, None).await.expect("none").is_empty());
    assert_eq!(list(&world, &friends, Some(organiser)).await.expect_err("hidden").code(), Code::NotFound);
    let refused = cancel(&world, &friends, &held.name).await.expect_err("a guest");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "NOT_ORGANISER"));
    assert_eq!(cancel(&world, &strangers, &held.name).await.expect_err("hidden").code(), Code::NotFound);
}

#[tokio::test]
async fn staff_reach_the_groups_of_their_store() {
    let world = World::new(2, 2).await;
    let (organiser, token) = member();
    let held = send(&world, &token, hold(&world, guests(&world, 2), at(2))).await.expect("held");
    let desk = world.staff(Role::FrontDesk);
    assert_eq!(list(&world, &desk, None).await.expect("his store's"), std::slice::from_ref(&held.name));
    assert_eq!(list(&world, &desk, Some(organiser)).await.expect("his store's"), std::slice::from_ref(&held.name));
    assert_eq!(get(&world, &desk, &held.name).await.expect("his store's").shares.len(), 1);
    let elsewhere = kernel::ids::StoreId::new(testkit::START);
    let other =
        testkit::keys().staff_token(kernel::ids::StaffId::new(testkit::START), [Role::FrontDesk], Some(elsewhere));
    assert_eq!(get(&world, &other, &held.name).await.expect_err("another store's").code(), Code::PermissionDenied);
    assert!(list(&world, &other, None).await.expect("his own store's").is_empty());
    cancel(&world, &desk, &held.name).await.expect("given up");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'booking.cancel_group'").await, 1);
}
