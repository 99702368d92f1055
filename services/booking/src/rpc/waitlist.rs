//! `WaitlistService`.

use std::sync::Arc;

use kernel::{
    Error,
    ids::{MemberId, StoreId, WaitlistEntryId},
};
use prost::Message;
use proto::booking::v1::{self as pb, waitlist_service_server::WaitlistService};
use rpc::{
    CallerKind, Ctx,
    convert::timestamp,
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    booking::customer,
    convert::{self, optional, slots, waitlist::state},
    hex, listing, once,
};
use crate::{
    App, db,
    db::waitlist::Filter,
    flows::waitlist::{
        accept::accept_offer,
        join::{Join, join_waitlist},
        leave::leave_waitlist,
        view, view_one,
    },
};

pub(super) struct Waitlist(pub(super) Arc<App>);

#[tonic::async_trait]
impl WaitlistService for Waitlist {
    async fn join_waitlist(
        &self,
        request: Request<pb::JoinWaitlistRequest>,
    ) -> Result<Response<pb::WaitlistEntry>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let customer = customer(&ctx.caller, &request.customer)?;
            ctx.caller.see_own(Some(customer), Some(store))?;
            let seek = slots::seek(&ctx.caller, asked(&request))?;
            let join = Join {
                store,
                customer,
                choice: seek.choice,
                wish: seek.wish,
                channel: convert::channel(request.channel()),
                start_time: timestamp("start_time", request.start_time.as_ref())?,
                end_time: timestamp("end_time", request.end_time.as_ref())?,
                on_behalf: ctx.caller.member().is_none(),
            };
            let once = once(&ctx, &request.request_id, &request)?;
            join_waitlist(&self.0, &ctx.caller, once, join).await
        })
        .await
    }

    async fn get_waitlist_entry(
        &self,
        request: Request<pb::GetWaitlistEntryRequest>,
    ) -> Result<Response<pb::WaitlistEntry>, Status> {
        unary(request, |ctx, request| async move {
            let id = WaitlistEntryId::parse_name("name", &request.name)?;
            let mut conn = self.0.pg.conn().await?;
            let entry = db::waitlist::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
            ctx.caller.see_own(Some(entry.customer), Some(entry.store))?;
            view_one(&mut conn, &entry).await
        })
        .await
    }

    async fn list_waitlist_entries(
        &self,
        request: Request<pb::ListWaitlistEntriesRequest>,
    ) -> Result<Response<pb::ListWaitlistEntriesResponse>, Status> {
        unary(request, |ctx, request| async move {
            let filter = filter(&ctx, &request)?;
            let bound = pb::ListWaitlistEntriesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
            let listing = listing(&ctx).with(ctx.caller.subject()).with(hex(&bound.encode_to_vec()));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let entries = db::waitlist::list(&mut conn, &filter, page.after_time()?, page.limit()).await?;
            let (entries, next_page_token) = page.cut(entries, |entry| time_key(entry.create_time, entry.id.uuid()));
            Ok(pb::ListWaitlistEntriesResponse { entries: view(&mut conn, &entries).await?, next_page_token })
        })
        .await
    }

    async fn leave_waitlist(
        &self,
        request: Request<pb::LeaveWaitlistRequest>,
    ) -> Result<Response<pb::WaitlistEntry>, Status> {
        unary(request, |ctx, request| async move {
            let id = WaitlistEntryId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            leave_waitlist(&self.0, &ctx.caller, once, id).await
        })
        .await
    }

    async fn accept_offer(
        &self,
        request: Request<pb::AcceptOfferRequest>,
    ) -> Result<Response<pb::WaitlistEntry>, Status> {
        unary(request, |ctx, request| async move {
            let id = WaitlistEntryId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            accept_offer(&self.0, &ctx.caller, once, id).await
        })
        .await
    }
}

fn asked(request: &pb::JoinWaitlistRequest) -> slots::Asked<'_> {
    slots::Asked {
        item: &request.item,
        add_ons: &request.add_ons,
        package: &request.package,
        party_size: None,
        therapist: &request.therapist,
        sex: request.sex(),
        min_grade: request.min_grade,
        language: &request.language,
        partner: "",
    }
}

/// What a list shows: what was asked for, narrowed to what the caller may see.
fn filter(ctx: &Ctx, request: &pb::ListWaitlistEntriesRequest) -> kernel::Result<Filter> {
    let mut filter = Filter {
        store: optional(&request.store, |name| StoreId::parse_name("store", name))?,
        customer: optional(&request.customer, |name| MemberId::parse_name("customer", name))?,
        states: request.states().filter_map(state).collect(),
    };
    match ctx.caller.kind() {
        CallerKind::Member(member) => filter.customer = filter.customer.or(Some(*member)),
        _ => filter.store = filter.store.or(ctx.caller.bound_store()),
    }
    ctx.caller.see_own(filter.customer, filter.store)?;
    Ok(filter)
}
