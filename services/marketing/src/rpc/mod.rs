//! Decode → flow → encode, a few lines an RPC.

pub mod convert;
mod coupon;
mod message;
mod promotion;

use std::sync::Arc;

use feed::FeedServer;
use proto::{
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    marketing::v1::{
        coupon_service_server::CouponServiceServer, message_service_server::MessageServiceServer,
        promotion_service_server::PromotionServiceServer,
    },
};
use tonic::service::Routes;

use crate::App;

/// Everything that the marketing service serves.
pub fn routes(app: &Arc<App>, feed: FeedServer) -> Routes {
    Routes::new(PromotionServiceServer::new(promotion::Service::new(Arc::clone(app))))
        .add_service(CouponServiceServer::new(coupon::Service::new(Arc::clone(app))))
        .add_service(MessageServiceServer::new(message::Service::new(Arc::clone(app))))
        .add_service(EventFeedServiceServer::new(feed))
}
