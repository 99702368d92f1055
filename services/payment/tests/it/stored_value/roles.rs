//! A call of each RPC, for whoever tries all roles on it.

use proto::payment::v1 as pb;

use super::desk::Desk;
use crate::{
    house::House,
    roles::{reason, sent},
    wire::{cny, fresh},
};

/// The reason for which a call is refused; empty if it isn't. A card of the house's member is made for it.
pub async fn call(house: &House, rpc: &str, token: Option<&str>) -> String {
    let mut client = Desk::client_of(house);
    let once = || fresh().to_string();
    let card = Desk::issue_at(house, Desk::wish_at(house, Some(house.member))).await.name;
    match rpc {
        "CreateTopUpCampaign" => {
            let request =
                pb::CreateTopUpCampaignRequest { campaign: Some(Desk::offer_at(house, 100, 1)), request_id: once() };
            reason(client.create_top_up_campaign(sent(request, token)).await)
        }
        "UpdateTopUpCampaign" => {
            let campaign = Desk::campaign_at(house, Desk::offer_at(house, 100, 1)).await.expect("a campaign");
            let request = pb::UpdateTopUpCampaignRequest { campaign: Some(campaign), request_id: once() };
            reason(client.update_top_up_campaign(sent(request, token)).await)
        }
        "ListTopUpCampaigns" => {
            reason(client.list_top_up_campaigns(sent(pb::ListTopUpCampaignsRequest::default(), token)).await)
        }
        "SetLiabilityLimit" => {
            let limit = pb::LiabilityLimit { limit: cny(100_000), ..Default::default() };
            let request = pb::SetLiabilityLimitRequest { limit: Some(limit), request_id: once() };
            reason(client.set_liability_limit(sent(request, token)).await)
        }
        "ListLiabilityLimits" => {
            reason(client.list_liability_limits(sent(pb::ListLiabilityLimitsRequest::default(), token)).await)
        }
        "IssueCard" => reason(client.issue_card(sent(Desk::wish_at(house, Some(house.member)), token)).await),
        "GetCard" => reason(client.get_card(sent(pb::GetCardRequest { name: card }, token)).await),
        "ListCards" => reason(client.list_cards(sent(pb::ListCardsRequest::default(), token)).await),
        "ListCardLots" => {
            let request = pb::ListCardLotsRequest { parent: card, ..Default::default() };
            reason(client.list_card_lots(sent(request, token)).await)
        }
        "GetCardStatement" => {
            let request = pb::GetCardStatementRequest { card, ..Default::default() };
            reason(client.get_card_statement(sent(request, token)).await)
        }
        "TopUpCard" => {
            let request = pb::TopUpCardRequest { card, amount: cny(1), customer: String::new(), request_id: once() };
            reason(client.top_up_card(sent(request, token)).await)
        }
        "ReportCardLost" => {
            let request = pb::ReportCardLostRequest { name: card, request_id: once() };
            reason(client.report_card_lost(sent(request, token)).await)
        }
        "FreezeCard" => {
            let request = pb::FreezeCardRequest { name: card, reason: "INQUIRY".to_owned(), request_id: once() };
            reason(client.freeze_card(sent(request, token)).await)
        }
        "UnfreezeCard" => {
            let request = pb::UnfreezeCardRequest { name: card, request_id: once() };
            reason(client.unfreeze_card(sent(request, token)).await)
        }
        "ReissueCard" => {
            let lost = pb::ReportCardLostRequest { name: card.clone(), request_id: once() };
            client.report_card_lost(house.as_member(lost)).await.expect("lost");
            let request = pb::ReissueCardRequest { name: card, request_id: once() };
            reason(client.reissue_card(sent(request, token)).await)
        }
        "PreviewCardRefund" => {
            let cause = pb::RefundCause::ConsumerWish.into();
            let request = pb::PreviewCardRefundRequest { card, cause, known_elsewhere: false };
            reason(client.preview_card_refund(sent(request, token)).await)
        }
        "RefundCard" => {
            let cause = pb::RefundCause::ConsumerWish.into();
            let request = pb::RefundCardRequest { card, cause, request_id: once(), ..Default::default() };
            reason(client.refund_card(sent(request, token)).await)
        }
        "TransferCard" => {
            let request =
                pb::TransferCardRequest { name: card, holder: format!("members/{}", fresh()), request_id: once() };
            reason(client.transfer_card(sent(request, token)).await)
        }
        other => format!("no call of {other} is known here"),
    }
}
