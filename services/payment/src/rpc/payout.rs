//! `PayoutService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, payout_service_server::PayoutService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::payout as convert;
use crate::{
    App,
    flows::payout::{list::list_payouts, make::make_payout},
};

pub(super) struct Payouts(pub(super) Arc<App>);

#[async_trait]
impl PayoutService for Payouts {
    async fn list_payouts(
        &self,
        request: Request<pb::ListPayoutsRequest>,
    ) -> Result<Response<pb::ListPayoutsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (payouts, next_page_token) = list_payouts(&self.0, ctx, message).await?;
            let payouts = payouts.iter().map(convert::payout).collect::<kernel::Result<_>>()?;
            Ok(pb::ListPayoutsResponse { payouts, next_page_token })
        })
        .await
    }

    async fn make_payout(&self, request: Request<pb::MakePayoutRequest>) -> Result<Response<pb::Payout>, Status> {
        unary(request, |ctx, message| make_payout(&self.0, ctx, message)).await
    }
}
