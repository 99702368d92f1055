//! `PaymentService`.

use std::sync::Arc;

use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, payment_service_server::PaymentService},
};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait, metadata::MetadataMap};

use super::convert;
use crate::{
    App,
    flows::{
        amend_order::amend_order,
        close_order::close_order,
        create_order::create_order,
        pay_order::pay_order,
        read_orders::{get_order, list_ledger_accounts, list_orders},
        take_notice::{RawNotice, take_notice},
    },
    peers::signature::{NONCE, SIGNATURE, TIMESTAMP},
};

/// What a provider wants to hear; anything else makes it send the notice again.
const ACKNOWLEDGED: &[u8] = br#"{"code":"SUCCESS"}"#;

pub(super) struct Payments(pub(super) Arc<App>);

#[async_trait]
impl PaymentService for Payments {
    async fn create_order(&self, request: Request<pb::CreateOrderRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| create_order(&self.0, ctx, message)).await
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| async { Ok(convert::order(&get_order(&self.0, ctx, message).await?)) }).await
    }

    async fn list_orders(
        &self,
        request: Request<pb::ListOrdersRequest>,
    ) -> Result<Response<pb::ListOrdersResponse>, Status> {
        unary(request, |ctx, message| async {
            let (orders, next_page_token) = list_orders(&self.0, ctx, message).await?;
            Ok(pb::ListOrdersResponse { orders: orders.iter().map(convert::order).collect(), next_page_token })
        })
        .await
    }

    async fn pay_order(&self, request: Request<pb::PayOrderRequest>) -> Result<Response<pb::Payment>, Status> {
        unary(request, |ctx, message| pay_order(&self.0, ctx, message)).await
    }

    async fn amend_order(&self, request: Request<pb::AmendOrderRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| amend_order(&self.0, ctx, message)).await
    }

    async fn close_order(&self, request: Request<pb::CloseOrderRequest>) -> Result<Response<pb::Order>, Status> {
        unary(request, |ctx, message| close_order(&self.0, ctx, message)).await
    }

    async fn notify_payment(&self, request: Request<pb::NotifyPaymentRequest>) -> Result<Response<HttpBody>, Status> {
        let [signature, timestamp, nonce] = [SIGNATURE, TIMESTAMP, NONCE].map(|key| text(request.metadata(), key));
        unary(request, |_, message| async {
            let body = message.body.unwrap_or_default().data.to_vec();
            take_notice(&self.0, RawNotice { provider: message.provider, signature, timestamp, nonce, body }).await?;
            let content_type = "application/json".to_owned();
            Ok(HttpBody { content_type, data: ACKNOWLEDGED.into(), extensions: Vec::new() })
        })
        .await
    }

    async fn list_ledger_accounts(
        &self,
        request: Request<pb::ListLedgerAccountsRequest>,
    ) -> Result<Response<pb::ListLedgerAccountsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (balances, next_page_token) = list_ledger_accounts(&self.0, ctx, message).await?;
            let ledger_accounts = balances.into_iter().map(convert::ledger_account).collect();
            Ok(pb::ListLedgerAccountsResponse { ledger_accounts, next_page_token })
        })
        .await
    }
}

/// A metadata value; empty if it is missing or no text.
fn text(metadata: &MetadataMap, key: &'static str) -> String {
    metadata.get(key).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
