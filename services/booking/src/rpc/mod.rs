//! The RPCs: decode → flow → encode.

mod booking;
mod calendar;
mod catalog;
pub mod convert;
mod group;
mod life_cycle;
mod package;
mod preference;
mod roster;
mod rotation;
mod slots;
mod waitlist;
mod walk_in;

use std::sync::Arc;

use feed::FeedServer;
use kernel::{Result, Uuid};
use pg::idempotency::Key;
use proto::{
    booking::v1::{
        booking_service_server::BookingServiceServer, calendar_service_server::CalendarServiceServer,
        catalog_service_server::CatalogServiceServer, group_service_server::GroupServiceServer,
        life_cycle_service_server::LifeCycleServiceServer, package_service_server::PackageServiceServer,
        preference_service_server::PreferenceServiceServer, roster_service_server::RosterServiceServer,
        rotation_service_server::RotationServiceServer, waitlist_service_server::WaitlistServiceServer,
        walk_in_service_server::WalkInServiceServer,
    },
    feed::v1::event_feed_service_server::EventFeedServiceServer,
};
use rpc::{Ctx, paging::Listing, paging::PageRequest};
use tonic::service::{Routes, RoutesBuilder};

use crate::{App, flows::Once};

/// Everything that this service answers.
pub fn routes(app: &Arc<App>, feed: FeedServer) -> Routes {
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(BookingServiceServer::new(booking::Bookings(Arc::clone(app))))
        .add_service(CalendarServiceServer::new(calendar::Calendars(Arc::clone(app))))
        .add_service(CatalogServiceServer::new(catalog::Catalog(Arc::clone(app))))
        .add_service(GroupServiceServer::new(group::Groups(Arc::clone(app))))
        .add_service(LifeCycleServiceServer::new(life_cycle::LifeCycle(Arc::clone(app))))
        .add_service(PackageServiceServer::new(package::Packages(Arc::clone(app))))
        .add_service(RosterServiceServer::new(roster::Roster(Arc::clone(app))))
        .add_service(PreferenceServiceServer::new(preference::Preferences(Arc::clone(app))))
        .add_service(RotationServiceServer::new(rotation::Rotations(Arc::clone(app))))
        .add_service(WaitlistServiceServer::new(waitlist::Waitlist(Arc::clone(app))))
        .add_service(WalkInServiceServer::new(walk_in::WalkIns(Arc::clone(app))))
        .add_service(EventFeedServiceServer::new(feed));
    routes.routes()
}

/// The request of a call that changes something.
fn once<'a, Q>(ctx: &'a Ctx, request_id: &str, message: &'a Q) -> Result<Once<'a, Q>> {
    let request_id: Uuid = convert::request_id(request_id)?;
    Ok(Once { key: Key { caller: ctx.caller.subject(), method: ctx.method, request_id }, message })
}

/// A page of a list by name: after which name and id it starts.
fn after_name(page: &PageRequest) -> Result<crate::db::catalog::AfterName> {
    let read = |key: &str| {
        let (id, name) = key.split_once('/')?;
        Some((name.to_owned(), Uuid::try_parse(id).ok()?))
    };
    page.after()
        .map(|key| read(key).ok_or_else(|| kernel::Error::invalid("page_token", "is not one that this list gave out")))
        .transpose()
}

/// The position of a row in a list by name.
fn name_key(name: &str, id: Uuid) -> String {
    format!("{id}/{name}")
}

fn listing(ctx: &Ctx) -> Listing {
    Listing::new(ctx.method)
}

/// Bytes as text, for what a page token is bound to.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
