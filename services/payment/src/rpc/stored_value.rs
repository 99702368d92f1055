//! `StoredValueService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, stored_value_service_server::StoredValueService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::stored_value as convert;
use crate::{
    App,
    flows::stored_value::{
        campaigns, change_card,
        get_statement::get_statement,
        issue_card::issue_card,
        limits,
        read_cards::{get_card, list_cards, list_lots},
        refund_card,
        reissue_card::reissue_card,
        top_up::top_up_card,
    },
};

pub(super) struct StoredValue(pub(super) Arc<App>);

#[async_trait]
impl StoredValueService for StoredValue {
    async fn create_top_up_campaign(
        &self,
        request: Request<pb::CreateTopUpCampaignRequest>,
    ) -> Result<Response<pb::TopUpCampaign>, Status> {
        unary(request, |ctx, message| campaigns::create(&self.0, ctx, message)).await
    }

    async fn update_top_up_campaign(
        &self,
        request: Request<pb::UpdateTopUpCampaignRequest>,
    ) -> Result<Response<pb::TopUpCampaign>, Status> {
        unary(request, |ctx, message| campaigns::update(&self.0, ctx, message)).await
    }

    async fn list_top_up_campaigns(
        &self,
        request: Request<pb::ListTopUpCampaignsRequest>,
    ) -> Result<Response<pb::ListTopUpCampaignsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (campaigns, next_page_token) = campaigns::list(&self.0, ctx, message).await?;
            let campaigns = campaigns.iter().map(convert::campaign).collect();
            Ok(pb::ListTopUpCampaignsResponse { campaigns, next_page_token })
        })
        .await
    }

    async fn set_liability_limit(
        &self,
        request: Request<pb::SetLiabilityLimitRequest>,
    ) -> Result<Response<pb::LiabilityLimit>, Status> {
        unary(request, |ctx, message| limits::set(&self.0, ctx, message)).await
    }

    async fn list_liability_limits(
        &self,
        request: Request<pb::ListLiabilityLimitsRequest>,
    ) -> Result<Response<pb::ListLiabilityLimitsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (limits, next_page_token) = limits::list(&self.0, ctx, message).await?;
            let limits = limits.iter().map(|(limit, owed)| convert::limit(limit, *owed)).collect();
            Ok(pb::ListLiabilityLimitsResponse { limits, next_page_token })
        })
        .await
    }

    async fn issue_card(&self, request: Request<pb::IssueCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| issue_card(&self.0, ctx, message)).await
    }

    async fn get_card(&self, request: Request<pb::GetCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| get_card(&self.0, ctx, message)).await
    }

    async fn list_cards(
        &self,
        request: Request<pb::ListCardsRequest>,
    ) -> Result<Response<pb::ListCardsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (cards, next_page_token) = list_cards(&self.0, ctx, message).await?;
            let now = self.0.clock.now();
            let cards = cards.iter().map(|card| convert::card(card, now)).collect::<kernel::Result<_>>()?;
            Ok(pb::ListCardsResponse { cards, next_page_token })
        })
        .await
    }

    async fn list_card_lots(
        &self,
        request: Request<pb::ListCardLotsRequest>,
    ) -> Result<Response<pb::ListCardLotsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (lots, next_page_token) = list_lots(&self.0, ctx, message).await?;
            Ok(pb::ListCardLotsResponse { lots: lots.iter().map(convert::lot).collect(), next_page_token })
        })
        .await
    }

    async fn get_card_statement(
        &self,
        request: Request<pb::GetCardStatementRequest>,
    ) -> Result<Response<pb::CardStatement>, Status> {
        unary(request, |ctx, message| async { Ok(convert::statement(get_statement(&self.0, ctx, message).await?)) })
            .await
    }

    async fn top_up_card(&self, request: Request<pb::TopUpCardRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| top_up_card(&self.0, ctx, message)).await
    }

    async fn report_card_lost(
        &self,
        request: Request<pb::ReportCardLostRequest>,
    ) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| change_card::report_lost(&self.0, ctx, message)).await
    }

    async fn freeze_card(&self, request: Request<pb::FreezeCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| change_card::freeze(&self.0, ctx, message)).await
    }

    async fn unfreeze_card(&self, request: Request<pb::UnfreezeCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| change_card::unfreeze(&self.0, ctx, message)).await
    }

    async fn reissue_card(&self, request: Request<pb::ReissueCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| reissue_card(&self.0, ctx, message)).await
    }

    async fn preview_card_refund(
        &self,
        request: Request<pb::PreviewCardRefundRequest>,
    ) -> Result<Response<pb::CardRefund>, Status> {
        unary(request, |ctx, message| refund_card::preview(&self.0, ctx, message)).await
    }

    async fn refund_card(&self, request: Request<pb::RefundCardRequest>) -> Result<Response<pb::CardRefund>, Status> {
        unary(request, |ctx, message| refund_card::refund_card(&self.0, ctx, message)).await
    }

    async fn transfer_card(&self, request: Request<pb::TransferCardRequest>) -> Result<Response<pb::Card>, Status> {
        unary(request, |ctx, message| change_card::transfer(&self.0, ctx, message)).await
    }
}
