//! `PrepaidService`.

use proto::payment::v1::{self as pb, prepaid_service_server::PrepaidService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use crate::flows::prepaid::quote_refund_by_law::quote_refund_by_law;

pub(super) struct Prepaid;

#[async_trait]
impl PrepaidService for Prepaid {
    async fn quote_refund_by_law(
        &self,
        request: Request<pb::QuoteRefundByLawRequest>,
    ) -> Result<Response<pb::RefundLawQuote>, Status> {
        unary(request, |_, message| async move { quote_refund_by_law(&message) }).await
    }
}
