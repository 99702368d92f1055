//! The RPCs: decode → flow → encode.

mod auth;
pub mod convert;
mod member;
mod redemption;
mod staff;

use std::sync::Arc;

use feed::FeedServer;
use proto::{
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    membership::v1::{
        auth_service_server::AuthServiceServer, member_service_server::MemberServiceServer,
        redemption_service_server::RedemptionServiceServer, staff_service_server::StaffServiceServer,
    },
};
use tonic::service::{Routes, RoutesBuilder};

use crate::App;

/// Everything that this service answers.
pub fn routes(app: &Arc<App>, feed: FeedServer) -> Routes {
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(AuthServiceServer::new(auth::Auth(Arc::clone(app))))
        .add_service(MemberServiceServer::new(member::Members(Arc::clone(app))))
        .add_service(RedemptionServiceServer::new(redemption::Redemptions(Arc::clone(app))))
        .add_service(StaffServiceServer::new(staff::Accounts(Arc::clone(app))))
        .add_service(EventFeedServiceServer::new(feed));
    routes.routes()
}
