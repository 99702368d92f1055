//! Feeds, their addresses, and bookings as calendar entries.

use std::time::Duration;

use proto::{access::Role, booking::v1 as pb, google::api::HttpBody};
use testkit::with_token;
use tonic::{Code, Response, Status};

use crate::world::{World, at, field, id, member, reason};

async fn link(world: &World, token: &str, therapist: &str) -> Result<pb::CalendarLink, Status> {
    let request = pb::CreateCalendarLinkRequest {
        store: world.store.clone(),
        therapist: therapist.to_owned(),
        display_name: "screen in the staff room".to_owned(),
        request_id: id(),
    };
    world.calendars().create_calendar_link(with_token(request, token)).await.map(Response::into_inner)
}

async fn revoke(world: &World, token: &str, name: &str) -> Result<pb::CalendarLink, Status> {
    let request = pb::RevokeCalendarLinkRequest { name: name.to_owned(), request_id: id() };
    world.calendars().revoke_calendar_link(with_token(request, token)).await.map(Response::into_inner)
}

async fn links(world: &World, show_revoked: bool, page_token: String) -> pb::ListCalendarLinksResponse {
    let store = world.store.clone();
    let request = pb::ListCalendarLinksRequest { store, show_revoked, page_size: 1, page_token };
    world.calendars().list_calendar_links(with_token(request, &world.admin)).await.expect("links").into_inner()
}

/// Reads a feed as a calendar program does, without signing in.
async fn feed(world: &World, path: &str) -> Result<HttpBody, Status> {
    let token = path.strip_prefix("/v1/calendars/").unwrap_or(path).to_owned();
    world.calendars().get_calendar(pb::GetCalendarRequest { token }).await.map(Response::into_inner)
}

async fn entry(world: &World, token: &str, name: &str) -> Result<String, Status> {
    let request = pb::GetBookingCalendarRequest { name: name.to_owned() };
    let body = world.calendars().get_booking_calendar(with_token(request, token)).await?.into_inner();
    Ok(text(&body))
}

fn text(body: &HttpBody) -> String {
    assert_eq!(body.content_type, "text/calendar; charset=utf-8");
    String::from_utf8(body.data.to_vec()).expect("UTF-8").replace("\r\n ", "")
}

/// The values of a property, in order.
fn values<'a>(calendar: &'a str, property: &str) -> Vec<&'a str> {
    calendar.split("\r\n").filter_map(|line| line.strip_prefix(property)?.strip_prefix(':')).collect()
}

#[tokio::test]
async fn a_feed_shows_what_is_where_and_nobodys_name() {
    let world = World::new(2, 2).await;
    let (customer, token) = member();
    let kept = world.confirmed(&token, at(2)).await;
    let given_up = world.confirmed(&token, at(4)).await;
    world.cancel(&token, &given_up.name).await.expect("cancelled");
    let held = world.send_hold(&token, world.hold(at(6))).await.expect("held");

    let desk = world.staff(Role::FrontDesk);
    let made = link(&world, &desk, "").await.expect("a link");
    let calendar = text(&feed(&world, &made.path).await.expect("a feed"));
    assert_eq!(values(&calendar, "STATUS"), ["CONFIRMED", "CANCELLED", "TENTATIVE"]);
    assert_eq!(values(&calendar, "SUMMARY"), ["Thai massage"; 3]);
    assert_eq!(values(&calendar, "DESCRIPTION"), ["confirmed", "cancelled", "awaiting payment"]);
    assert!(values(&calendar, "LOCATION").iter().all(|room| room.starts_with("room ")));
    let uids: Vec<String> =
        [&kept, &given_up, &held].map(|booking| booking.name.trim_start_matches("bookings/").to_owned()).into();
    assert_eq!(values(&calendar, "UID"), uids);
    assert!(!calendar.contains(&customer.uuid().to_string()) && !calendar.contains("therapist"), "{calendar}");

    for therapist in &world.therapists {
        let made = link(&world, &desk, therapist).await.expect("a link");
        let own = text(&feed(&world, &made.path).await.expect("a feed"));
        let wanted = [&kept, &given_up, &held].into_iter().filter(|booking| booking.therapist == *therapist).count();
        assert_eq!(values(&own, "UID").len(), wanted, "{therapist}");
    }
}

#[tokio::test]
async fn an_entry_keeps_its_uid_and_counts_its_changes() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(2)).await;
    let before = entry(&world, &token, &booking.name).await.expect("an entry");
    assert_eq!((values(&before, "STATUS"), values(&before, "METHOD")), (vec!["CONFIRMED"], vec!["PUBLISH"]));
    assert_eq!(values(&before, "TRIGGER"), ["-PT1H"]);
    assert_eq!(values(&before, "DTSTART"), [at(2).strftime("%Y%m%dT%H%M%SZ").to_string()]);
    assert_eq!(values(&before, "DTEND"), [at(3).strftime("%Y%m%dT%H%M%SZ").to_string()]);
    assert_eq!(values(&before, "SUMMARY"), ["Thai massage · Jing'an"]);
    assert_eq!(values(&before, "LOCATION"), ["Jing'an\\, 1 Nanjing West Road"]);
    assert_eq!(values(&before, "DESCRIPTION")[0], "therapist 00");

    world.cancel(&token, &booking.name).await.expect("cancelled");
    let after = entry(&world, &world.staff(Role::FrontDesk), &booking.name).await.expect("an entry");
    assert_eq!((values(&after, "STATUS"), values(&after, "TRIGGER").len()), (vec!["CANCELLED"], 0));
    assert_eq!(values(&after, "UID"), values(&before, "UID"));
    let sequence = |entry: &str| values(entry, "SEQUENCE")[0].parse::<i64>().expect("a number");
    assert_eq!(sequence(&after), sequence(&before) + 1);
}

#[tokio::test]
async fn an_entry_is_for_its_customer_and_the_store() {
    let world = World::new(1, 1).await;
    let (_, token) = member();
    let booking = world.confirmed(&token, at(2)).await;
    let stranger = entry(&world, &member().1, &booking.name).await.expect_err("another's");
    assert_eq!(stranger.code(), Code::NotFound);
    assert!(entry(&world, &world.staff(Role::Therapist), &booking.name).await.is_ok());
}

#[tokio::test]
async fn a_revoked_address_is_good_for_nothing_and_a_new_one_is_another() {
    let world = World::new(1, 1).await;
    let manager = world.staff(Role::StoreManager);
    let first = link(&world, &manager, "").await.expect("a link");
    world.clock.advance(Duration::from_secs(1));
    let second = link(&world, &manager, &world.therapists[0]).await.expect("a link");
    assert_ne!(first.path, second.path);
    let revoked = revoke(&world, &manager, &first.name).await.expect("revoked");
    assert!(revoked.path.is_empty() && revoked.revoke_time.is_some());
    assert_eq!(feed(&world, &first.path).await.expect_err("revoked").code(), Code::NotFound);
    assert!(feed(&world, &second.path).await.is_ok());
    let again = revoke(&world, &manager, &first.name).await.expect_err("revoked before");
    assert_eq!(reason(&again), "WRONG_STATE");

    assert_eq!(links(&world, false, String::new()).await.calendar_links, std::slice::from_ref(&second));
    let page = links(&world, true, String::new()).await;
    let rest = links(&world, true, page.next_page_token).await;
    assert_eq!([page.calendar_links, rest.calendar_links].concat(), [second, revoked]);
    let on_record = world.count("select count(*) from audit_entry where action like 'calendar_link.%'").await;
    assert_eq!(on_record, 3);
}

#[tokio::test]
async fn the_same_request_makes_one_link() {
    let world = World::new(1, 1).await;
    let request = pb::CreateCalendarLinkRequest { store: world.store.clone(), request_id: id(), ..Default::default() };
    let mut answers = Vec::new();
    for _ in 0..2 {
        let answer = world.calendars().create_calendar_link(with_token(request.clone(), &world.admin)).await;
        answers.push(answer.expect("a link").into_inner());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(world.count("select count(*) from calendar_link").await, 1);
}

#[tokio::test]
async fn bad_requests_change_nothing() {
    let world = World::new(1, 1).await;
    for token in ["none", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "推拿"] {
        assert_eq!(feed(&world, token).await.expect_err(token).code(), Code::NotFound, "{token}");
    }
    let empty = feed(&world, "").await.expect_err("no token");
    assert_eq!((empty.code(), field(&empty).as_str()), (Code::InvalidArgument, "token"));

    let stranger = kernel::ids::TherapistId::new(testkit::START).name();
    assert_eq!(link(&world, &world.admin, &stranger).await.expect_err("unknown").code(), Code::NotFound);
    let elsewhere = World::new(1, 1).await;
    let other = link(&world, &elsewhere.staff(Role::StoreManager), "").await.expect_err("another store's");
    assert_eq!(other.code(), Code::PermissionDenied);
    assert_eq!(world.count("select count(*) from calendar_link").await, 0);
}
