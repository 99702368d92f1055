//! `RiskService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, risk_service_server::RiskService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::risk as convert;
use crate::{
    App,
    flows::risk::{
        edit_rules::{create_rule, update_rule},
        read::{get_review, get_rule, list_reviews, list_rules},
        resolve::resolve_review,
    },
};

pub(super) struct Risk(pub(super) Arc<App>);

#[async_trait]
impl RiskService for Risk {
    async fn create_risk_rule(
        &self,
        request: Request<pb::CreateRiskRuleRequest>,
    ) -> Result<Response<pb::RiskRule>, Status> {
        unary(request, |ctx, message| create_rule(&self.0, ctx, message)).await
    }

    async fn update_risk_rule(
        &self,
        request: Request<pb::UpdateRiskRuleRequest>,
    ) -> Result<Response<pb::RiskRule>, Status> {
        unary(request, |ctx, message| update_rule(&self.0, ctx, message)).await
    }

    async fn get_risk_rule(&self, request: Request<pb::GetRiskRuleRequest>) -> Result<Response<pb::RiskRule>, Status> {
        unary(request, |ctx, message| async { Ok(convert::to_rule(&get_rule(&self.0, ctx, message).await?)) }).await
    }

    async fn list_risk_rules(
        &self,
        request: Request<pb::ListRiskRulesRequest>,
    ) -> Result<Response<pb::ListRiskRulesResponse>, Status> {
        unary(request, |ctx, message| async {
            let (rules, next_page_token) = list_rules(&self.0, ctx, message).await?;
            Ok(pb::ListRiskRulesResponse { rules: rules.iter().map(convert::to_rule).collect(), next_page_token })
        })
        .await
    }

    async fn list_reviews(
        &self,
        request: Request<pb::ListReviewsRequest>,
    ) -> Result<Response<pb::ListReviewsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (reviews, next_page_token) = list_reviews(&self.0, ctx, message).await?;
            Ok(pb::ListReviewsResponse { reviews: reviews.iter().map(convert::to_review).collect(), next_page_token })
        })
        .await
    }

    async fn get_review(&self, request: Request<pb::GetReviewRequest>) -> Result<Response<pb::RiskReview>, Status> {
        unary(request, |ctx, message| async { Ok(convert::to_review(&get_review(&self.0, ctx, message).await?)) }).await
    }

    async fn resolve_review(
        &self,
        request: Request<pb::ResolveReviewRequest>,
    ) -> Result<Response<pb::RiskReview>, Status> {
        unary(request, |ctx, message| resolve_review(&self.0, ctx, message)).await
    }
}
