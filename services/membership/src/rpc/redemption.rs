//! `RedemptionService`.

use std::sync::Arc;

use kernel::ids::{MemberId, OrderId, PointsRedemptionId, parse_uuid};
use proto::membership::v1::{self as pb, redemption_service_server::RedemptionService};
use rpc::{convert::money, unary};
use tonic::{Request, Response, Status};

use crate::{
    App,
    flows::redeem::{
        decide::{commit_points, void_points},
        give_back::return_points,
        reserve::reserve_points,
        terms,
    },
};

pub(super) struct Redemptions(pub(super) Arc<App>);

#[tonic::async_trait]
impl RedemptionService for Redemptions {
    async fn get_redemption_terms(
        &self,
        request: Request<pb::GetRedemptionTermsRequest>,
    ) -> Result<Response<pb::RedemptionTerms>, Status> {
        unary(request, |_, _| async move { terms(&self.0) }).await
    }

    async fn reserve_points(
        &self,
        request: Request<pb::ReservePointsRequest>,
    ) -> Result<Response<pb::PointsRedemption>, Status> {
        unary(request, |_, request| async move { reserve_points(&self.0, &request).await }).await
    }

    async fn commit_points(
        &self,
        request: Request<pb::CommitPointsRequest>,
    ) -> Result<Response<pb::PointsRedemption>, Status> {
        unary(request, |_, request| async move {
            commit_points(&self.0, PointsRedemptionId::parse_name("name", &request.name)?).await
        })
        .await
    }

    async fn void_points(
        &self,
        request: Request<pb::VoidPointsRequest>,
    ) -> Result<Response<pb::PointsRedemption>, Status> {
        unary(request, |_, request| async move {
            let id = PointsRedemptionId::parse_name("name", &request.name)?;
            let member = MemberId::parse_name("member", &request.member)?;
            void_points(&self.0, id, member, OrderId::parse_name("order", &request.order)?).await
        })
        .await
    }

    async fn return_points(
        &self,
        request: Request<pb::ReturnPointsRequest>,
    ) -> Result<Response<pb::PointsRedemption>, Status> {
        unary(request, |_, request| async move {
            let id = PointsRedemptionId::parse_name("name", &request.name)?;
            let amount = money("amount", request.amount.as_ref())?;
            return_points(&self.0, id, parse_uuid("return_id", &request.return_id)?, amount).await
        })
        .await
    }
}
