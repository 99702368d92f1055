//! `RecordsService`.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, records_service_server::RecordsService},
};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::records as convert;
use crate::{
    App,
    flows::records::{export_payments::export_payments, search_payments::search_payments},
};

/// What an export is, piece by piece.
const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

pub(super) struct Records(pub(super) Arc<App>);

#[async_trait]
impl RecordsService for Records {
    type ExportPaymentsStream = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

    async fn search_payments(
        &self,
        request: Request<pb::SearchPaymentsRequest>,
    ) -> Result<Response<pb::SearchPaymentsResponse>, Status> {
        unary(request, |ctx, message| async {
            let (found, next_page_token) = search_payments(&self.0, ctx, message).await?;
            Ok(pb::SearchPaymentsResponse { payments: found.iter().map(convert::record).collect(), next_page_token })
        })
        .await
    }

    async fn export_payments(
        &self,
        request: Request<pb::ExportPaymentsRequest>,
    ) -> Result<Response<Self::ExportPaymentsStream>, Status> {
        unary(request, |ctx, message| async {
            let pieces = export_payments(&self.0, ctx, message).await?;
            let body = |piece: String| HttpBody {
                content_type: CONTENT_TYPE.to_owned(),
                data: piece.into_bytes().into(),
                extensions: Vec::new(),
            };
            let bodies: Self::ExportPaymentsStream =
                Box::pin(pieces.map(move |piece| piece.map(body).map_err(rpc::status)));
            Ok(bodies)
        })
        .await
    }
}
