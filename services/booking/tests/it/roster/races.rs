//! Edits of the roster against bookings, at once: whoever comes first has it, and nobody hears anything else.

use std::time::Duration;

use jiff::SignedDuration;
use tonic::Code;

use crate::world::{World, at, member, reason};

const ROUNDS: i64 = 100;

/// The edit is sent a little later in each round, so that it meets the hold at every stage. A hold takes a few steps and
/// the edit one, so sent together the edit would nearly always come first.
async fn later<F: Future>(round: i64, edit: F) -> F::Output {
    tokio::time::sleep(Duration::from_millis(u64::try_from(round % 20).expect("small"))).await;
    edit.await
}

/// A hold and the deletion of the shift that it needs: one of them is refused, whichever it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_the_deletion_of_its_shift() {
    let world = World::new(0, 1).await;
    let lin = world.create_therapist("Lin", "thai").await.name;
    let mut held_first = 0;
    for round in 0..ROUNDS {
        let start = at(24 * (1 + round % 90));
        let shift = world.create_shift(&lin, start, start + SignedDuration::from_hours(8)).await.expect("a shift");
        let (_, token) = member();
        let hold = world.send_hold(&token, world.hold_with(&lin, start + SignedDuration::from_hours(1)));
        let delete = later(round, world.delete_shift(&shift.name, &shift.etag));
        let (held, deleted) = tokio::join!(hold, delete);
        match (held, deleted) {
            (Ok(booking), Err(refused)) => {
                assert_eq!(super::stranded(&refused), std::slice::from_ref(&booking.name), "round {round}");
                held_first += 1;
                assert_eq!(world.uncovered().await, 0, "round {round}");
                world.cancel(&token, &booking.name).await.expect("cancelled");
                world.delete_shift(&shift.name, "").await.expect("deleted");
            }
            (Err(refused), Ok(())) => {
                assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_ON_SHIFT"));
            }
            both => panic!("round {round}: {both:?}"),
        }
    }
    println!("the hold came first in {held_first} of {ROUNDS} rounds");
    assert_eq!((world.uncovered().await, world.overlaps().await), (0, 0));
}

/// A hold and the approval of time off over it.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_and_the_approval_of_time_off() {
    let world = World::new(1, 1).await;
    let lin = world.therapists[0].clone();
    let (manager, mut held_first) = (world.manager(), 0);
    for round in 0..ROUNDS {
        let wish = world.request_time_off(&manager, &lin, (at(24), at(36))).await.expect("asked");
        let (_, token) = member();
        let hold = world.send_hold(&token, world.hold_with(&lin, at(26)));
        let (held, approved) = tokio::join!(hold, later(round, world.approve(&wish.name)));
        match (held, approved) {
            (Ok(booking), Err(refused)) => {
                assert_eq!(super::stranded(&refused), std::slice::from_ref(&booking.name), "round {round}");
                held_first += 1;
                world.cancel(&token, &booking.name).await.expect("cancelled");
            }
            (Err(refused), Ok(_)) => {
                assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "SLOT_TAKEN"));
            }
            both => panic!("round {round}: {both:?}"),
        }
        assert_eq!(world.overlaps().await, 0, "round {round}");
        world.withdraw(&manager, &wish.name).await.expect("withdrawn");
    }
    println!("the hold came first in {held_first} of {ROUNDS} rounds");
    assert_eq!(world.uncovered().await, 0);
}
