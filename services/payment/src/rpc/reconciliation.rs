//! `ReconciliationService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, reconciliation_service_server::ReconciliationService};
use rpc::unary;
use tonic::{Request, Response, Status, Streaming, async_trait};

use super::convert::reconciliation as convert;
use crate::{
    App,
    flows::reconciliation::{
        import_bill::import_bill,
        read_proofs::{get_day_proof, list_breaks},
        reconcile_day::reconcile_day,
        resolve_break::resolve_break,
    },
};

pub(super) struct Reconciliation(pub(super) Arc<App>);

#[async_trait]
impl ReconciliationService for Reconciliation {
    async fn reconcile_day(&self, request: Request<pb::ReconcileDayRequest>) -> Result<Response<pb::DayProof>, Status> {
        unary(request, |ctx, message| reconcile_day(&self.0, ctx, message)).await
    }

    async fn import_bill(
        &self,
        request: Request<Streaming<pb::ImportBillRequest>>,
    ) -> Result<Response<pb::DayProof>, Status> {
        let (metadata, extensions, mut rest) = request.into_parts();
        let first = rest.message().await?.unwrap_or_default();
        let first = Request::from_parts(metadata, extensions, first);
        unary(first, |ctx, first| import_bill(&self.0, ctx, first, rest)).await
    }

    async fn get_day_proof(&self, request: Request<pb::GetDayProofRequest>) -> Result<Response<pb::DayProof>, Status> {
        unary(request, |ctx, message| async { Ok(convert::proof(&get_day_proof(&self.0, ctx, message).await?)) }).await
    }

    async fn list_breaks(
        &self,
        request: Request<pb::ListBreaksRequest>,
    ) -> Result<Response<pb::ListBreaksResponse>, Status> {
        unary(request, |ctx, message| async {
            let (breaks, next_page_token) = list_breaks(&self.0, ctx, message).await?;
            Ok(pb::ListBreaksResponse { breaks: breaks.iter().map(convert::broken).collect(), next_page_token })
        })
        .await
    }

    async fn resolve_break(
        &self,
        request: Request<pb::ResolveBreakRequest>,
    ) -> Result<Response<pb::ReconciliationBreak>, Status> {
        unary(request, |ctx, message| resolve_break(&self.0, ctx, message)).await
    }
}
