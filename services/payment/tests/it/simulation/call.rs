//! Requests as they are sent: each can be sent again, to the byte.

use prost::Message;
use proto::payment::v1::{
    self as pb, checkout_service_client::CheckoutServiceClient, payment_service_client::PaymentServiceClient,
    prepaid_service_client::PrepaidServiceClient, stored_value_service_client::StoredValueServiceClient,
};
use testkit::with_token;
use tonic::Status;

use super::world::Door;

macro_rules! calls {
    ($($name:ident($request:ty) = $client:ident.$method:ident;)*) => {
        /// A request.
        #[derive(Debug, Clone)]
        pub enum Call { $($name($request),)* }

        impl Call {
            /// Sends it; the bytes of the answer.
            pub async fn send(&self, door: Door, token: &str) -> Result<Vec<u8>, Status> {
                match self {
                    $(Self::$name(request) => {
                        let reply = $client::new(door).$method(with_token(request.clone(), token)).await?;
                        Ok(reply.into_inner().encode_to_vec())
                    })*
                }
            }
        }
    };
}

calls! {
    CreateOrder(pb::CreateOrderRequest) = PaymentServiceClient.create_order;
    AmendOrder(pb::AmendOrderRequest) = PaymentServiceClient.amend_order;
    PayOrder(pb::PayOrderRequest) = PaymentServiceClient.pay_order;
    CloseOrder(pb::CloseOrderRequest) = PaymentServiceClient.close_order;
    StartCheckout(pb::StartCheckoutRequest) = CheckoutServiceClient.start_checkout;
    CancelCheckout(pb::CancelCheckoutRequest) = CheckoutServiceClient.cancel_checkout;
    RefundOrder(pb::RefundOrderRequest) = CheckoutServiceClient.refund_order;
    IssueCard(pb::IssueCardRequest) = StoredValueServiceClient.issue_card;
    TopUpCard(pb::TopUpCardRequest) = StoredValueServiceClient.top_up_card;
    ReportCardLost(pb::ReportCardLostRequest) = StoredValueServiceClient.report_card_lost;
    FreezeCard(pb::FreezeCardRequest) = StoredValueServiceClient.freeze_card;
    UnfreezeCard(pb::UnfreezeCardRequest) = StoredValueServiceClient.unfreeze_card;
    ReissueCard(pb::ReissueCardRequest) = StoredValueServiceClient.reissue_card;
    TransferCard(pb::TransferCardRequest) = StoredValueServiceClient.transfer_card;
    Campaign(pb::CreateTopUpCampaignRequest) = StoredValueServiceClient.create_top_up_campaign;
    CreateContract(pb::CreateContractRequest) = PrepaidServiceClient.create_contract;
    ReserveUse(pb::ReserveUseRequest) = PrepaidServiceClient.reserve_use;
    CommitUse(pb::CommitUseRequest) = PrepaidServiceClient.commit_use;
    VoidUse(pb::VoidUseRequest) = PrepaidServiceClient.void_use;
    FreezeContract(pb::FreezeContractRequest) = PrepaidServiceClient.freeze_contract;
    UnfreezeContract(pb::UnfreezeContractRequest) = PrepaidServiceClient.unfreeze_contract;
    ExtendContract(pb::ExtendContractRequest) = PrepaidServiceClient.extend_contract;
    TransferContract(pb::TransferContractRequest) = PrepaidServiceClient.transfer_contract;
    RefundContract(pb::RefundContractRequest) = PrepaidServiceClient.refund_contract;
}
