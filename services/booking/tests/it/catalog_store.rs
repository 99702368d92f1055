//! Stores: special days, licences, rules, distance.

use proto::{
    access::Role,
    booking::v1::{self as pb, licence, store_policy::Assignment},
    google::r#type::{Date, LatLng, TimeOfDay},
};
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::{
    catalog_edit::mask,
    world::{World, at, daily, fact, field, id, member, reason},
};

impl World {
    pub async fn update_store(&self, store: pb::Store, paths: &[&str]) -> Result<pb::Store, Status> {
        let store = pb::Store { name: self.store.clone(), ..store };
        let request = pb::UpdateStoreRequest { store: Some(store), update_mask: mask(paths), request_id: id() };
        self.catalog().update_store(with_token(request, &self.admin)).await.map(Response::into_inner)
    }

    /// The date in Shanghai.
    fn today(&self) -> jiff::civil::Date {
        let zone = jiff::tz::TimeZone::get("Asia/Shanghai").expect("known");
        kernel::Clock::now(&*self.clock).to_zoned(zone).date()
    }

    async fn store_as(&self, token: Option<&str>) -> pb::Store {
        let get = pb::GetStoreRequest { name: self.store.clone() };
        let store = match token {
            Some(token) => self.catalog().get_store(with_token(get, token)).await,
            None => self.catalog().get_store(get).await,
        };
        store.expect("a store").into_inner()
    }
}

/// A date of 2027; the clock stands at March 1st.
fn date(month: i32, day: i32) -> Option<Date> {
    Some(Date { year: 2027, month, day })
}

fn special(month: i32, day: i32, hours: &[(i32, i32)]) -> pb::SpecialDay {
    let time = |hours| Some(TimeOfDay { hours, ..TimeOfDay::default() });
    let span = |&(open, close): &(i32, i32)| pb::OpenSpan { open_time: time(open), close_time: time(close) };
    pb::SpecialDay { date: date(month, day), hours: hours.iter().map(span).collect(), note: "holiday".to_owned() }
}

fn special_days(special_days: Vec<pb::SpecialDay>) -> pb::Store {
    pb::Store { special_days, ..pb::Store::default() }
}

/// The local date and the hours at which the first opening of the world begins.
async fn opening_day(world: &World) -> (i32, i32) {
    let day = "select to_char(min(start_time) at time zone 'Asia/Shanghai', 'MMDD')::bigint from shift";
    let day = i32::try_from(world.count(day).await).expect("a date");
    (day / 100, day % 100)
}

#[tokio::test]
async fn a_special_day_is_searched_by_its_own_hours() {
    let world = World::new(1, 1).await;
    let (month, day) = opening_day(&world).await;
    assert!(!world.search(at(0), at(12)).await.is_empty());
    world.update_store(special_days(vec![special(month, day, &[])]), &["special_days"]).await.expect("closed");
    assert!(world.search(at(0), at(12)).await.is_empty());
    let closed = world.send_hold(&member().1, world.hold(at(1))).await.expect_err("closed");
    assert_eq!(reason(&closed), "OUTSIDE_OPENING_HOURS");
    let halves = [special(month, day, &[(10, 12), (14, 15)])];
    let store = world.update_store(special_days(halves.to_vec()), &["special_days"]).await.expect("two openings");
    assert_eq!(store.special_days, halves);
    // 10:00 to 11:00 every five minutes, and 14:00.
    assert_eq!(world.search(at(0), at(12)).await.len(), 13 + 1);
    assert!(!world.search(at(24), at(36)).await.is_empty(), "the next day is as ever");
}

#[tokio::test]
async fn closing_while_visits_are_booked_is_refused() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let (month, day) = opening_day(&world).await;
    let booking = world.confirmed(&token, at(3)).await.name;
    let before = world.store_as(Some(&world.admin)).await;
    let short = pb::Store { opening_hours: daily(10, 13), ..pb::Store::default() };
    let elsewhere = pb::Store { time_zone: "America/New_York".to_owned(), ..pb::Store::default() };
    let outcomes = [
        world.update_store(special_days(vec![special(month, day, &[])]), &["special_days"]).await,
        world.update_store(short, &["opening_hours"]).await,
        world.update_store(elsewhere, &["time_zone"]).await,
    ];
    for outcome in outcomes {
        let refused = outcome.expect_err("a visit");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "STRANDS_BOOKINGS"));
        assert_eq!(fact(&refused, "bookings"), booking);
    }
    assert_eq!(world.store_as(Some(&world.admin)).await, before);
    let around = pb::Store { opening_hours: daily(12, 15), ..pb::Store::default() };
    world.update_store(around, &["opening_hours"]).await.expect("the visit fits");
    assert_eq!(world.count("select count(*) from outbox where type like '%StoreChanged'").await, 2);
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn stores_that_cannot_become_so() {
    let world = World::new(1, 1).await;
    let before = world.store_as(Some(&world.admin)).await;
    let twice = special_days(vec![special(5, 1, &[]), special(5, 1, &[(10, 12)])]);
    let overlap = special_days(vec![special(5, 1, &[(10, 12), (11, 13)])]);
    let no_day = special_days(vec![special(2, 30, &[])]);
    let policy = |policy| pb::Store { policy: Some(policy), ..pb::Store::default() };
    let tier = |notice_minutes, fee_basis_points| pb::CancellationTier { notice_minutes, fee_basis_points };
    let tiers = |cancellation_tiers| pb::Store { cancellation_tiers, ..pb::Store::default() };
    let licence =
        |number: &str, kind| pb::Licence { kind, number: number.to_owned(), expire_date: date(6, 1), state: 0 };
    let licences = |licences| pb::Store { licences, ..pb::Store::default() };
    let unknown = pb::StorePolicy { assignment: 99, ..Default::default() };
    let short = pb::StorePolicy { hold_minutes: Some(20), hold_limit_minutes: Some(10), ..Default::default() };
    let endless = pb::StorePolicy { hold_minutes: Some(0), ..Default::default() };
    let cases = [
        (twice, "special_days", "store.special_days[1].date"),
        (overlap, "special_days", "store.special_days[0].hours"),
        (no_day, "special_days", "store.special_days[0].date"),
        (policy(unknown), "policy", "store.policy.assignment"),
        (policy(short), "policy", "store.policy.hold_limit_minutes"),
        (policy(endless), "policy", "store.policy.hold_minutes"),
        (tiers(vec![tier(60, 0), tier(60, 10)]), "cancellation_tiers", "store.cancellation_tiers[1]"),
        (tiers(vec![tier(60, 5_000), tier(0, 10)]), "cancellation_tiers", "store.cancellation_tiers[1]"),
        (tiers(vec![tier(60, 10_001)]), "cancellation_tiers", "store.cancellation_tiers[0].fee_basis_points"),
        (licences(vec![licence("1", 1), licence("1", 1)]), "licences", "store.licences[1].number"),
        (licences(vec![licence("1", 0)]), "licences", "store.licences[0].kind"),
        (
            pb::Store { photos: vec!["javascript:alert(1)".to_owned()], ..Default::default() },
            "photos",
            "store.photos[0]",
        ),
        (pb::Store { time_zone: "Asia/Atlantis".to_owned(), ..Default::default() }, "time_zone", "store.time_zone"),
        (pb::Store { currency_code: "USD".to_owned(), ..Default::default() }, "currency_code", "update_mask"),
    ];
    for (store, path, what) in cases {
        let refused = world.update_store(store, &[path]).await.expect_err(what);
        assert_eq!((refused.code(), field(&refused).as_str()), (Code::InvalidArgument, what));
    }
    assert_eq!(world.store_as(Some(&world.admin)).await, before);
    let stale = pb::Store { etag: "7".to_owned(), address: "elsewhere".to_owned(), ..Default::default() };
    let refused = world.update_store(stale, &["address"]).await.expect_err("stale");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    let manager = world.staff(Role::StoreManager);
    let request = pb::UpdateStoreRequest { store: Some(before), update_mask: None, request_id: id() };
    let refused = world.catalog().update_store(with_token(request, &manager)).await.expect_err("chain only");
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn the_rules_of_a_store_read_back_and_customers_see_what_concerns_them() {
    let world = World::new(1, 1).await;
    let tier = |notice_minutes, fee_basis_points| pb::CancellationTier { notice_minutes, fee_basis_points };
    let policy = pb::StorePolicy {
        assignment: Assignment::Rotation.into(),
        hold_minutes: Some(15),
        hold_limit_minutes: Some(45),
        lead_minutes: Some(30),
        no_show_grace_minutes: Some(20),
        waitlist_offer_minutes: Some(10),
        max_minutes_in_row: Some(240),
        max_minutes_per_day: Some(480),
        rest_minutes: Some(30),
        partner_quota: Some(0),
        check_in_minutes: Some(90),
    };
    let store = pb::Store {
        policy: Some(policy),
        cancellation_tiers: vec![tier(60, 2_000), tier(1_440, 0), tier(0, 5_000)],
        photos: vec!["https://example.com/a.jpg".to_owned()],
        ..pb::Store::default()
    };
    world.update_store(store, &["policy", "cancellation_tiers", "photos"]).await.expect("changed");
    let staff = world.store_as(Some(&world.staff(Role::FrontDesk))).await;
    assert_eq!(staff.policy, Some(policy));
    let public = world.store_as(None).await;
    assert_eq!(public.policy, None);
    assert_eq!(public.cancellation_tiers, [tier(1_440, 0), tier(60, 2_000), tier(0, 5_000)]);
    assert_eq!(pb::Store { policy: Some(policy), ..public }, staff);
    let store = kernel::ids::StoreId::parse_name("store", &world.store).expect("a store");
    let mut conn = world.app.pg.conn().await.expect("a connection");
    let read = booking::db::policy::of_store(&mut conn, &world.app.policy, store).await.expect("rules");
    assert_eq!((read.hold_minutes, read.partner_quota, read.limits.rest), (15, Some(0), 30));
    drop(conn);
    world.update_store(pb::Store::default(), &["policy"]).await.expect("the chain's again");
    assert_eq!(world.store_as(Some(&world.admin)).await.policy, None);
    assert_eq!(world.count("select count(*) from store_policy").await, 0);
}

#[tokio::test]
async fn it_is_told_of_each_licence_thirty_seven_and_no_days_ahead_once() {
    let world = World::new(1, 1).await;
    let now = world.today();
    let licence = |number: &str, days: i64| {
        let expire = now.checked_add(jiff::Span::new().days(days)).expect("in range");
        let (year, month, day) = (i32::from(expire.year()), i32::from(expire.month()), i32::from(expire.day()));
        let expire_date = Some(Date { year, month, day });
        pb::Licence { kind: licence::Kind::Fire.into(), number: number.to_owned(), expire_date, state: 0 }
    };
    let licences = vec![licence("far", 31), licence("soon", 5), licence("past", -1)];
    let store = pb::Store { licences: licences.clone(), ..pb::Store::default() };
    let shown = world.update_store(store.clone(), &["licences"]).await.expect("entered");
    let states: Vec<_> = shown.licences.iter().map(|licence| (licence.number.as_str(), licence.state())).collect();
    use licence::State::{Lapsed, Lapsing, Valid};
    assert_eq!((states, shown.licence_warning), (vec![("past", Lapsed), ("soon", Lapsing), ("far", Valid)], true));
    let list = world.catalog().list_stores(pb::ListStoresRequest::default()).await.expect("a page").into_inner();
    assert!(list.stores[0].licence_warning);
    let tell = async || booking::worker::tell_licences(&world.app).await.expect("told");
    assert_eq!((tell().await, tell().await), (2, 0), "past and soon");
    // An edit that leaves the dates alone tells of nothing again.
    world.update_store(store, &["licences"]).await.expect("the same");
    assert_eq!(tell().await, 0);
    let mut told = Vec::new();
    for _ in 0..40 {
        world.clock.advance(std::time::Duration::from_secs(86_400));
        told.push(tell().await);
        assert_eq!(tell().await, 0);
    }
    // The far one after 1, 24 and 31 days, the soon one after 5.
    let days: Vec<usize> = (1..=40).filter(|day| told[day - 1] > 0).collect();
    assert_eq!((days, told.iter().sum::<usize>()), (vec![1, 5, 24, 31], 4));
    let events = world.count("select count(*) from outbox where type like '%LicenceLapsing'").await;
    assert_eq!((events, world.versions_without_one_event().await), (6, 0));
    // A renewed one is told of anew.
    let renewed = pb::Store { licences: vec![licence("far", 45)], ..pb::Store::default() };
    let shown = world.update_store(renewed, &["licences"]).await.expect("renewed");
    assert_eq!((shown.licences.len(), tell().await), (1, 1));
    assert_eq!(world.versions_without_one_event().await, 0);
}

#[tokio::test]
async fn stores_near_a_point_come_by_distance() {
    let world = World::new(1, 1).await;
    let place = |latitude, longitude| Some(LatLng { latitude, longitude });
    world
        .update_store(pb::Store { position: place(31.2237, 121.4448), ..Default::default() }, &["position"])
        .await
        .expect("placed");
    let mut names = vec![world.store.clone()];
    for (latitude, longitude) in [(31.24, 121.49), (31.2237, 121.4448), (39.9, 116.4)] {
        let mut store = world.store_as(None).await;
        store.position = place(latitude, longitude);
        let request = pb::CreateStoreRequest { store: Some(store), request_id: id() };
        names.push(
            world.catalog().create_store(with_token(request, &world.admin)).await.expect("a store").into_inner().name,
        );
    }
    world.create_store(daily(9, 18), "UTC").await.expect("nowhere");
    let request = pb::ListStoresRequest { near: place(31.2237, 121.4448), page_size: 1, ..Default::default() };
    let all = async |mut request: pb::ListStoresRequest| {
        let mut found = Vec::new();
        loop {
            let page = world.catalog().list_stores(request.clone()).await.expect("a page").into_inner();
            assert!(page.stores.len() <= 1);
            found.extend(page.stores.into_iter().map(|store| (store.name, store.distance_meters.expect("a distance"))));
            if page.next_page_token.is_empty() {
                return found;
            }
            request.page_token = page.next_page_token;
        }
    };
    let found = all(request.clone()).await;
    assert_eq!(found.iter().map(|(_, meters)| *meters).collect::<Vec<_>>(), [0, 0, 4_664]);
    let mut equally_near = [&found[0].0, &found[1].0];
    equally_near.sort_by_key(|name| *name != &names[0]);
    assert_eq!((equally_near, &found[2].0), ([&names[0], &names[2]], &names[1]));
    assert_eq!(all(pb::ListStoresRequest { radius_meters: 4_663, ..request.clone() }).await.len(), 2);
    let far = all(pb::ListStoresRequest { radius_meters: 2_000_000, ..request.clone() }).await;
    assert_eq!(far.last().map(|(name, _)| name), Some(&names[3]));
    let cases = [
        (pb::ListStoresRequest { near: None, radius_meters: 5, ..request.clone() }, "radius_meters"),
        (pb::ListStoresRequest { radius_meters: -1, ..request.clone() }, "radius_meters"),
        (pb::ListStoresRequest { near: place(91.0, 0.0), ..request.clone() }, "near.latitude"),
        (pb::ListStoresRequest { near: place(0.0, f64::NAN), ..request.clone() }, "near.longitude"),
        (pb::ListStoresRequest { near: place(f64::INFINITY, 0.0), ..request }, "near.latitude"),
    ];
    for (request, what) in cases {
        assert_eq!(field(&world.catalog().list_stores(request).await.expect_err(what)), what);
    }
}
