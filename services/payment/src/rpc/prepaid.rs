//! `PrepaidService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, prepaid_service_server::PrepaidService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use crate::{
    App,
    flows::prepaid::{
        alter_contract::{extend_contract, freeze_contract, transfer_contract, unfreeze_contract},
        create_contract::create_contract,
        decide_use::{commit_use, void_use},
        quote_refund_by_law::quote_refund_by_law,
        read_contracts::{get_contract, list_contracts},
        refund_contract::{preview_contract_refund, refund_contract},
        reserve_use::reserve_use,
    },
};

pub(super) struct Prepaid(pub(super) Arc<App>);

#[async_trait]
impl PrepaidService for Prepaid {
    async fn quote_refund_by_law(
        &self,
        request: Request<pb::QuoteRefundByLawRequest>,
    ) -> Result<Response<pb::RefundLawQuote>, Status> {
        unary(request, |_, message| async move { quote_refund_by_law(&message) }).await
    }

    async fn create_contract(
        &self,
        request: Request<pb::CreateContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| create_contract(&self.0, ctx, message)).await
    }

    async fn get_contract(&self, request: Request<pb::GetContractRequest>) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| get_contract(&self.0, ctx, message)).await
    }

    async fn list_contracts(
        &self,
        request: Request<pb::ListContractsRequest>,
    ) -> Result<Response<pb::ListContractsResponse>, Status> {
        unary(request, |ctx, message| list_contracts(&self.0, ctx, message)).await
    }

    async fn reserve_use(&self, request: Request<pb::ReserveUseRequest>) -> Result<Response<pb::ContractUse>, Status> {
        unary(request, |ctx, message| reserve_use(&self.0, ctx, message)).await
    }

    async fn commit_use(&self, request: Request<pb::CommitUseRequest>) -> Result<Response<pb::ContractUse>, Status> {
        unary(request, |ctx, message| commit_use(&self.0, ctx, message)).await
    }

    async fn void_use(&self, request: Request<pb::VoidUseRequest>) -> Result<Response<pb::ContractUse>, Status> {
        unary(request, |ctx, message| void_use(&self.0, ctx, message)).await
    }

    async fn freeze_contract(
        &self,
        request: Request<pb::FreezeContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| freeze_contract(&self.0, ctx, message)).await
    }

    async fn unfreeze_contract(
        &self,
        request: Request<pb::UnfreezeContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| unfreeze_contract(&self.0, ctx, message)).await
    }

    async fn extend_contract(
        &self,
        request: Request<pb::ExtendContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| extend_contract(&self.0, ctx, message)).await
    }

    async fn transfer_contract(
        &self,
        request: Request<pb::TransferContractRequest>,
    ) -> Result<Response<pb::Contract>, Status> {
        unary(request, |ctx, message| transfer_contract(&self.0, ctx, message)).await
    }

    async fn preview_contract_refund(
        &self,
        request: Request<pb::PreviewContractRefundRequest>,
    ) -> Result<Response<pb::ContractRefund>, Status> {
        unary(request, |ctx, message| preview_contract_refund(&self.0, ctx, message)).await
    }

    async fn refund_contract(
        &self,
        request: Request<pb::RefundContractRequest>,
    ) -> Result<Response<pb::ContractRefund>, Status> {
        unary(request, |ctx, message| refund_contract(&self.0, ctx, message)).await
    }
}
