//! `MemberService`.

use std::sync::Arc;

use kernel::{Error, Result, ids::MemberId};
use proto::membership::v1::{self as pb, member_service_server::MemberService};
use rpc::{Caller, unary};
use tonic::{Request, Response, Status};

use super::convert::{Sight, optional, to_entry, to_member};
use crate::{
    App,
    domain::phone::Phone,
    flows::read_members::{MemberSearch, get_contact, get_member, list_members, list_points_entries},
};

pub(super) struct Members(pub(super) Arc<App>);

#[tonic::async_trait]
impl MemberService for Members {
    async fn get_member(&self, request: Request<pb::GetMemberRequest>) -> Result<Response<pb::Member>, Status> {
        unary(request, |ctx, request| async move {
            let id = member(&ctx.caller, "name", &request.name)?;
            let profile = get_member(&self.0, &ctx.caller, id).await?;
            let sight = if ctx.caller.member() == Some(id) { Sight::Clear } else { Sight::Masked };
            Ok(to_member(&profile, sight))
        })
        .await
    }

    async fn list_members(
        &self,
        request: Request<pb::ListMembersRequest>,
    ) -> Result<Response<pb::ListMembersResponse>, Status> {
        unary(request, |ctx, request| async move {
            let search = MemberSearch {
                phone: optional(&request.phone, |phone| Phone::parse("phone", phone))?,
                page_size: request.page_size,
                page_token: &request.page_token,
            };
            let (profiles, next_page_token) = list_members(&self.0, &ctx.caller, search).await?;
            let members = profiles.iter().map(|profile| to_member(profile, Sight::Masked)).collect();
            Ok(pb::ListMembersResponse { members, next_page_token })
        })
        .await
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Result<Response<pb::Contact>, Status> {
        unary(request, |_, request| async move {
            let person = get_contact(&self.0, MemberId::parse_name("member", &request.member)?).await?;
            Ok(pb::Contact { phone: person.phone.as_str().to_owned(), display_name: person.display_name })
        })
        .await
    }

    async fn list_points_entries(
        &self,
        request: Request<pb::ListPointsEntriesRequest>,
    ) -> Result<Response<pb::ListPointsEntriesResponse>, Status> {
        unary(request, |ctx, request| async move {
            let id = member(&ctx.caller, "member", &request.member)?;
            let (entries, next_page_token) =
                list_points_entries(&self.0, &ctx.caller, id, request.page_size, &request.page_token).await?;
            let points_entries = entries.iter().map(to_entry).collect();
            Ok(pb::ListPointsEntriesResponse { points_entries, next_page_token })
        })
        .await
    }
}

/// Reads the name of a member; `members/me` is the member who calls.
fn member(caller: &Caller, field: &str, name: &str) -> Result<MemberId> {
    if name != "members/me" {
        return MemberId::parse_name(field, name);
    }
    caller.member().ok_or_else(|| Error::invalid(field, "may be members/me for members only: name the member"))
}
