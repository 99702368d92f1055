//! `PaymentService`.

use std::sync::Arc;

use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, payment_service_server::PaymentService},
};
use rpc::unary;
use tonic::{
    Request, Response, Status, async_trait,
    metadata::{KeyAndValueRef, MetadataMap},
};

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
    peers::Headers,
};

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
        let headers = headers(request.metadata());
        unary(request, |_, message| async {
            let body = message.body.unwrap_or_default().data.to_vec();
            let taken = take_notice(&self.0, RawNotice { provider: message.provider, headers, body }).await?;
            let content_type = taken.content_type.to_owned();
            Ok(HttpBody { content_type, data: taken.body.into(), extensions: Vec::new() })
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

/// The metadata that is text.
fn headers(metadata: &MetadataMap) -> Headers {
    let texts = metadata.iter().filter_map(|entry| match entry {
        KeyAndValueRef::Ascii(key, value) => Some((key.as_str().to_owned(), value.to_str().ok()?.to_owned())),
        KeyAndValueRef::Binary(..) => None,
    });
    texts.collect()
}
