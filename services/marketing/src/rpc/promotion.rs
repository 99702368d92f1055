//! `PromotionService`.

use std::sync::Arc;

use kernel::ids::QuoteId;
use proto::marketing::v1::{self as pb, promotion_service_server::PromotionService};
use rpc::{
    paging::{Listing, PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status, async_trait};

use super::convert;
use crate::{
    App,
    flows::{
        Once, create_quote::create_quote, get_quote::get_quote, list_coupons::list_coupons,
        preview_quote::preview_quote,
    },
};

/// The service as tonic sees it.
pub struct Service {
    app: Arc<App>,
}

impl Service {
    /// Serves `app`.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl PromotionService for Service {
    async fn preview_quote(&self, request: Request<pb::PreviewQuoteRequest>) -> Result<Response<pb::Quote>, Status> {
        unary(request, |ctx, message| async move {
            let wanted = convert::read_preview(&ctx.caller, &message)?;
            let priced = preview_quote(&self.app, &ctx.caller, &wanted).await?;
            Ok(convert::to_preview(&wanted, &priced, self.app.clock.now()))
        })
        .await
    }

    async fn create_quote(&self, request: Request<pb::CreateQuoteRequest>) -> Result<Response<pb::Quote>, Status> {
        unary(request, |ctx, message| async move {
            let wanted = convert::read_wanted(&message)?;
            let once = Once { key: convert::key(&ctx, &message.request_id)?, message: &message };
            let replaces = match message.replaces.as_str() {
                "" => None,
                name => Some(QuoteId::parse_name("replaces", name)?),
            };
            create_quote(&self.app, once, wanted, replaces).await
        })
        .await
    }

    async fn get_quote(&self, request: Request<pb::GetQuoteRequest>) -> Result<Response<pb::Quote>, Status> {
        unary(request, |ctx, message| async move {
            let id = QuoteId::parse_name("name", &message.name)?;
            Ok(convert::to_quote(&get_quote(&self.app, &ctx.caller, id).await?))
        })
        .await
    }

    async fn list_coupons(
        &self,
        request: Request<pb::ListCouponsRequest>,
    ) -> Result<Response<pb::ListCouponsResponse>, Status> {
        unary(request, |ctx, message| async move {
            let customer = convert::customer(&ctx.caller, &message.customer)?;
            let listing = Listing::new(ctx.method).with(customer.name());
            let page = PageRequest::parse(message.page_size, &message.page_token, listing)?;
            let coupons = list_coupons(&self.app, &ctx.caller, customer, convert::page(&page)?).await?;
            let (coupons, next_page_token) = page.cut(coupons, |(last, _)| time_key(last.create_time, last.id.uuid()));
            let coupons = coupons.iter().map(|(coupon, standing)| convert::to_coupon(coupon, *standing)).collect();
            Ok(pb::ListCouponsResponse { coupons, next_page_token })
        })
        .await
    }
}
