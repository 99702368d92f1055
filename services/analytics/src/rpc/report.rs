//! `ReportService`.

use std::sync::Arc;

use kernel::ids::StoreId;
use proto::analytics::v1::{self as pb, report_service_server::ReportService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert;
use crate::{
    App,
    flows::{list_daily_figures::list_daily_figures, list_feed_positions::list_feed_positions},
};

/// The service as tonic sees it.
pub struct Report {
    app: Arc<App>,
}

impl Report {
    /// Serves `app`.
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl ReportService for Report {
    async fn list_daily_figures(
        &self,
        request: Request<pb::ListDailyFiguresRequest>,
    ) -> Result<Response<pb::ListDailyFiguresResponse>, Status> {
        unary(request, |ctx, message| async move {
            let store = StoreId::parse_name("store", &message.store)?;
            let period = convert::period(&message)?;
            let days = list_daily_figures(&self.app, &ctx, store, period).await?;
            let daily_figures =
                days.iter().map(|day| convert::to_daily_figures(store, day)).collect::<Result<_, _>>()?;
            Ok(pb::ListDailyFiguresResponse { daily_figures })
        })
        .await
    }

    async fn list_feed_positions(
        &self,
        request: Request<pb::ListFeedPositionsRequest>,
    ) -> Result<Response<pb::ListFeedPositionsResponse>, Status> {
        unary(request, |_, _| async {
            let positions = list_feed_positions(&self.app).await?;
            let feed_positions = positions.into_iter().map(convert::to_feed_position).collect();
            Ok(pb::ListFeedPositionsResponse { feed_positions })
        })
        .await
    }
}
