//! Editing and retiring: etags, masks, events, and visits that must not be stranded.

use futures_util::future::join_all;
use prost_types::FieldMask;
use proto::{access::Role, booking::v1 as pb};
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::world::{World, at, daily, fact, field, id, member, reason};

pub fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

impl World {
    pub async fn update_therapist(&self, therapist: pb::Therapist, paths: &[&str]) -> Result<pb::Therapist, Status> {
        let request =
            pb::UpdateTherapistRequest { therapist: Some(therapist), update_mask: mask(paths), request_id: id() };
        self.catalog().update_therapist(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    async fn update_room(&self, room: pb::Room, paths: &[&str]) -> Result<pb::Room, Status> {
        let request = pb::UpdateRoomRequest { room: Some(room), update_mask: mask(paths), request_id: id() };
        self.catalog().update_room(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    pub async fn retire_therapist(&self, name: &str, etag: &str) -> Result<pb::Therapist, Status> {
        let (name, etag) = (name.to_owned(), etag.to_owned());
        let request = pb::RetireTherapistRequest { name, etag, request_id: id() };
        self.catalog().retire_therapist(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    async fn retire_room(&self, name: &str) -> Result<pb::Room, Status> {
        let request = pb::RetireRoomRequest { name: name.to_owned(), request_id: id(), ..Default::default() };
        self.catalog().retire_room(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    /// As staff see him.
    async fn therapist(&self, name: &str) -> pb::Therapist {
        let request = pb::GetTherapistRequest { name: name.to_owned() };
        self.catalog().get_therapist(with_token(request, &self.admin)).await.expect("a therapist").into_inner()
    }

    async fn room(&self, name: &str) -> pb::Room {
        self.catalog().get_room(pb::GetRoomRequest { name: name.to_owned() }).await.expect("a room").into_inner()
    }

    async fn roster_version(&self) -> i64 {
        self.count("select roster_version from store order by create_time, id limit 1").await
    }

    /// Every version of every aggregate has one event, counted from 1 without a gap.
    pub async fn versions_without_one_event(&self) -> i64 {
        self.count(
            "select count(*) from (
                 select aggregate_id, count(*) as events, count(distinct aggregate_version) as versions,
                        max(aggregate_version) as last
                 from outbox group by aggregate_id) as a
             where events <> versions or versions <> last",
        )
        .await
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Status>) -> (Code, String) {
    let status = outcome.expect_err("refused");
    (status.code(), reason(&status))
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_nothing_else() {
    let world = World::new(1, 1).await;
    let before = world.therapist(&world.therapists[0]).await;
    let roster = world.roster_version().await;
    let wanted = pb::Therapist {
        name: before.name.clone(),
        etag: before.etag.clone(),
        languages: vec!["zh-CN".to_owned(), "en".to_owned()],
        weight: Some(50),
        grade: 5,
        ..pb::Therapist::default()
    };
    // What the mask leaves out may be anything, even what a new therapist could not have: here, no name.
    let after = world.update_therapist(wanted.clone(), &["languages", "weight"]).await.expect("changed");
    let expected = pb::Therapist {
        languages: wanted.languages.clone(),
        weight: Some(50),
        etag: after.etag.clone(),
        ..before.clone()
    };
    assert_eq!(after, expected);
    assert_ne!(after.etag, before.etag);
    assert_eq!(world.therapist(&before.name).await, after);
    assert_eq!(world.roster_version().await, roster + 1);
    assert_eq!(world.versions_without_one_event().await, 0);
    let audited = "select count(*) from audit_entry where action = 'therapist.update'
                   and detail = '{\"version\": 2, \"fields\": [\"languages\", \"weight\"]}'";
    assert_eq!(world.count(audited).await, 1);
}

#[tokio::test]
async fn a_mask_names_what_can_be_changed_and_the_whole_must_keep_the_rules() {
    let world = World::new(1, 1).await;
    let therapist = world.therapist(&world.therapists[0]).await;
    let moved = world.update_therapist(therapist.clone(), &["store"]).await.expect_err("to another store");
    assert_eq!(field(&moved), "update_mask");
    let nameless = pb::Therapist { display_name: String::new(), ..therapist.clone() };
    let nameless = world.update_therapist(nameless, &["display_name"]).await.expect_err("no name");
    assert_eq!(field(&nameless), "therapist.display_name");
    let request = pb::UpdateTherapistRequest { request_id: id(), ..Default::default() };
    let nobody = world.catalog().update_therapist(with_token(request, &world.admin)).await.expect_err("nobody");
    assert_eq!(field(&nobody), "therapist");
    let unknown = pb::Therapist { name: kernel::ids::TherapistId::new(testkit::START).name(), ..therapist.clone() };
    assert_eq!(world.update_therapist(unknown, &[]).await.expect_err("unknown").code(), Code::NotFound);
    assert_eq!(world.therapist(&world.therapists[0]).await, therapist);
}

#[tokio::test]
async fn a_stale_etag_changes_nothing() {
    let world = World::new(1, 1).await;
    let read = world.therapist(&world.therapists[0]).await;
    world.update_therapist(pb::Therapist { grade: 4, ..read.clone() }, &["grade"]).await.expect("the first");
    let (roster, events) = (world.roster_version().await, world.count("select count(*) from outbox").await);
    let second = world.update_therapist(pb::Therapist { grade: 1, ..read.clone() }, &["grade"]).await;
    assert_eq!(refused(second), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    let retired = world.retire_therapist(&read.name, &read.etag).await;
    assert_eq!(refused(retired), (Code::Aborted, "ETAG_MISMATCH".to_owned()));
    assert_eq!(world.therapist(&read.name).await.grade, 4);
    assert_eq!(world.roster_version().await, roster);
    assert_eq!(world.count("select count(*) from outbox").await, events);
}

#[tokio::test]
async fn of_many_edits_of_one_version_one_is_carried_out() {
    let world = World::new(1, 1).await;
    let read = world.therapist(&world.therapists[0]).await;
    let edits = (1..=16).map(|weight| {
        let edit = pb::Therapist { weight: Some(weight), ..read.clone() };
        world.update_therapist(edit, &["weight"])
    });
    let (won, lost): (Vec<_>, Vec<_>) = join_all(edits).await.into_iter().partition(Result::is_ok);
    assert_eq!(won.len(), 1);
    for status in lost.into_iter().map(|outcome| outcome.expect_err("lost")) {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    }
    assert_eq!(Ok(&world.therapist(&read.name).await), won[0].as_ref().map_err(|_| ()));
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn edits_without_an_etag_all_count() {
    let world = World::new(1, 1).await;
    let name = world.therapists[0].clone();
    let edits = (1..=8).map(|weight| {
        let edit = pb::Therapist { name: name.clone(), weight: Some(weight), ..pb::Therapist::default() };
        world.update_therapist(edit, &["weight"])
    });
    assert!(join_all(edits).await.iter().all(Result::is_ok));
    assert_eq!(world.count("select max(version) from therapist").await, 9);
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn a_repeated_update_gets_the_same_answer() {
    let world = World::new(1, 1).await;
    let read = world.therapist(&world.therapists[0]).await;
    let request = pb::UpdateTherapistRequest {
        therapist: Some(pb::Therapist { grade: 4, ..read }),
        update_mask: mask(&["grade"]),
        request_id: id(),
    };
    let send = || async { world.catalog().update_therapist(with_token(request.clone(), &world.admin)).await };
    let first = send().await.expect("changed").into_inner();
    assert_eq!(send().await.expect("the same").into_inner(), first);
}

#[tokio::test]
async fn whoever_is_retired_is_no_longer_offered_but_can_be_read() {
    let world = World::new(2, 1).await;
    let gone = world.therapists[0].clone();
    let offered = |slots: Vec<pb::Slot>| slots.iter().any(|slot| slot.therapists.contains(&gone));
    assert!(offered(world.search(at(0), at(5)).await));
    let retired = world.retire_therapist(&gone, "").await.expect("retired");
    assert!(retired.retire_time.is_some());
    assert!(!offered(world.search(at(0), at(5)).await));
    let mut hold = world.hold(at(1));
    hold.therapist.clone_from(&gone);
    assert_eq!(refused(world.send_hold(&member().1, hold).await).1, "SKILL_MISSING");
    assert_eq!(world.therapist(&gone).await, retired);
    let mut list = pb::ListTherapistsRequest { store: world.store.clone(), ..Default::default() };
    let names = |page: pb::ListTherapistsResponse| page.therapists.into_iter().map(|t| t.name).collect::<Vec<_>>();
    let shown = names(world.catalog().list_therapists(list.clone()).await.expect("a page").into_inner());
    assert_eq!(shown, world.therapists[1..]);
    list.show_retired = true;
    assert_eq!(names(world.catalog().list_therapists(list).await.expect("a page").into_inner()), world.therapists);
    assert_eq!(refused(world.retire_therapist(&gone, "").await).1, "RETIRED");
    assert_eq!(refused(world.update_therapist(retired, &["grade"]).await).1, "RETIRED");
    assert_eq!(refused(world.create_shift(&gone, at(100), at(110)).await).1, "RETIRED");
}

#[tokio::test]
async fn an_edit_that_would_strand_visits_names_them_and_changes_nothing() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let first = world.confirmed(&token, at(1)).await.name;
    let second = world.send_hold(&token, world.hold(at(4))).await.expect("held").name;
    let named = [first.clone(), second.clone()];
    let events = world.count("select count(*) from outbox").await;
    let (therapist, room) = (world.therapist(&world.therapists[0]).await, world.room(&world.rooms[0]).await);
    let unskilled = pb::Therapist { skills: vec!["reiki".to_owned()], ..therapist.clone() };
    let other_kind = pb::Room { kind: "sauna".to_owned(), ..room.clone() };
    let outcomes = [
        world.retire_therapist(&therapist.name, "").await.expect_err("visits"),
        world.update_therapist(unskilled.clone(), &["skills"]).await.expect_err("visits"),
        world.retire_room(&room.name).await.expect_err("visits"),
        world.update_room(other_kind.clone(), &["kind"]).await.expect_err("visits"),
    ];
    for status in outcomes {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "STRANDS_BOOKINGS"));
        assert_eq!((fact(&status, "count").as_str(), fact(&status, "bookings")), ("2", named.join(",")));
    }
    assert_eq!(world.count("select count(*) from outbox").await, events);
    assert_eq!(world.therapist(&therapist.name).await, therapist);
    // What nobody needs may go, and so may all when the visits are given up.
    world.update_therapist(pb::Therapist { grade: 1, ..unskilled.clone() }, &["grade"]).await.expect("no need");
    for booking in [first, second] {
        world.cancel(&token, &booking).await.expect("cancelled");
    }
    world.update_therapist(pb::Therapist { etag: String::new(), ..unskilled }, &["skills"]).await.expect("free");
    world.update_room(other_kind, &["kind"]).await.expect("free");
    world.retire_room(&room.name).await.expect("free");
    assert_eq!(world.versions_without_one_event().await, 0);
}

/// A visit is stranded by no edit, whatever happens at the same moment: either the hold or the retirement is refused.
#[tokio::test]
async fn holds_and_retirements_at_the_same_moment() {
    for round in 0..8 {
        let world = World::new(1, 1).await;
        let (_, token) = member();
        let hold = world.send_hold(&token, world.hold(at(1)));
        let (held, retired) = tokio::join!(hold, world.retire_therapist(&world.therapists[0], ""));
        let stranded = world
            .count(
                "select count(*) from booking b join therapist t on t.id = b.therapist_id
                 where t.retire_time is not null and b.state in ('HELD', 'AWAITING_PAYMENT', 'CONFIRMED')",
            )
            .await;
        assert_eq!(stranded, 0, "round {round}: {held:?} {retired:?}");
        assert!(held.is_ok() || retired.is_ok(), "round {round}");
    }
}

#[tokio::test]
async fn a_room_with_beds_is_booked_by_the_bed() {
    let world = World::new(2, 1).await;
    let (_, token) = member();
    let bed = |n: i32, parent: &str, kind: &str| pb::Room {
        store: world.store.clone(),
        display_name: format!("bed {n}"),
        kind: kind.to_owned(),
        parent: parent.to_owned(),
        position: n,
        ..pb::Room::default()
    };
    let create = |room| async {
        let request = pb::CreateRoomRequest { room: Some(room), request_id: id() };
        world.catalog().create_room(with_token(request, &world.admin)).await.map(Response::into_inner)
    };
    let room = world.rooms[0].clone();
    let booked = world.send_hold(&token, world.hold(at(1))).await.expect("the whole room").name;
    assert_eq!(refused(create(bed(1, &room, "massage")).await).1, "STRANDS_BOOKINGS");
    world.cancel(&token, &booked).await.expect("cancelled");
    let first = create(bed(1, &room, "massage")).await.expect("a bed");
    let second = create(bed(2, &room, "massage")).await.expect("a bed");
    assert_eq!((first.parent.as_str(), first.position, second.position), (room.as_str(), 1, 2));
    let mut rooms = Vec::new();
    for _ in 0..2 {
        rooms.push(world.send_hold(&token, world.hold(at(1))).await.expect("a bed").room);
    }
    assert_eq!(rooms, [first.name.clone(), second.name.clone()]);
    let third = world.create_therapist("a third", "thai").await.name;
    world.create_shift(&third, at(0), at(10)).await.expect("on duty");
    assert_eq!(refused(world.send_hold(&token, world.hold(at(1))).await).1, "SLOT_TAKEN");
    assert_eq!(refused(world.retire_room(&room).await).1, "HAS_BEDS");
    let other = world.create_store(daily(9, 18), "Asia/Urumqi").await.expect("another store").name;
    let wrong = [
        bed(3, &first.name, "massage"),
        bed(3, &kernel::ids::RoomId::new(testkit::START).name(), "massage"),
        pb::Room { store: other, ..bed(3, &room, "massage") },
        bed(3, "room 1", "massage"),
    ];
    for room in wrong {
        assert_eq!(field(&create(room).await.expect_err("no place for a bed")), "room.parent");
    }
    let itself =
        world.update_room(pb::Room { name: room.clone(), parent: room.clone(), ..Default::default() }, &["parent"]);
    assert_eq!(field(&itself.await.expect_err("in itself")), "room.parent");
    let list = async |kind: &str, show_retired| {
        let (store, kind) = (world.store.clone(), kind.to_owned());
        let request = pb::ListRoomsRequest { store, kind, show_retired, ..Default::default() };
        world.catalog().list_rooms(request).await.expect("a page").into_inner().rooms
    };
    create(bed(9, "", "steam")).await.expect("a machine");
    let pool = list("steam", false).await;
    assert_eq!(pool.iter().map(|room| room.display_name.as_str()).collect::<Vec<_>>(), ["bed 9"]);
    world.retire_room(&pool[0].name).await.expect("retired");
    let counts = (list("steam", false).await.len(), list("steam", true).await.len(), list("", false).await.len());
    assert_eq!(counts, (0, 1, 3));
}

#[tokio::test]
async fn a_manager_edits_his_own_store_only() {
    let world = World::new(1, 1).await;
    let manager = world.staff(Role::StoreManager);
    let request = |name: &str| pb::UpdateTherapistRequest {
        therapist: Some(pb::Therapist { name: name.to_owned(), grade: 4, ..Default::default() }),
        update_mask: mask(&["grade"]),
        request_id: id(),
    };
    world.catalog().update_therapist(with_token(request(&world.therapists[0]), &manager)).await.expect("his own");
    let other = world.create_store(daily(9, 18), "Asia/Urumqi").await.expect("another store").name;
    let therapist = pb::Therapist { store: other, display_name: "Wei".to_owned(), grade: 1, ..Default::default() };
    let create = pb::CreateTherapistRequest { therapist: Some(therapist), request_id: id() };
    let stranger = world.catalog().create_therapist(with_token(create, &world.admin)).await.expect("taken on");
    let stranger = stranger.into_inner().name;
    let refused = world.catalog().update_therapist(with_token(request(&stranger), &manager)).await;
    assert_eq!(refused.expect_err("another's").code(), Code::PermissionDenied);
    let retire = pb::RetireTherapistRequest { name: stranger, request_id: id(), ..Default::default() };
    let refused = world.catalog().retire_therapist(with_token(retire, &manager)).await;
    assert_eq!(refused.expect_err("another's").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn customers_see_neither_weights_nor_numbers() {
    let world = World::new(1, 1).await;
    let certificate = pb::Certificate { kind: "tuina".to_owned(), number: "CN-1".to_owned(), expire_date: None };
    let day = proto::google::r#type::Date { year: 2020, month: 2, day: 29 };
    let wanted = pb::Therapist {
        name: world.therapists[0].clone(),
        certificates: vec![certificate.clone()],
        hire_date: Some(day),
        rating_hundredths: 470,
        photo: "https://example.com/wei.jpg".to_owned(),
        ..Default::default()
    };
    let paths = ["certificates", "hire_date", "rating_hundredths", "photo"];
    let staff = world.update_therapist(wanted.clone(), &paths).await.expect("changed");
    assert_eq!((&staff.certificates[0], staff.hire_date, staff.weight), (&certificate, Some(day), Some(100)));
    let get = pb::GetTherapistRequest { name: wanted.name.clone() };
    let shown = world.catalog().get_therapist(get).await.expect("a therapist").into_inner();
    assert_eq!((shown.hire_date, shown.weight, shown.certificates[0].number.as_str()), (None, None, ""));
    assert_eq!(
        (shown.rating_hundredths, shown.photo, shown.certificates[0].kind.as_str()),
        (470, wanted.photo.clone(), "tuina")
    );
    let no_day = proto::google::r#type::Date { year: 2021, month: 2, day: 29 };
    let cases = [
        (pb::Therapist { hire_date: Some(no_day), ..wanted.clone() }, "therapist.hire_date"),
        (pb::Therapist { photo: "ftp://example.com".to_owned(), ..wanted.clone() }, "therapist.photo"),
        (pb::Therapist { rating_hundredths: 99, ..wanted.clone() }, "therapist.rating_hundredths"),
        (
            pb::Therapist { certificates: vec![certificate.clone(), certificate], ..wanted },
            "therapist.certificates[1].kind",
        ),
    ];
    for (wrong, what) in cases {
        assert_eq!(field(&world.update_therapist(wrong, &paths).await.expect_err(what)), what);
    }
}

/// What is entered here is what assignment goes by.
#[tokio::test]
async fn ratings_and_weights_reach_the_rules_of_assignment() {
    let world = World::new(1, 1).await;
    let name = world.therapists[0].clone();
    let wanted = pb::Therapist { name, rating_hundredths: 470, weight: Some(60), ..Default::default() };
    world.update_therapist(wanted.clone(), &["rating_hundredths", "weight"]).await.expect("changed");
    let store = kernel::ids::StoreId::parse_name("store", &world.store).expect("a store");
    let mut conn = world.app.pg.conn().await.expect("a connection");
    let ratings = booking::db::preference::ratings(&mut conn, store).await.expect("ratings");
    let id = kernel::ids::TherapistId::parse_name("therapist", &wanted.name).expect("a therapist");
    assert_eq!(ratings.get(&id).copied(), Some(470));
    assert_eq!(world.count("select weight::bigint from therapist").await, 60);
    let idle = pb::Therapist { weight: Some(0), ..wanted };
    assert_eq!(field(&world.update_therapist(idle, &["weight"]).await.expect_err("none")), "therapist.weight");
}
