use kernel::Uuid;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn leg(ordinal: i16, state: State) -> Leg {
    Leg {
        booking: BookingId::from_uuid(Uuid::from_u128(0xb00c)),
        ordinal,
        version: 4,
        state,
        create_time: at("2027-02-20T01:00:00Z"),
        change_time: at("2027-02-21T02:00:00Z"),
        start_time: at("2027-03-01T02:00:00Z"),
        end_time: at("2027-03-01T03:00:00Z"),
        item: "推拿, 60 min".to_owned(),
        therapist: "Lin".to_owned(),
        room: "room 03".to_owned(),
    }
}

fn second() -> Leg {
    Leg {
        start_time: at("2027-03-01T03:15:00Z"),
        end_time: at("2027-03-01T03:45:00Z"),
        item: "Foot bath".to_owned(),
        ..leg(2, State::Confirmed)
    }
}

fn publisher() -> Publisher {
    Publisher {
        store: StoreId::from_uuid(Uuid::from_u128(0x5702e)),
        name: "Jing'an".to_owned(),
        address: "1 Nanjing West Road".to_owned(),
    }
}

const NOW: &str = "2027-02-22T00:00:00Z";

#[test]
fn a_visit_is_one_entry_with_a_reminder() {
    let text = visit(&publisher(), &[leg(1, State::Confirmed), second()], at(NOW)).expect("it has parts");
    let wanted = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Meridian//Booking//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "UID:00000000-0000-0000-0000-00000000b00c",
        "SEQUENCE:4",
        "DTSTAMP:20270222T000000Z",
        "CREATED:20270220T010000Z",
        "LAST-MODIFIED:20270221T020000Z",
        "DTSTART:20270301T020000Z",
        "DTEND:20270301T034500Z",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "ORGANIZER;CN=\"Jing'an\":urn:uuid:00000000-0000-0000-0000-00000005702e",
        "SUMMARY:推拿\\, 60 min + Foot bath · Jing'an",
        "LOCATION:Jing'an\\, 1 Nanjing West Road",
        "DESCRIPTION:Lin",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-PT1H",
        "DESCRIPTION:推拿\\, 60 min + Foot bath · Jing'an",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ];
    assert_eq!(text, wanted.join("\r\n"));
}

#[test]
fn what_is_over_reminds_nobody() {
    for state in [State::Cancelled, State::NoShow, State::Expired, State::Completed] {
        let text = visit(&publisher(), &[leg(1, state)], at(NOW)).expect("it has parts");
        assert!(!text.contains("VALARM"), "{state:?}");
        assert_eq!(
            text.contains("\r\nSTATUS:CANCELLED\r\nTRANSP:TRANSPARENT\r\n"),
            state != State::Completed,
            "{state:?}"
        );
    }
}

#[test]
fn a_feed_has_an_entry_for_each_part_and_no_names() {
    let text = feed("Jing'an", &publisher(), &[leg(1, State::Held), second()], at(NOW));
    assert_eq!(text.matches("BEGIN:VEVENT").count(), 2);
    assert!(text.contains("\r\nUID:00000000-0000-0000-0000-00000000b00c\r\n"));
    assert!(text.contains("\r\nUID:00000000-0000-0000-0000-00000000b00c-2\r\n"));
    assert!(
        text.contains("\r\nSTATUS:TENTATIVE\r\n") && text.contains("\r\nREFRESH-INTERVAL;VALUE=DURATION:PT15M\r\n")
    );
    assert!(!text.contains("Lin") && !text.contains("VALARM"));
}

#[test]
fn an_empty_feed_is_a_calendar_all_the_same() {
    let text = feed("Jing'an", &publisher(), &[], at(NOW));
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("\r\nEND:VCALENDAR\r\n"));
    assert_eq!(visit(&publisher(), &[], at(NOW)), None);
}
