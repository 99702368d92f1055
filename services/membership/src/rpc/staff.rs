//! `StaffService`.

use std::sync::Arc;

use kernel::{
    Error, Result,
    ids::{StaffId, StoreId, parse_uuid},
};
use proto::{
    access::{Role, v1 as access},
    membership::v1::{self as pb, staff_service_server::StaffService},
};
use rpc::{
    paging::{Listing, PageRequest},
    unary,
};
use tonic::{Request, Response, Status};

use super::convert::{optional, to_staff};
use crate::{
    App,
    flows::{
        NewStaff,
        create_staff::create_staff,
        once::Once,
        read_staff::{get_staff, list_staff},
    },
};

pub(super) struct Accounts(pub(super) Arc<App>);

#[tonic::async_trait]
impl StaffService for Accounts {
    async fn create_staff(&self, request: Request<pb::CreateStaffRequest>) -> Result<Response<pb::Staff>, Status> {
        unary(request, |ctx, request| async move {
            let request_id = parse_uuid("request_id", &request.request_id)?;
            let once = Once::of(ctx.caller.subject(), &self.0, ctx.method, request_id, &request);
            let new = NewStaff {
                roles: roles(request.roles())?,
                store: optional(&request.store, |name| StoreId::parse_name("store", name))?,
                user_name: request.user_name,
                display_name: request.display_name,
                password: request.password,
            };
            create_staff(&self.0, ctx.caller.subject(), &once, new).await
        })
        .await
    }

    async fn get_staff(&self, request: Request<pb::GetStaffRequest>) -> Result<Response<pb::Staff>, Status> {
        unary(request, |ctx, request| async move {
            let staff = get_staff(&self.0, &ctx.caller, StaffId::parse_name("name", &request.name)?).await?;
            Ok(to_staff(&staff))
        })
        .await
    }

    async fn list_staff(
        &self,
        request: Request<pb::ListStaffRequest>,
    ) -> Result<Response<pb::ListStaffResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = ctx.caller.bound_store().map(StoreId::name).unwrap_or_default();
            let listing = Listing::new("ListStaff").with(store);
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let (staff, next_page_token) = list_staff(&self.0, &ctx.caller, &page).await?;
            Ok(pb::ListStaffResponse { staff: staff.iter().map(to_staff).collect(), next_page_token })
        })
        .await
    }
}

fn roles(roles: impl Iterator<Item = access::Role>) -> Result<Vec<Role>> {
    roles.map(|role| Role::try_from(role).map_err(|_| Error::invalid("roles", "must be stated"))).collect()
}
