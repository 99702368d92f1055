//! `CommissionService`.

use std::sync::Arc;

use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, commission_service_server::CommissionService},
};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::{
    commission as convert,
    settlement::{to_csv, to_head, to_settlement},
};
use crate::{
    App,
    flows::commission::{
        confirm_settlement::confirm_settlement,
        create_rule::create_rule,
        draft_settlement::draft_settlement,
        link_therapist::link_therapist,
        list_accruals::list_accruals,
        pay_settlement::pay_settlement,
        preview::preview,
        read_rules::{get_rule, list_rules},
        read_settlements::{export_settlement, get_settlement, list_settlements},
        retire_rule::retire_rule,
    },
};

pub(super) struct Commission(pub(super) Arc<App>);

#[async_trait]
impl CommissionService for Commission {
    async fn create_commission_rule(
        &self,
        request: Request<pb::CreateCommissionRuleRequest>,
    ) -> Result<Response<pb::CommissionRule>, Status> {
        unary(request, |ctx, message| create_rule(&self.0, ctx, message)).await
    }

    async fn retire_commission_rule(
        &self,
        request: Request<pb::RetireCommissionRuleRequest>,
    ) -> Result<Response<pb::CommissionRule>, Status> {
        unary(request, |ctx, message| retire_rule(&self.0, ctx, message)).await
    }

    async fn get_commission_rule(
        &self,
        request: Request<pb::GetCommissionRuleRequest>,
    ) -> Result<Response<pb::CommissionRule>, Status> {
        unary(request, |ctx, message| async { Ok(convert::to_rule(&get_rule(&self.0, ctx, message).await?)) }).await
    }

    async fn list_commission_rules(
        &self,
        request: Request<pb::ListCommissionRulesRequest>,
    ) -> Result<Response<pb::ListCommissionRulesResponse>, Status> {
        unary(request, |ctx, message| async {
            let (rules, next_page_token) = list_rules(&self.0, ctx, message).await?;
            Ok(pb::ListCommissionRulesResponse { rules: rules.iter().map(convert::to_rule).collect(), next_page_token })
        })
        .await
    }

    async fn preview_commission(
        &self,
        request: Request<pb::PreviewCommissionRequest>,
    ) -> Result<Response<pb::PreviewCommissionResponse>, Status> {
        unary(request, |ctx, message| async {
            let shares = preview(&self.0, ctx, message).await?;
            Ok(pb::PreviewCommissionResponse { shares: shares.iter().map(convert::to_share).collect() })
        })
        .await
    }

    async fn link_therapist(
        &self,
        request: Request<pb::LinkTherapistRequest>,
    ) -> Result<Response<pb::TherapistLink>, Status> {
        unary(request, |ctx, message| link_therapist(&self.0, ctx, message)).await
    }

    async fn list_accruals(
        &self,
        request: Request<pb::ListAccrualsRequest>,
    ) -> Result<Response<pb::ListAccrualsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (accruals, next_page_token) = list_accruals(&self.0, ctx, message).await?;
            let now = self.0.clock.now();
            let accruals = accruals.iter().map(|accrual| convert::to_accrual(accrual, now)).collect();
            Ok(pb::ListAccrualsResponse { accruals, next_page_token })
        })
        .await
    }

    async fn draft_settlement(
        &self,
        request: Request<pb::DraftSettlementRequest>,
    ) -> Result<Response<pb::CommissionSettlement>, Status> {
        unary(request, |ctx, message| draft_settlement(&self.0, ctx, message)).await
    }

    async fn confirm_settlement(
        &self,
        request: Request<pb::ConfirmSettlementRequest>,
    ) -> Result<Response<pb::CommissionSettlement>, Status> {
        unary(request, |ctx, message| confirm_settlement(&self.0, ctx, message)).await
    }

    async fn pay_settlement(
        &self,
        request: Request<pb::PaySettlementRequest>,
    ) -> Result<Response<pb::CommissionSettlement>, Status> {
        unary(request, |ctx, message| pay_settlement(&self.0, ctx, message)).await
    }

    async fn get_settlement(
        &self,
        request: Request<pb::GetSettlementRequest>,
    ) -> Result<Response<pb::CommissionSettlement>, Status> {
        unary(request, |ctx, message| async {
            let (settlement, lines) = get_settlement(&self.0, ctx, message).await?;
            to_settlement(&settlement, &lines)
        })
        .await
    }

    async fn list_settlements(
        &self,
        request: Request<pb::ListSettlementsRequest>,
    ) -> Result<Response<pb::ListSettlementsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (lists, next_page_token) = list_settlements(&self.0, ctx, message).await?;
            Ok(pb::ListSettlementsResponse { settlements: lists.iter().map(to_head).collect(), next_page_token })
        })
        .await
    }

    async fn export_settlement(
        &self,
        request: Request<pb::ExportSettlementRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        unary(request, |ctx, message| async { to_csv(&export_settlement(&self.0, ctx, message).await?) }).await
    }
}
