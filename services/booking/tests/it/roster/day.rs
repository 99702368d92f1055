//! The board of a store.

use proto::{access::Role, booking::v1 as pb};
use testkit::with_token;
use tonic::Code;

use super::{day, hours, weekly};
use crate::world::{World, at, member};

#[tokio::test]
async fn the_board_shows_who_works_what_is_blocked_and_every_visit() {
    let world = World::new(1, 2).await;
    let (lin, _) = world.with_pattern(weekly(1..=7, &hours(600, 1_080, &[(780, 840)]))).await;
    let (customer, token) = member();
    let visit = world.send_hold(&token, world.hold_with(&lin, at(24))).await.expect("held");
    let gone = world.send_hold(&token, world.hold_with(&lin, at(26))).await.expect("held");
    world.cancel(&token, &gone.name).await.expect("cancelled");
    world.create_block(&world.rooms[1], at(26), at(60)).await.expect("blocked");
    let get = pb::GetDayRequest { store: world.store.clone(), date: day(1) };
    let desk = world.staff(Role::FrontDesk);
    let board = world.roster().get_day(with_token(get.clone(), &desk)).await.expect("a board").into_inner();
    assert_eq!((board.time_zone.as_str(), board.openings.len(), board.place_blocks.len()), ("Asia/Shanghai", 1, 1));
    let names: Vec<_> = board.therapists.iter().map(|it| it.display_name.as_str()).collect();
    assert_eq!(names, ["Lin", "therapist 00"]);
    let of = &board.therapists[0];
    assert_eq!((of.therapist.as_str(), of.shifts.len(), of.blocks.len(), of.visits.len()), (lin.as_str(), 1, 1, 1));
    let shown = &of.visits[0];
    assert_eq!((&shown.booking, &shown.customer, shown.requested), (&visit.name, &customer.name(), true));
    assert_eq!((shown.start_time, shown.room_display_name.as_str()), (visit.start_time, "room 00"));
    let refused = world.roster().get_day(with_token(get, &token)).await.expect_err("a member");
    assert_eq!(refused.code(), Code::PermissionDenied);
}
