//! Visits as entries of a calendar (RFC 5545), published for others to read (RFC 5546 §3.2.1).

pub mod ical;
pub mod link;

use kernel::{
    Timestamp,
    ids::{BookingId, StoreId},
};

use self::ical::{Writer, quoted};
use super::booking::State;

/// The content type of what is written here.
pub const CONTENT_TYPE: &str = "text/calendar; charset=utf-8";

/// How long programs may keep a feed before they read it again (RFC 7986).
const REFRESH: &str = "PT15M";

/// Before the start, this long, a calendar reminds its owner of a visit of his own.
const ALARM: &str = "-PT1H";

/// A part of a visit: what one therapist gives in one room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// The visit.
    pub booking: BookingId,
    /// Counts the parts of the visit, from 1.
    pub ordinal: i16,
    /// Counts the changes of the visit.
    pub version: i64,
    /// Where the visit is in its life.
    pub state: State,
    /// When the visit was booked.
    pub create_time: Timestamp,
    /// When it last changed.
    pub change_time: Timestamp,
    /// Start of the treatment.
    pub start_time: Timestamp,
    /// End of the treatment.
    pub end_time: Timestamp,
    /// The item's published name.
    pub item: String,
    /// The therapist's published name.
    pub therapist: String,
    /// The room's name.
    pub room: String,
}

/// The store that a calendar is published by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// Which.
    pub store: StoreId,
    /// Its published name.
    pub name: String,
    /// Where it is.
    pub address: String,
}

/// A feed for those who work at a store: an entry for each part of a visit, with item, room and state and nobody's name.
pub fn feed(name: &str, publisher: &Publisher, legs: &[Leg], now: Timestamp) -> String {
    let mut out = opened();
    // The names by which older and newer programs know it.
    out.text("X-WR-CALNAME", name);
    out.text("NAME", name);
    out.value("REFRESH-INTERVAL;VALUE=DURATION", REFRESH);
    out.value("X-PUBLISHED-TTL", REFRESH);
    for leg in legs {
        entry(&mut out, publisher, leg, leg.end_time, now);
        out.text("SUMMARY", &leg.item);
        out.text("LOCATION", &leg.room);
        out.text("DESCRIPTION", &leg.state.as_str().replace('_', " ").to_lowercase());
        out.end("VEVENT");
    }
    closed(out)
}

/// One visit for its customer: one entry from the first part to the last, with a reminder unless it is over. `None` if
/// there are no parts.
pub fn visit(publisher: &Publisher, legs: &[Leg], now: Timestamp) -> Option<String> {
    let first = legs.iter().min_by_key(|leg| leg.start_time)?;
    let end = legs.iter().map(|leg| leg.end_time).max()?;
    let mut out = opened();
    entry(&mut out, publisher, first, end, now);
    let summary = format!("{} · {}", joined(legs, |leg| &leg.item), publisher.name);
    out.text("SUMMARY", &summary);
    out.text("LOCATION", &format!("{}, {}", publisher.name, publisher.address));
    out.text("DESCRIPTION", &joined(legs, |leg| &leg.therapist));
    if matches!(first.state, State::Held | State::AwaitingPayment | State::Confirmed) {
        out.begin("VALARM");
        out.value("ACTION", "DISPLAY");
        out.value("TRIGGER", ALARM);
        out.text("DESCRIPTION", &summary);
        out.end("VALARM");
    }
    out.end("VEVENT");
    Some(closed(out))
}

fn opened() -> Writer {
    let mut out = Writer::default();
    out.begin("VCALENDAR");
    out.value("VERSION", "2.0");
    out.value("PRODID", "-//Meridian//Booking//EN");
    out.value("CALSCALE", "GREGORIAN");
    out.value("METHOD", "PUBLISH");
    out
}

fn closed(mut out: Writer) -> String {
    out.end("VCALENDAR");
    out.finish()
}

/// Opens an entry, with what every entry has.
fn entry(out: &mut Writer, publisher: &Publisher, leg: &Leg, end: Timestamp, now: Timestamp) {
    out.begin("VEVENT");
    // The same for ever: a booking keeps its id and its parts whatever becomes of it.
    let uid = leg.booking.uuid();
    match leg.ordinal {
        1 => out.value("UID", &uid.to_string()),
        ordinal => out.value("UID", &format!("{uid}-{ordinal}")),
    }
    out.value("SEQUENCE", &leg.version.to_string());
    out.instant("DTSTAMP", now);
    out.instant("CREATED", leg.create_time);
    out.instant("LAST-MODIFIED", leg.change_time);
    out.instant("DTSTART", leg.start_time);
    out.instant("DTEND", end);
    let (status, transparency) = match leg.state {
        State::Held | State::AwaitingPayment => ("TENTATIVE", "OPAQUE"),
        State::Confirmed | State::CheckedIn | State::InService | State::Completed => ("CONFIRMED", "OPAQUE"),
        State::Cancelled | State::NoShow | State::Expired => ("CANCELLED", "TRANSPARENT"),
    };
    out.value("STATUS", status);
    out.value("TRANSP", transparency);
    // A publisher must be named; that it has no address for mail is no reason to invent one.
    let organizer = format!("ORGANIZER;CN={}", quoted(&publisher.name));
    out.value(&organizer, &format!("urn:uuid:{}", publisher.store.uuid()));
}

/// The names in order, each once.
fn joined<'a>(legs: &'a [Leg], name: impl Fn(&'a Leg) -> &'a String) -> String {
    let mut names: Vec<&str> = Vec::new();
    for leg in legs {
        let name = name(leg).as_str();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.join(" + ")
}

#[cfg(test)]
mod tests;
