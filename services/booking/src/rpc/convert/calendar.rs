//! Calendars, wire ↔ domain.

use kernel::ids::TherapistId;
use proto::{booking::v1 as pb, google::api::HttpBody};
use rpc::convert::to_timestamp;

use crate::domain::calendar::{
    CONTENT_TYPE,
    link::{CalendarLink, LinkKey},
};

/// A link for the wire, with its address while it is good.
pub fn to_link(link: &CalendarLink, key: &LinkKey) -> pb::CalendarLink {
    let path = match link.revoke_time {
        None => format!("/v1/calendars/{}", key.token(link)),
        Some(_) => String::new(),
    };
    pb::CalendarLink {
        name: link.id.name(),
        store: link.store.name(),
        therapist: link.therapist.map(TherapistId::name).unwrap_or_default(),
        display_name: link.display_name.clone(),
        path,
        creator: link.creator.clone(),
        create_time: Some(to_timestamp(link.create_time)),
        revoke_time: link.revoke_time.map(to_timestamp),
    }
}

/// A calendar as a document.
pub fn to_body(calendar: String) -> HttpBody {
    HttpBody { content_type: CONTENT_TYPE.to_owned(), data: calendar.into_bytes().into(), extensions: Vec::new() }
}
