//! `CheckoutService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, checkout_service_server::CheckoutService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    flows::{
        checkout::{cancel::cancel_checkout, read::get_checkout, start::start_checkout},
        refund_order::{preview_refund, refund_order},
    },
};

pub(super) struct Checkouts(pub(super) Arc<App>);

#[async_trait]
impl CheckoutService for Checkouts {
    async fn start_checkout(
        &self,
        request: Request<pb::StartCheckoutRequest>,
    ) -> Result<Response<pb::Checkout>, Status> {
        unary(request, |ctx, message| start_checkout(&self.0, ctx, message)).await
    }

    async fn get_checkout(&self, request: Request<pb::GetCheckoutRequest>) -> Result<Response<pb::Checkout>, Status> {
        unary(request, |ctx, message| get_checkout(&self.0, ctx, message)).await
    }

    async fn cancel_checkout(
        &self,
        request: Request<pb::CancelCheckoutRequest>,
    ) -> Result<Response<pb::Checkout>, Status> {
        unary(request, |ctx, message| cancel_checkout(&self.0, ctx, message)).await
    }

    async fn refund_order(
        &self,
        request: Request<pb::RefundOrderRequest>,
    ) -> Result<Response<pb::OrderReturn>, Status> {
        unary(request, |ctx, message| refund_order(&self.0, ctx, message)).await
    }

    async fn preview_refund(
        &self,
        request: Request<pb::PreviewRefundRequest>,
    ) -> Result<Response<pb::PreviewRefundResponse>, Status> {
        unary(request, |ctx, message| preview_refund(&self.0, ctx, message)).await
    }
}
