//! `WalkInService`.

use std::sync::Arc;

use kernel::{
    Error,
    ids::{MemberId, QueueTicketId, StoreId},
};
use proto::booking::v1::{self as pb, walk_in_service_server::WalkInService};
use rpc::{convert::to_timestamp, unary};
use tonic::{Request, Response, Status};

use super::{
    convert::{slots, text},
    once,
};
use crate::{
    App, db,
    domain::span::instant,
    flows::walk_in::{
        call::call_next,
        join::{Join, join_queue},
        leave::{Deed, change_ticket},
        queue::{Queue, view},
    },
};

pub(super) struct WalkIns(pub(super) Arc<App>);

#[tonic::async_trait]
impl WalkInService for WalkIns {
    async fn join_queue(&self, request: Request<pb::JoinQueueRequest>) -> Result<Response<pb::QueueTicket>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let customer = MemberId::parse_name("customer", &request.customer)?;
            ctx.caller.see_own(Some(customer), Some(store))?;
            let seek = slots::seek(&ctx.caller, asked(&request))?;
            let join = Join {
                store,
                customer,
                choice: seek.choice,
                wish: seek.wish,
                urgent_reason: text(&request.urgent_reason),
            };
            let once = once(&ctx, &request.request_id, &request)?;
            join_queue(&self.0, &ctx.caller, once, join).await
        })
        .await
    }

    async fn get_queue_ticket(
        &self,
        request: Request<pb::GetQueueTicketRequest>,
    ) -> Result<Response<pb::QueueTicket>, Status> {
        unary(request, |ctx, request| async move {
            let id = QueueTicketId::parse_name("name", &request.name)?;
            let mut conn = self.0.pg.conn().await?;
            let ticket = db::walk_in::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
            ctx.caller.see_own(Some(ticket.customer), Some(ticket.store))?;
            view(&self.0, &mut conn, &ticket).await
        })
        .await
    }

    async fn show_queue(
        &self,
        request: Request<pb::ShowQueueRequest>,
    ) -> Result<Response<pb::ShowQueueResponse>, Status> {
        unary(request, |_, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let queue = Queue::read(&self.0, &mut *self.0.pg.conn().await?, store).await?;
            let places = queue.line.iter().map(|waiting| pb::show_queue_response::Place {
                number: waiting.ticket.number,
                expected_time: waiting.start().map(|start| to_timestamp(instant(start))),
            });
            Ok(pb::ShowQueueResponse { places: places.collect() })
        })
        .await
    }

    async fn list_queue_tickets(
        &self,
        request: Request<pb::ListQueueTicketsRequest>,
    ) -> Result<Response<pb::ListQueueTicketsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            ctx.caller.see_own(None, Some(store))?;
            let queue = Queue::read(&self.0, &mut *self.0.pg.conn().await?, store).await?;
            let now = self.0.clock.now();
            let tickets = queue.line.iter().map(|waiting| queue.view(&waiting.ticket, now)).collect();
            Ok(pb::ListQueueTicketsResponse { tickets })
        })
        .await
    }

    async fn leave_queue(&self, request: Request<pb::LeaveQueueRequest>) -> Result<Response<pb::QueueTicket>, Status> {
        unary(request, |ctx, request| async move {
            let id = QueueTicketId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            change_ticket(&self.0, &ctx.caller, once, id, Deed::Leave).await
        })
        .await
    }

    async fn call_next(&self, request: Request<pb::CallNextRequest>) -> Result<Response<pb::QueueTicket>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let once = once(&ctx, &request.request_id, &request)?;
            call_next(&self.0, &ctx.caller, once, store).await
        })
        .await
    }

    async fn skip_ticket(&self, request: Request<pb::SkipTicketRequest>) -> Result<Response<pb::QueueTicket>, Status> {
        unary(request, |ctx, request| async move {
            let id = QueueTicketId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            change_ticket(&self.0, &ctx.caller, once, id, Deed::Skip).await
        })
        .await
    }
}

fn asked(request: &pb::JoinQueueRequest) -> slots::Asked<'_> {
    slots::Asked {
        item: &request.item,
        add_ons: &request.add_ons,
        package: &request.package,
        party_size: None,
        therapist: &request.therapist,
        sex: request.sex(),
        min_grade: 0,
        language: "",
        partner: "",
    }
}
