//! `PackageService`.

use std::sync::Arc;

use kernel::{Error, ids::PackageId};
use proto::booking::v1::{self as pb, package_service_server::PackageService};
use rpc::{paging::PageRequest, unary};
use tonic::{Request, Response, Status};

use super::{after_name, convert, convert::Edit, listing, name_key, once};
use crate::{App, db, flows::catalog as flows};

pub(super) struct Packages(pub(super) Arc<App>);

#[tonic::async_trait]
impl PackageService for Packages {
    async fn get_package(&self, request: Request<pb::GetPackageRequest>) -> Result<Response<pb::Package>, Status> {
        unary(request, |_, request| async move {
            let id = PackageId::parse_name("name", &request.name)?;
            let package = db::catalog::get_package(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_package(&package.ok_or_else(|| Error::not_found(id))?))
        })
        .await
    }

    async fn list_packages(
        &self,
        request: Request<pb::ListPackagesRequest>,
    ) -> Result<Response<pb::ListPackagesResponse>, Status> {
        unary(request, |ctx, request| async move {
            let listing = listing(&ctx).with(request.show_retired.to_string());
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let packages =
                db::catalog::list_packages(&mut conn, request.show_retired, after_name(&page)?, page.limit()).await?;
            let (packages, next_page_token) =
                page.cut(packages, |package| name_key(&package.display_name, package.id.uuid()));
            Ok(pb::ListPackagesResponse {
                packages: packages.iter().map(convert::to_package).collect(),
                next_page_token,
            })
        })
        .await
    }

    async fn create_package(
        &self,
        request: Request<pb::CreatePackageRequest>,
    ) -> Result<Response<pb::Package>, Status> {
        unary(request, |ctx, request| async move {
            let package = convert::package(request.package.clone().unwrap_or_default(), self.0.clock.now())?;
            flows::create_package(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, package).await
        })
        .await
    }

    async fn update_package(
        &self,
        request: Request<pb::UpdatePackageRequest>,
    ) -> Result<Response<pb::Package>, Status> {
        unary(request, |ctx, request| async move {
            let edit = Edit::new(request.package.as_ref(), request.update_mask.as_ref())?;
            let id = PackageId::parse_name("package.name", edit.name())?;
            flows::update_package(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, edit).await
        })
        .await
    }

    async fn retire_package(
        &self,
        request: Request<pb::RetirePackageRequest>,
    ) -> Result<Response<pb::Package>, Status> {
        unary(request, |ctx, request| async move {
            let id = PackageId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            flows::retire_package(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }
}
