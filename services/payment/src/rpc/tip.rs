//! `TipService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, tip_service_server::TipService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    flows::tip::{add::add_tip, balance::get_tip_balance, pay_out::pay_out_tips},
};

pub(super) struct Tips(pub(super) Arc<App>);

#[async_trait]
impl TipService for Tips {
    async fn add_tip(&self, request: Request<pb::AddTipRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| add_tip(&self.0, ctx, message)).await
    }

    async fn get_tip_balance(
        &self,
        request: Request<pb::GetTipBalanceRequest>,
    ) -> Result<Response<pb::TipBalance>, Status> {
        unary(request, |ctx, message| get_tip_balance(&self.0, ctx, message)).await
    }

    async fn pay_out_tips(&self, request: Request<pb::PayOutTipsRequest>) -> Result<Response<pb::TipPayout>, Status> {
        unary(request, |ctx, message| pay_out_tips(&self.0, ctx, message)).await
    }
}
