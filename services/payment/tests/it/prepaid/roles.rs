//! A call of each RPC that is about a contract, for the test of roles.

use proto::payment::v1::{self as pb, prepaid_service_client::PrepaidServiceClient};
use testkit::with_token;
use tonic::{Request, Status};

use super::shop::ten;
use crate::{house::House, wire::fresh};

/// The RPCs, and why one is refused that is allowed: the contract is not paid.
pub const REFUSALS: [(&str, &str); 12] = [
    ("CreateContract", ""),
    ("GetContract", ""),
    ("ListContracts", ""),
    ("ReserveUse", "CONTRACT_NOT_USABLE"),
    ("CommitUse", "NOT_FOUND"),
    ("VoidUse", "NOT_FOUND"),
    ("FreezeContract", "CONTRACT_NOT_ACTIVE"),
    ("UnfreezeContract", "CONTRACT_NOT_FROZEN"),
    ("ExtendContract", "CONTRACT_ENDED"),
    ("TransferContract", "CONTRACT_NOT_ACTIVE"),
    ("PreviewContractRefund", "CONTRACT_NOT_REFUNDABLE"),
    ("RefundContract", "CONTRACT_NOT_REFUNDABLE"),
];

/// Calls an RPC about a fresh contract of the house's member.
pub async fn call(house: &House, rpc: &str, token: Option<&str>) -> Result<(), Status> {
    let mut client = PrepaidServiceClient::new(house.channel.clone());
    let new = pb::CreateContractRequest {
        contract_id: fresh().to_string(),
        customer: house.member.name(),
        store: house.store.name(),
        terms: Some(ten()),
        request_id: fresh().to_string(),
    };
    if rpc == "CreateContract" {
        return client.create_contract(sent(new, token)).await.map(drop);
    }
    let name = client.create_contract(house.as_booking(new)).await.expect("a contract").into_inner().name;
    let (request_id, cause) = (fresh().to_string(), pb::RefundCause::ConsumerWish.into());
    let unknown = format!("contractUses/{}", fresh());
    match rpc {
        "GetContract" => client.get_contract(sent(pb::GetContractRequest { name }, token)).await.map(drop),
        "ListContracts" => client.list_contracts(sent(pb::ListContractsRequest::default(), token)).await.map(drop),
        "ReserveUse" => {
            let (use_id, item) = (fresh().to_string(), "items/massage".to_owned());
            let request = pb::ReserveUseRequest { name, use_id, item, store: house.store.name(), request_id };
            client.reserve_use(sent(request, token)).await.map(drop)
        }
        "CommitUse" => {
            let request = pb::CommitUseRequest { name: unknown, request_id };
            client.commit_use(sent(request, token)).await.map(drop)
        }
        "VoidUse" => client.void_use(sent(pb::VoidUseRequest { name: unknown, request_id }, token)).await.map(drop),
        "FreezeContract" => {
            let request = pb::FreezeContractRequest { name, days: 1, request_id };
            client.freeze_contract(sent(request, token)).await.map(drop)
        }
        "UnfreezeContract" => {
            client.unfreeze_contract(sent(pb::UnfreezeContractRequest { name, request_id }, token)).await.map(drop)
        }
        "ExtendContract" => {
            let request = pb::ExtendContractRequest { name, days: 1, request_id };
            client.extend_contract(sent(request, token)).await.map(drop)
        }
        "TransferContract" => {
            let request = pb::TransferContractRequest { name, holder: format!("members/{}", fresh()), request_id };
            client.transfer_contract(sent(request, token)).await.map(drop)
        }
        "PreviewContractRefund" => {
            let request = pb::PreviewContractRefundRequest { name, cause, ..Default::default() };
            client.preview_contract_refund(sent(request, token)).await.map(drop)
        }
        "RefundContract" => {
            let request = pb::RefundContractRequest { name, cause, request_id, ..Default::default() };
            client.refund_contract(sent(request, token)).await.map(drop)
        }
        other => Err(Status::unimplemented(format!("no call of {other} is known here"))),
    }
}

fn sent<T>(message: T, token: Option<&str>) -> Request<T> {
    match token {
        Some(token) => with_token(message, token),
        None => Request::new(message),
    }
}
