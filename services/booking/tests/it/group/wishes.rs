//! Guests who each wish for somebody: by name, sex, grade or language, as one who comes alone may.

use proto::booking::v1::{self as pb, Sex};

use super::{guests, hold, search, search::offered_is_holdable, send};
use crate::world::{World, at, field, member, reason};

/// Four therapists, of whom each has something that no other has.
async fn world() -> World {
    let world = World::new(4, 5).await;
    let different = [
        pb::Therapist { sex: Sex::Male.into(), ..pb::Therapist::default() },
        pb::Therapist { grade: 5, ..pb::Therapist::default() },
        pb::Therapist { languages: vec!["en".to_owned()], ..pb::Therapist::default() },
        pb::Therapist { sex: Sex::Female.into(), ..pb::Therapist::default() },
    ];
    let paths: [&[&str]; 4] = [&["sex"], &["grade"], &["languages"], &["sex"]];
    for ((name, therapist), paths) in world.therapists.iter().zip(different).zip(paths) {
        world.update_therapist(pb::Therapist { name: name.clone(), ..therapist }, paths).await.expect("changed");
    }
    world
}

/// Four guests whose wishes only one each can serve, in another order than the therapists.
fn four(world: &World) -> Vec<pb::GroupGuest> {
    let mut four = guests(world, 4);
    four[0].language = "en".to_owned();
    four[1].therapist.clone_from(&world.therapists[3]);
    four[2].set_sex(Sex::Male);
    four[3].min_grade = 4;
    four
}

#[tokio::test]
async fn each_gets_who_is_as_he_wished() {
    let world = world().await;
    let expected = [2, 3, 0, 1].map(|n| world.therapists[n].clone());
    let times = search(&world, four(&world), 0, (at(2), at(3)), 50).await;
    let shown: Vec<_> = times[0].guests.iter().map(|slot| slot.therapist.clone()).collect();
    assert_eq!(shown, expected);
    assert!(times[0].guests.iter().zip(&expected).all(|(slot, only)| slot.therapists == std::slice::from_ref(only)));
    let held = send(&world, &member().1, hold(&world, four(&world), at(2))).await.expect("held");
    let kept: Vec<_> = held.bookings.iter().map(|booking| booking.therapist.clone()).collect();
    assert_eq!(kept, expected);
    assert_eq!(held.bookings.iter().map(|booking| booking.requested).collect::<Vec<_>>(), [false, true, false, false]);
    // Each stands for itself: what one wished for stays his when his visit goes to another time.
    let wishes = world.count("select count(*) from booking where wish_sex is not null").await
        + world.count("select count(*) from booking where wish_min_grade is not null").await
        + world.count("select count(*) from booking where wish_language is not null").await;
    assert_eq!(wishes, 3);
}

#[tokio::test]
async fn what_is_offered_to_guests_with_wishes_can_be_held() {
    let world = world().await;
    for minute in [60, 200] {
        let busy = pb::HoldSlotRequest {
            therapist: world.therapists[2].clone(),
            ..world.hold(crate::world::at_minute(minute))
        };
        world.send_hold(&member().1, busy).await.expect("held");
    }
    offered_is_holdable(&world, four(&world), 0).await;
    offered_is_holdable(&world, four(&world), 30).await;
}

#[tokio::test]
async fn a_wish_that_nobody_serves_is_told_by_the_guest_whose_it_is() {
    let world = world().await;
    let refusals = [
        (pb::GroupGuest { min_grade: 6, ..four(&world)[3].clone() }, "guests[3].min_grade"),
        (pb::GroupGuest { language: "x".repeat(36), ..four(&world)[3].clone() }, "guests[3].language"),
        (pb::GroupGuest { therapist: "Lin".to_owned(), ..four(&world)[3].clone() }, "guests[3].therapist"),
    ];
    for (guest, named) in refusals {
        let mut all = four(&world);
        all[3] = guest;
        let refused = send(&world, &member().1, hold(&world, all, at(2))).await.expect_err(named);
        assert_eq!(field(&refused), named);
    }
    // Two want the only one.
    let mut both = four(&world);
    both[1] = both[2].clone();
    let refused = send(&world, &member().1, hold(&world, both.clone(), at(2))).await.expect_err("there is one");
    assert_eq!(reason(&refused), "SLOT_TAKEN");
    let request = pb::HoldGroupRequest { within_minutes: 60, ..hold(&world, both, at(2)) };
    let held = send(&world, &member().1, request).await.expect("one after the other");
    assert_eq!(held.bookings[1].therapist, held.bookings[2].therapist);
}
