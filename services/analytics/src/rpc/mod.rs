//! The service on the wire: decode, flow, encode.

pub mod convert;
mod report;

use std::sync::Arc;

use feed::FeedServer;
use proto::{
    analytics::v1::report_service_server::ReportServiceServer,
    feed::v1::event_feed_service_server::EventFeedServiceServer,
};
use tonic::service::Routes;

use crate::App;

/// Everything that the analytics service serves.
pub fn routes(app: &Arc<App>, feed: FeedServer) -> Routes {
    Routes::new(ReportServiceServer::new(report::Report::new(Arc::clone(app))))
        .add_service(EventFeedServiceServer::new(feed))
}
