//! `GroupService`.

use std::sync::Arc;

use kernel::{
    Error, Result,
    ids::{GroupId, MemberId, StoreId},
};
use prost::Message;
use proto::booking::v1::{self as pb, group_service_server::GroupService};
use rpc::{
    Caller, CallerKind,
    convert::{money, timestamp},
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    booking::wish,
    convert::{channel, group as convert, optional, text},
    hex, listing, once,
};
use crate::{
    App,
    db::group::Filter,
    flows::group::{
        cancel::cancel_group,
        hold::{HoldGroup, hold_group},
        read::{get_group, list_groups},
        search::{SearchGroup, search_group_times},
    },
};

pub(super) struct Groups(pub(super) Arc<App>);

#[tonic::async_trait]
impl GroupService for Groups {
    async fn search_group_times(
        &self,
        request: Request<pb::SearchGroupTimesRequest>,
    ) -> Result<Response<pb::SearchGroupTimesResponse>, Status> {
        unary(request, |ctx, request| async move {
            // The position in the list is a start, so the pages of one search fit together however time goes on.
            let filter = pb::SearchGroupTimesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
            let listing = listing(&ctx).with(hex(&filter.encode_to_vec()));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let after = page.after().map(str::parse).transpose();
            let search = SearchGroup {
                store: StoreId::parse_name("store", &request.store)?,
                party: convert::party(&ctx.caller, &request.guests, request.within_minutes)?,
                customer: ctx.caller.member(),
                from: timestamp("start_time", request.start_time.as_ref())?,
                to: timestamp("end_time", request.end_time.as_ref())?,
                after: after.map_err(|_| Error::invalid("page_token", "is not one that this list gave out"))?,
                limit: usize::try_from(page.limit()).unwrap_or(usize::MAX),
            };
            let found = search_group_times(&self.0, &search).await?;
            let (times, mut next_page_token) = page.cut(found.times, |time| time.start.to_string());
            if let Some(until) = found.until.filter(|_| next_page_token.is_empty()) {
                next_page_token = page.token(&until.to_string());
            }
            Ok(pb::SearchGroupTimesResponse { times: times.iter().map(convert::to_time).collect(), next_page_token })
        })
        .await
    }

    async fn hold_group(&self, request: Request<pb::HoldGroupRequest>) -> Result<Response<pb::BookingGroup>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let organiser = organiser(&ctx.caller, &request.organiser)?;
            ctx.caller.see_own(Some(organiser), Some(store))?;
            let wanted = HoldGroup {
                store,
                party: convert::party(&ctx.caller, &request.guests, request.within_minutes)?,
                customers: convert::customers(&request.guests)?,
                start_time: timestamp("start_time", request.start_time.as_ref())?,
                organiser,
                payer: convert::payer(request.payer())?,
                channel: channel(request.channel()),
                device: text(&request.device),
                on_behalf: ctx.caller.member().is_none(),
            };
            hold_group(&self.0, once(&ctx, &request.request_id, &request)?, wanted).await
        })
        .await
    }

    async fn get_group(&self, request: Request<pb::GetGroupRequest>) -> Result<Response<pb::BookingGroup>, Status> {
        unary(request, |ctx, request| async move {
            get_group(&self.0, &ctx.caller, GroupId::parse_name("name", &request.name)?).await
        })
        .await
    }

    async fn list_groups(
        &self,
        request: Request<pb::ListGroupsRequest>,
    ) -> Result<Response<pb::ListGroupsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let filter = filter(&ctx.caller, &request)?;
            let listing = listing(&ctx).with(ctx.caller.subject()).with(&request.store).with(&request.customer);
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let groups = list_groups(&self.0, &ctx.caller, &filter, page.after_time()?, page.limit()).await?;
            let (groups, next_page_token) = page.cut(groups, |(group, _)| time_key(group.create_time, group.id.uuid()));
            let groups = groups.into_iter().map(|(_, view)| view).collect();
            Ok(pb::ListGroupsResponse { groups, next_page_token })
        })
        .await
    }

    async fn cancel_group(
        &self,
        request: Request<pb::CancelGroupRequest>,
    ) -> Result<Response<pb::BookingGroup>, Status> {
        unary(request, |ctx, request| async move {
            let id = GroupId::parse_name("name", &request.name)?;
            let wish = wish(&ctx.caller, request.reason())?;
            let max_fee = request.max_fee.as_ref().map(|fee| money("max_fee", Some(fee))).transpose()?;
            let once = once(&ctx, &request.request_id, &request)?;
            cancel_group(&self.0, &ctx.caller, once, id, wish, max_fee).await
        })
        .await
    }
}

/// Who brings the others: a member himself if nobody is named; staff must name somebody.
fn organiser(caller: &Caller, named: &str) -> Result<MemberId> {
    match (caller.member(), named.is_empty()) {
        (Some(member), true) => Ok(member),
        (None, true) => Err(Error::invalid("organiser", "must be given: name the member who brings the others")),
        (_, false) => MemberId::parse_name("organiser", named),
    }
}

/// What a list shows: what was asked for, narrowed to what the caller may see.
fn filter(caller: &Caller, request: &pb::ListGroupsRequest) -> Result<Filter> {
    let mut filter = Filter {
        store: optional(&request.store, |name| StoreId::parse_name("store", name))?,
        customer: optional(&request.customer, |name| MemberId::parse_name("customer", name))?,
    };
    match caller.kind() {
        CallerKind::Member(member) => filter.customer = filter.customer.or(Some(*member)),
        _ => filter.store = filter.store.or(caller.bound_store()),
    }
    caller.see_own(filter.customer, filter.store)?;
    Ok(filter)
}
