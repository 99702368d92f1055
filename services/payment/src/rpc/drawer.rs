//! `DrawerService`.

use std::sync::Arc;

use proto::payment::v1::{self as pb, drawer_service_server::DrawerService};
use rpc::unary;
use tonic::{Request, Response, Status, async_trait};

use super::convert::drawer as convert;
use crate::{
    App,
    flows::drawer::{
        close::close_drawer,
        count::count_drawer,
        open::open_drawer,
        pay_in_out::pay_in_out,
        policy::{get_policy, update_policy},
        read::{get_drawer, get_report, list_drawers},
    },
};

pub(super) struct Drawers(pub(super) Arc<App>);

#[async_trait]
impl DrawerService for Drawers {
    async fn get_drawer_policy(
        &self,
        request: Request<pb::GetDrawerPolicyRequest>,
    ) -> Result<Response<pb::DrawerPolicy>, Status> {
        unary(request, |ctx, message| get_policy(&self.0, ctx, message)).await
    }

    async fn update_drawer_policy(
        &self,
        request: Request<pb::UpdateDrawerPolicyRequest>,
    ) -> Result<Response<pb::DrawerPolicy>, Status> {
        unary(request, |ctx, message| update_policy(&self.0, ctx, message)).await
    }

    async fn open_drawer(&self, request: Request<pb::OpenDrawerRequest>) -> Result<Response<pb::Drawer>, Status> {
        unary(request, |ctx, message| open_drawer(&self.0, ctx, message)).await
    }

    async fn get_drawer(&self, request: Request<pb::GetDrawerRequest>) -> Result<Response<pb::Drawer>, Status> {
        unary(request, |ctx, message| get_drawer(&self.0, ctx, message)).await
    }

    async fn list_drawers(
        &self,
        request: Request<pb::ListDrawersRequest>,
    ) -> Result<Response<pb::ListDrawersResponse>, Status> {
        unary(request, |ctx, message| async {
            let (drawers, next_page_token) = list_drawers(&self.0, ctx, message).await?;
            let drawers = drawers.iter().map(|drawer| convert::drawer(drawer, None)).collect::<kernel::Result<_>>()?;
            Ok(pb::ListDrawersResponse { drawers, next_page_token })
        })
        .await
    }

    async fn pay_in_out(&self, request: Request<pb::PayInOutRequest>) -> Result<Response<pb::DrawerMovement>, Status> {
        unary(request, |ctx, message| pay_in_out(&self.0, ctx, message)).await
    }

    async fn count_drawer(
        &self,
        request: Request<pb::CountDrawerRequest>,
    ) -> Result<Response<pb::DrawerCount>, Status> {
        unary(request, |ctx, message| count_drawer(&self.0, ctx, message)).await
    }

    async fn close_drawer(&self, request: Request<pb::CloseDrawerRequest>) -> Result<Response<pb::Drawer>, Status> {
        unary(request, |ctx, message| close_drawer(&self.0, ctx, message)).await
    }

    async fn get_drawer_report(
        &self,
        request: Request<pb::GetDrawerReportRequest>,
    ) -> Result<Response<pb::DrawerReport>, Status> {
        unary(request, |ctx, message| async { convert::report(&get_report(&self.0, ctx, message).await?) }).await
    }
}
