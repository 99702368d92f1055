//! `InvoiceService`.

use std::sync::Arc;

use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, invoice_service_server::InvoiceService},
};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::invoice as convert;
use crate::{
    App,
    flows::invoice::{
        download::download_invoice,
        read::{get_invoice, list_invoices},
        request::request_invoice,
        reverse::reverse_invoice,
    },
};

pub(super) struct Invoices(pub(super) Arc<App>);

#[async_trait]
impl InvoiceService for Invoices {
    async fn request_invoice(
        &self,
        request: Request<pb::RequestInvoiceRequest>,
    ) -> Result<Response<pb::Invoice>, Status> {
        unary(request, |ctx, message| request_invoice(&self.0, ctx, message)).await
    }

    async fn get_invoice(&self, request: Request<pb::GetInvoiceRequest>) -> Result<Response<pb::Invoice>, Status> {
        unary(request, |ctx, message| async {
            let (invoice, buyer) = get_invoice(&self.0, ctx, message).await?;
            Ok(convert::invoice(&invoice, buyer.as_ref()))
        })
        .await
    }

    async fn list_invoices(
        &self,
        request: Request<pb::ListInvoicesRequest>,
    ) -> Result<Response<pb::ListInvoicesResponse>, Status> {
        unary(request, |ctx, message| async {
            let (invoices, next_page_token) = list_invoices(&self.0, ctx, message).await?;
            let invoices = invoices.iter().map(|invoice| convert::invoice(invoice, None)).collect();
            Ok(pb::ListInvoicesResponse { invoices, next_page_token })
        })
        .await
    }

    async fn reverse_invoice(
        &self,
        request: Request<pb::ReverseInvoiceRequest>,
    ) -> Result<Response<pb::Invoice>, Status> {
        unary(request, |ctx, message| reverse_invoice(&self.0, ctx, message)).await
    }

    async fn download_invoice(
        &self,
        request: Request<pb::DownloadInvoiceRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        unary(request, |ctx, message| async {
            let data = download_invoice(&self.0, ctx, message).await?;
            Ok(HttpBody { content_type: "application/pdf".to_owned(), data, extensions: Vec::new() })
        })
        .await
    }
}
