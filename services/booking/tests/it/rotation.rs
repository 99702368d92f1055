//! Turn lists and credited work: what visits, shifts and the front desk make of them.

use std::collections::HashMap;

use booking::{
    db,
    domain::{
        assignment::{
            Candidate, Context, rank,
            rotation::{Cause, Entry, Rotation},
        },
        policy::AssignmentPolicy,
        span::Span,
    },
    flows::assignment::{self, Given},
};
use futures_util::future::join_all;
use jiff::SignedDuration;
use kernel::{
    Clock, Timestamp,
    ids::{BookingId, MemberId, StoreId, TherapistId},
};
use pg::PgConnection;
use proto::{
    access::Role,
    booking::v1::{self as pb, therapist_preference::Liking},
};
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::world::{World, at, field, id, member, reason};

const ROTATION: AssignmentPolicy = AssignmentPolicy::Rotation;
const FAIRNESS: AssignmentPolicy = AssignmentPolicy::WeightedFairness;

/// A world whose store goes by `policy`, an hour after its first opening.
async fn world(therapists: usize, policy: AssignmentPolicy) -> World {
    let world = World::new(therapists, therapists).await;
    sqlx::query("insert into store_policy (store_id, assignment) values ($1, $2)")
        .bind(store(&world).uuid())
        .bind(policy.as_str())
        .execute(world.app.pg.pool())
        .await
        .expect("a policy");
    world.clock.set(at(1));
    booking::worker::follow_shifts(&world.app).await.expect("followed");
    world
}

fn store(world: &World) -> StoreId {
    StoreId::parse_name("store", &world.store).expect("a store")
}

fn therapist(world: &World, n: usize) -> TherapistId {
    TherapistId::parse_name("therapist", &world.therapists[n]).expect("a therapist")
}

/// Bookings of different customers that do not begin before the fourth hour, as many as asked for. Each asks for a
/// therapist, so that none has counted as a turn.
async fn bookings(world: &World, count: usize) -> Vec<BookingId> {
    let (mut made, mut hour) = (Vec::new(), 4);
    while made.len() < count {
        let slots = world.therapists.len().min(count - made.len());
        for therapist in &world.therapists[..slots] {
            let hold = pb::HoldSlotRequest { therapist: therapist.clone(), ..world.hold(at(hour)) };
            let held = world.send_hold(&member().1, hold).await.expect("held");
            made.push(BookingId::parse_name("booking", &held.name).expect("a booking"));
        }
        hour += 2;
        if hour > 10 && hour < 24 {
            hour = 24;
        }
    }
    made
}

/// Everybody of the store is free.
fn first(world: &World, policy: AssignmentPolicy, context: &Context) -> TherapistId {
    let candidates: Vec<_> = (0..world.therapists.len())
        .map(|n| Candidate { therapist: therapist(world, n), by_name: n, work: 0, on: &[], busy: &[], kept: &[] })
        .collect();
    rank(policy, context, &candidates)[0].therapist
}

/// Gives a visit as a hold does: planned before, settled and counted in the transaction.
async fn give(world: &World, policy: AssignmentPolicy, booking: BookingId, minutes: i32) -> TherapistId {
    let (store, now) = (store(world), world.clock.now());
    let planned = {
        let mut conn = world.app.pg.conn().await.expect("a connection");
        assignment::context(&mut conn, store, policy, None, now).await.expect("a context")
    };
    let mut tx = world.app.pg.begin().await.expect("a transaction");
    let settled = assignment::settle(&mut tx, store, policy, &planned, now).await.expect("settled");
    let therapist = first(world, policy, settled.as_ref().unwrap_or(&planned));
    let given = Given { booking, therapist, requested: false, minutes };
    assignment::record(&mut tx, store, policy, given, now).await.expect("recorded");
    tx.commit().await.expect("committed");
    therapist
}

async fn give_requested(world: &World, policy: AssignmentPolicy, booking: BookingId, therapist: TherapistId) {
    let mut tx = world.app.pg.begin().await.expect("a transaction");
    let given = Given { booking, therapist, requested: true, minutes: 60 };
    assignment::record(&mut tx, store(world), policy, given, world.clock.now()).await.expect("recorded");
    tx.commit().await.expect("committed");
}

async fn list(world: &World) -> Rotation {
    db::rotation::get(&mut world.app.pg.conn().await.expect("a connection"), store(world)).await.expect("a list")
}

/// The log from its beginning.
async fn log(world: &World) -> Vec<Entry> {
    let mut conn: sqlx::pool::PoolConnection<_> = world.app.pg.conn().await.expect("a connection");
    let conn: &mut PgConnection = &mut conn;
    let mut entries = db::rotation::log(conn, store(world), None, 10_000).await.expect("a log");
    entries.reverse();
    entries
}

/// The list by the therapists' numbers.
async fn order(world: &World) -> Vec<usize> {
    let numbers: HashMap<_, _> = (0..world.therapists.len()).map(|n| (therapist(world, n), n)).collect();
    list(world).await.turns.iter().map(|turn| numbers[&turn.therapist]).collect()
}

/// Its log makes the list again, without a gap in the versions, and each version has one event.
async fn check_log(world: &World) {
    let (list, log) = (list(world).await, log(world).await);
    assert_eq!(Rotation::replay(log.iter().map(|entry| &entry.change)), list);
    assert!((1..).zip(&log).all(|(version, entry)| entry.version == version));
    let events: Vec<i64> = sqlx::query_scalar(
        "select aggregate_version from outbox where type = 'meridian.booking.v1.RotationChanged'
         order by aggregate_version",
    )
    .fetch_all(world.app.pg.pool())
    .await
    .expect("events");
    assert_eq!(events, log.iter().map(|entry| entry.version).collect::<Vec<_>>());
}

async fn desk(world: &World, deed: &str, n: usize, place: i32) -> Result<pb::Rotation, Status> {
    let token = world.staff(Role::FrontDesk);
    let (name, therapist) = (format!("{}/rotation", world.store), world.therapists[n].clone());
    let (reason, request_id) = ("as told".to_owned(), id());
    let mut client = world.rotations();
    macro_rules! send {
        ($rpc:ident, $request:ident $(, $place:ident)?) => {
            client.$rpc(with_token(pb::$request { name, therapist, reason, request_id $(, $place)? }, &token)).await
        };
    }
    let reply = match deed {
        "join" => send!(join_rotation, JoinRotationRequest),
        "leave" => send!(leave_rotation, LeaveRotationRequest),
        "skip" => send!(skip_turn, SkipTurnRequest),
        "resume" => send!(resume_turn, ResumeTurnRequest),
        "penalise" => send!(penalise_turn, PenaliseTurnRequest),
        _ => send!(move_turn, MoveTurnRequest, place),
    };
    reply.map(Response::into_inner)
}

async fn set_rules(world: &World, rules: pb::RotationRules) -> Result<pb::Rotation, Status> {
    let name = format!("{}/rotation", world.store);
    let request = pb::SetRotationRulesRequest { name, rules: Some(rules), request_id: id() };
    let token = world.staff(Role::StoreManager);
    world.rotations().set_rotation_rules(with_token(request, &token)).await.map(Response::into_inner)
}

async fn get(world: &World) -> pb::Rotation {
    let request = pb::GetRotationRequest { name: format!("{}/rotation", world.store) };
    world
        .rotations()
        .get_rotation(with_token(request, &world.staff(Role::Therapist)))
        .await
        .expect("a list")
        .into_inner()
}

#[tokio::test]
async fn therapists_join_with_their_shift_and_leave_with_it() {
    let world = World::new(2, 1).await;
    sqlx::query("insert into store_policy (store_id, assignment) values ($1, 'ROTATION')")
        .bind(store(&world).uuid())
        .execute(world.app.pg.pool())
        .await
        .expect("a policy");
    let follow = || async { booking::worker::follow_shifts(&world.app).await.expect("followed") };
    assert_eq!((follow().await, order(&world).await), (0, vec![]));
    world.clock.set(at(1));
    assert_eq!((follow().await, order(&world).await), (1, vec![0, 1]));
    assert_eq!(follow().await, 0);
    // Whoever was taken off in the middle of his shift stays off; whoever is on stays where he is.
    desk(&world, "leave", 0, 0).await.expect("taken off");
    assert_eq!((follow().await, order(&world).await), (0, vec![1]));
    world.clock.set(at(15));
    assert_eq!((follow().await, order(&world).await), (1, vec![]));
    // He came early: his shift does not put him behind those who come later, and takes him off when it ends.
    world.clock.set(at(23));
    desk(&world, "join", 1, 0).await.expect("put on");
    world.clock.set(at(24));
    assert_eq!((follow().await, order(&world).await), (1, vec![1, 0]));
    assert_eq!(log(&world).await.iter().filter(|entry| entry.change.cause == Cause::ShiftStart).count(), 1);
    world.clock.set(at(38));
    assert_eq!((follow().await, order(&world).await), (1, vec![]));
    check_log(&world).await;
}

#[tokio::test]
async fn thirty_two_at_once_get_each_turn_once() {
    let world = world(8, ROTATION).await;
    let bookings = bookings(&world, 32).await;
    let given = join_all(bookings.iter().map(|booking| give(&world, ROTATION, *booking, 60))).await;
    for n in 0..8 {
        assert_eq!(given.iter().filter(|one| **one == therapist(&world, n)).count(), 4, "{given:?}");
    }
    let turns: Vec<_> = log(&world).await.into_iter().filter(|entry| entry.change.cause == Cause::Turn).collect();
    assert_eq!(turns.len(), 32);
    for (index, entry) in turns.iter().enumerate() {
        assert_eq!(entry.change.therapist, therapist(&world, index % 8), "turn {index}");
        assert_eq!((entry.change.before, entry.change.after), (Some(1), Some(8)));
    }
    check_log(&world).await;
}

/// Through the API: nobody is busy at any of these times, so that each hold is the next one's turn.
#[tokio::test(flavor = "multi_thread")]
async fn holds_at_the_same_moment_take_one_turn_each() {
    let world = world(3, ROTATION).await;
    let holds = (0..9).map(|n| (n / 3 * 24 + 2 + n % 3 * 2, member().1));
    let holds = holds.map(|(hour, token)| {
        let world = &world;
        async move { world.send_hold(&token, world.hold(at(hour))).await.expect("held") }
    });
    let held = join_all(holds).await;
    let turns: Vec<_> = log(&world).await.into_iter().filter(|entry| entry.change.cause == Cause::Turn).collect();
    assert_eq!(turns.len(), 9);
    for (index, entry) in turns.iter().enumerate() {
        assert_eq!(entry.change.therapist, therapist(&world, index % 3), "turn {index}");
        let booking = held.iter().find(|held| entry.booking.is_some_and(|id| id.name() == held.name)).expect("held");
        assert_eq!(booking.therapist, entry.change.therapist.name());
        assert_eq!(booking.assignment, "ROTATION: turn 1 of 3");
    }
    check_log(&world).await;
}

#[tokio::test]
async fn a_requested_visit_leaves_the_turn_unless_the_store_says_otherwise() {
    let world = world(3, ROTATION).await;
    let bookings = bookings(&world, 2).await;
    give_requested(&world, ROTATION, bookings[0], therapist(&world, 0)).await;
    assert_eq!(order(&world).await, [0, 1, 2]);
    set_rules(&world, pb::RotationRules { requested_counts: true, ..pb::RotationRules::default() }).await.expect("set");
    give_requested(&world, ROTATION, bookings[1], therapist(&world, 0)).await;
    assert_eq!(order(&world).await, [1, 2, 0]);
    assert_eq!(log(&world).await.last().map(|entry| entry.change.cause), Some(Cause::Requested));
    check_log(&world).await;
}

#[tokio::test]
async fn a_visit_given_up_before_it_began_gives_the_turn_back() {
    let world = world(3, ROTATION).await;
    let bookings = bookings(&world, 3).await;
    for (n, booking) in bookings.iter().enumerate() {
        assert_eq!(give(&world, ROTATION, *booking, 60).await, therapist(&world, n));
    }
    assert_eq!(order(&world).await, [0, 1, 2]);
    world.cancel(&world.admin, &bookings[1].name()).await.expect("cancelled");
    assert_eq!(order(&world).await, [1, 0, 2]);
    // The holds of the others run out.
    world.clock.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(booking::worker::expire_bookings(&world.app).await.expect("expired"), 2);
    let mut front: Vec<_> = order(&world).await[..2].to_vec();
    front.sort_unstable();
    assert_eq!((front, order(&world).await[2]), (vec![0, 2], 1));
    let returned = |entry: &&Entry| entry.change.cause == Cause::TurnReturned && entry.change.after == Some(1);
    assert_eq!(log(&world).await.iter().filter(returned).count(), 3);
    assert_eq!(world.count("select count(*) from assignment_credit where not given_back").await, 0);
    check_log(&world).await;
}

#[tokio::test]
async fn the_desk_skips_penalises_and_moves_and_all_is_audited() {
    let world = world(4, ROTATION).await;
    let skipped = desk(&world, "skip", 0, 0).await.expect("skipped");
    assert_eq!(skipped.next, world.therapists[1]);
    assert_eq!(skipped.next_reason, "free; before: therapist 00 is skipped");
    let booking = bookings(&world, 1).await[0];
    assert_eq!(give(&world, ROTATION, booking, 60).await, therapist(&world, 1));
    assert_eq!(order(&world).await, [0, 2, 3, 1]);
    let resumed = desk(&world, "resume", 0, 0).await.expect("back");
    assert_eq!(
        (resumed.next.as_str(), resumed.next_reason.as_str()),
        (&*world.therapists[0], "first of the list and free")
    );
    desk(&world, "penalise", 0, 0).await.expect("to the end");
    assert_eq!(order(&world).await, [2, 3, 1, 0]);
    let turns = pb::rotation_rules::Refusal::Turns;
    let rules = pb::RotationRules { refusal: turns.into(), refusal_turns: 2, ..pb::RotationRules::default() };
    assert_eq!(set_rules(&world, rules).await.expect("set").rules, Some(rules));
    desk(&world, "penalise", 2, 0).await.expect("two turns");
    assert_eq!(order(&world).await, [3, 1, 2, 0]);
    let stay = pb::rotation_rules::Refusal::Stay;
    set_rules(&world, pb::RotationRules { refusal: stay.into(), ..pb::RotationRules::default() }).await.expect("set");
    desk(&world, "penalise", 3, 0).await.expect("noted");
    assert_eq!(order(&world).await, [3, 1, 2, 0]);
    desk(&world, "move", 0, 1).await.expect("moved");
    assert_eq!(order(&world).await, [0, 3, 1, 2]);
    check_log(&world).await;
    let audited = "select count(*) from audit_entry where action like 'rotation.%'";
    assert_eq!(world.count(audited).await, 8);
}

#[tokio::test]
async fn bad_requests_are_told_the_field_and_change_nothing() {
    let world = world(2, ROTATION).await;
    let before = get(&world).await;
    let refused = desk(&world, "join", 0, 0).await.expect_err("on it");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "ON_ROTATION"));
    for place in [0, 3, -1] {
        assert_eq!(field(&desk(&world, "move", 0, place).await.expect_err("no such place")), "place");
    }
    let turns = pb::rotation_rules::Refusal::Turns;
    let none = pb::RotationRules { refusal: turns.into(), ..pb::RotationRules::default() };
    assert_eq!(field(&set_rules(&world, none).await.expect_err("no turns")), "rules.refusal_turns");
    let unknown = pb::RotationRules { refusal: 9, ..pb::RotationRules::default() };
    assert_eq!(field(&set_rules(&world, unknown).await.expect_err("unknown")), "rules.refusal");
    let request = pb::GetRotationRequest { name: world.store.clone() };
    let token = world.staff(Role::FrontDesk);
    let refused = world.rotations().get_rotation(with_token(request, &token)).await.expect_err("not a list");
    assert_eq!(field(&refused), "name");
    let other = StoreId::new(testkit::START);
    let request = pb::GetRotationRequest { name: format!("{}/rotation", other.name()) };
    let refused = world.rotations().get_rotation(with_token(request, &token)).await.expect_err("another's");
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(get(&world).await, before);
}

#[tokio::test]
async fn a_repeated_request_has_one_effect_and_one_answer() {
    let world = world(2, ROTATION).await;
    let request = pb::PenaliseTurnRequest {
        name: format!("{}/rotation", world.store),
        therapist: world.therapists[0].clone(),
        reason: "refused".to_owned(),
        request_id: id(),
    };
    let token = world.staff(Role::FrontDesk);
    let send = || async {
        world.rotations().penalise_turn(with_token(request.clone(), &token)).await.expect("done").into_inner()
    };
    let replies = join_all((0..8).map(|_| send())).await;
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(log(&world).await.iter().filter(|entry| entry.change.cause == Cause::Refusal).count(), 1);
}

#[tokio::test]
async fn the_log_is_paged_and_nobody_rewrites_it() {
    let world = world(3, ROTATION).await;
    for n in [0, 1, 2, 0] {
        desk(&world, "move", n, 1).await.expect("moved");
    }
    let (mut versions, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = format!("{}/rotation", world.store);
        let request = pb::ListRotationLogRequest { parent, page_size: 2, page_token };
        let token = world.staff(Role::StoreManager);
        let page = world.rotations().list_rotation_log(with_token(request, &token)).await.expect("a page").into_inner();
        versions.extend(page.entries.iter().map(|entry| entry.version));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(versions, [7, 6, 5, 4, 3, 2, 1]);
    for sql in ["update rotation_log set reason = 'x'", "delete from rotation_log"] {
        sqlx::query(sql).execute(world.app.pg.pool()).await.expect_err("only added to");
    }
}

#[tokio::test]
async fn busy_therapists_are_shown_as_such_and_passed_over() {
    let world = world(2, ROTATION).await;
    let (_, token) = member();
    let mut request = world.hold(at(2));
    request.therapist = world.therapists[0].clone();
    world.send_hold(&token, request).await.expect("held");
    world.clock.set(at(2));
    let list = get(&world).await;
    assert_eq!(
        (list.next.as_str(), list.next_reason.as_str()),
        (&*world.therapists[1], "free; before: therapist 00 is busy")
    );
    let until = list.turns[0].busy_until_time.map(|time| time.seconds);
    assert_eq!(until, Some((at(2) + SignedDuration::from_hours(1)).as_second()));
}

#[tokio::test]
async fn credited_work_follows_the_weights_under_concurrency_and_is_given_back() {
    let world = world(3, FAIRNESS).await;
    for (n, weight) in [50, 100, 150].into_iter().enumerate() {
        sqlx::query("update therapist set weight = $2 where id = $1")
            .bind(therapist(&world, n).uuid())
            .bind(weight)
            .execute(world.app.pg.pool())
            .await
            .expect("a weight");
    }
    let bookings = bookings(&world, 18).await;
    let given = join_all(bookings.iter().map(|booking| give(&world, FAIRNESS, *booking, 60))).await;
    let counts = [0, 1, 2].map(|n| given.iter().filter(|one| **one == therapist(&world, n)).count());
    assert_eq!(counts, [3, 6, 9]);
    let ledger = || async {
        let mut conn = world.app.pg.conn().await.expect("a connection");
        db::fairness::get(&mut conn, store(&world)).await.expect("a ledger")
    };
    let before = ledger().await;
    world.cancel(&world.admin, &bookings[17].name()).await.expect("cancelled");
    let after = ledger().await;
    assert_eq!(after.version, before.version + 1);
    let minutes = 60 * booking::domain::assignment::fairness::PARTS / before.weight(given[17]);
    assert_eq!(before.virtual_times[&given[17]] - after.virtual_times[&given[17]], minutes);
}

#[tokio::test]
async fn history_favourites_and_avoided_come_from_the_chains_records() {
    let world = World::new(3, 3).await;
    let customer = MemberId::new(testkit::START);
    let token = testkit::keys().member_token(customer);
    let mut request = world.hold(at(1));
    request.therapist = world.therapists[2].clone();
    let held = world.send_hold(&token, request).await.expect("held");
    world.paid(&held, 3_200).await;
    sqlx::query("update booking set state = 'COMPLETED'").execute(world.app.pg.pool()).await.expect("completed");
    let now: Timestamp = at(24 * 10);
    let context = || async {
        let mut conn = world.app.pg.conn().await.expect("a connection");
        let mut context =
            assignment::context(&mut conn, store(&world), AssignmentPolicy::Preference, Some(customer), now)
                .await
                .expect("a context");
        let around = Span::new(0, 1);
        let taken = db::supply::taken(&mut conn, &[], &[], around, &[], Some(customer)).await.expect("a look");
        context.liking = taken.liking;
        context
    };
    assert_eq!(first(&world, AssignmentPolicy::Preference, &context().await), therapist(&world, 2));
    let visits = context().await.visits;
    assert_eq!(visits.get(&therapist(&world, 2)).map(|visits| (visits.lately, visits.count())), Some((1, 1)));
    let say = |n: usize, liking: Liking, token: String| {
        let preference = pb::TherapistPreference { therapist: world.therapists[n].clone(), liking: liking.into() };
        let parent = customer.name();
        let request = pb::SetTherapistPreferenceRequest { parent, preference: Some(preference), request_id: id() };
        let mut client = world.preferences();
        async move { client.set_therapist_preference(with_token(request, &token)).await.map(Response::into_inner) }
    };
    say(1, Liking::Favourite, token.clone()).await.expect("said");
    assert_eq!(first(&world, AssignmentPolicy::Preference, &context().await), therapist(&world, 1));
    say(1, Liking::Avoided, world.staff(Role::FrontDesk)).await.expect("said at the desk");
    assert_eq!(world.count("select count(*) from audit_entry where action = 'preference.set'").await, 1);
    say(2, Liking::Avoided, token.clone()).await.expect("said");
    assert_eq!(first(&world, AssignmentPolicy::Preference, &context().await), therapist(&world, 0));
    say(2, Liking::Unspecified, token.clone()).await.expect("taken back");
    assert_eq!(first(&world, AssignmentPolicy::Preference, &context().await), therapist(&world, 2));
    let request = pb::ListTherapistPreferencesRequest { parent: customer.name() };
    let listed = world.preferences().list_therapist_preferences(with_token(request, &token)).await.expect("a list");
    let liking: Vec<_> = listed.into_inner().preferences.iter().map(|one| one.liking()).collect();
    assert_eq!(liking, [Liking::Avoided]);
    let refused = say(0, Liking::Favourite, testkit::keys().member_token(MemberId::new(at(1)))).await;
    assert_eq!(refused.expect_err("another's").code(), Code::NotFound);
}
