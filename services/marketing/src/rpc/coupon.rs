//! `CouponService`.

use std::sync::Arc;

use kernel::ids::{CouponId, CouponRedemptionId, MemberId, OrderId};
use proto::marketing::v1::{self as pb, coupon_service_server::CouponService};
use rpc::{
    paging::{Listing, PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status, async_trait};

use super::convert;
use crate::{
    App,
    flows::{
        Once,
        cash_coupon::{
            decide::{commit_coupon, return_coupon, void_coupon},
            issue::issue_coupon,
            list::list_cash_coupons,
            reserve::reserve_coupon,
        },
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
impl CouponService for Service {
    async fn issue_coupon(&self, request: Request<pb::IssueCouponRequest>) -> Result<Response<pb::CashCoupon>, Status> {
        unary(request, |ctx, message| async move {
            let once = Once { key: convert::key(&ctx, &message.request_id)?, message: &message };
            issue_coupon(&self.app, once).await
        })
        .await
    }

    async fn list_cash_coupons(
        &self,
        request: Request<pb::ListCashCouponsRequest>,
    ) -> Result<Response<pb::ListCashCouponsResponse>, Status> {
        unary(request, |ctx, message| async move {
            let customer = convert::customer(&ctx.caller, &message.customer)?;
            let listing = Listing::new(ctx.method).with(customer.name());
            let page = PageRequest::parse(message.page_size, &message.page_token, listing)?;
            let coupons = list_cash_coupons(&self.app, &ctx.caller, customer, convert::page(&page)?).await?;
            let (coupons, next_page_token) = page.cut(coupons, |last| time_key(last.create_time, last.id.uuid()));
            let now = self.app.clock.now();
            let cash_coupons = coupons.iter().map(|coupon| convert::to_cash_coupon(coupon, now)).collect();
            Ok(pb::ListCashCouponsResponse { cash_coupons, next_page_token })
        })
        .await
    }

    async fn reserve_coupon(
        &self,
        request: Request<pb::ReserveCouponRequest>,
    ) -> Result<Response<pb::CouponRedemption>, Status> {
        unary(request, |_, message| async move { reserve_coupon(&self.app, &message).await }).await
    }

    async fn commit_coupon(
        &self,
        request: Request<pb::CommitCouponRequest>,
    ) -> Result<Response<pb::CouponRedemption>, Status> {
        unary(request, |_, message| async move {
            commit_coupon(&self.app, CouponRedemptionId::parse_name("name", &message.name)?).await
        })
        .await
    }

    async fn void_coupon(
        &self,
        request: Request<pb::VoidCouponRequest>,
    ) -> Result<Response<pb::CouponRedemption>, Status> {
        unary(request, |_, message| async move {
            let id = CouponRedemptionId::parse_name("name", &message.name)?;
            let coupon = CouponId::parse_name("coupon", &message.coupon)?;
            let customer = MemberId::parse_name("customer", &message.customer)?;
            void_coupon(&self.app, id, coupon, customer, OrderId::parse_name("order", &message.order)?).await
        })
        .await
    }

    async fn return_coupon(
        &self,
        request: Request<pb::ReturnCouponRequest>,
    ) -> Result<Response<pb::CouponRedemption>, Status> {
        unary(request, |_, message| async move {
            return_coupon(&self.app, CouponRedemptionId::parse_name("name", &message.name)?).await
        })
        .await
    }
}
