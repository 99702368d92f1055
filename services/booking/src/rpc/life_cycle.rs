//! `LifeCycleService`.

use std::sync::Arc;

use kernel::{
    Error, Result,
    ids::{BookingId, ItemId, RoomId, TherapistId},
};
use proto::booking::v1::{self as pb, life_cycle_service_server::LifeCycleService};
use rpc::{
    convert::{money, optional_timestamp, to_money, to_timestamp},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    booking::wish,
    convert::{optional, text},
    once,
};
use crate::{
    App,
    domain::{
        cancellation::{self as domain, Source, settle},
        span::instant,
    },
    flows::{
        extend_booking::{By, extend_booking},
        extend_hold::extend_hold,
        move_booking::{Move, move_booking},
        no_show::mark_no_show,
        preview_cancel::{Preview, preview_cancel},
        propose_times::{Proposal, Propose, propose_times},
        reschedule_booking::{Reschedule, reschedule_booking},
    },
};

/// How many times are proposed if nothing is said.
const USUAL_PROPOSALS: i32 = 10;

pub(super) struct LifeCycle(pub(super) Arc<App>);

#[tonic::async_trait]
impl LifeCycleService for LifeCycle {
    async fn extend_hold(&self, request: Request<pb::ExtendHoldRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            extend_hold(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id).await
        })
        .await
    }

    async fn propose_times(
        &self,
        request: Request<pb::ProposeTimesRequest>,
    ) -> Result<Response<pb::ProposeTimesResponse>, Status> {
        unary(request, |ctx, request| async move {
            let limit = if request.page_size == 0 { USUAL_PROPOSALS } else { request.page_size };
            let wanted = Propose {
                booking: BookingId::parse_name("name", &request.name)?,
                from: optional_timestamp("start_time", request.start_time.as_ref())?,
                to: optional_timestamp("end_time", request.end_time.as_ref())?,
                limit: usize::try_from(limit).unwrap_or(0),
            };
            let proposals = propose_times(&self.0, &ctx.caller, wanted).await?;
            Ok(pb::ProposeTimesResponse { proposals: proposals.iter().map(to_proposal).collect() })
        })
        .await
    }

    async fn reschedule_booking(
        &self,
        request: Request<pb::RescheduleBookingRequest>,
    ) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = Reschedule {
                booking: BookingId::parse_name("name", &request.name)?,
                start_time: optional_timestamp("start_time", request.start_time.as_ref())?,
                therapist: optional(&request.therapist, |name| TherapistId::parse_name("therapist", name))?,
                max_price: request.max_price.as_ref().map(|price| money("max_price", Some(price))).transpose()?,
            };
            if wanted.start_time.is_none() && wanted.therapist.is_none() {
                return Err(Error::invalid("start_time", "must be given, or therapist, or both"));
            }
            let once = once(&ctx, &request.request_id, &request)?;
            reschedule_booking(&self.0, &ctx.caller, once, wanted).await
        })
        .await
    }

    async fn move_booking(&self, request: Request<pb::MoveBookingRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = Move {
                booking: BookingId::parse_name("name", &request.name)?,
                start_time: optional_timestamp("start_time", request.start_time.as_ref())?,
                end_time: optional_timestamp("end_time", request.end_time.as_ref())?,
                therapist: optional(&request.therapist, |name| TherapistId::parse_name("therapist", name))?,
                room: optional(&request.room, |name| RoomId::parse_name("room", name))?,
                equipment: optional(&request.equipment, |name| RoomId::parse_name("equipment", name))?,
                part: usize::try_from(request.part).ok().and_then(|part| part.checked_sub(1)),
                reason: request.reason.clone(),
                overbook_reason: text(&request.overbook_reason),
            };
            move_booking(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, wanted).await
        })
        .await
    }

    async fn extend_booking(
        &self,
        request: Request<pb::ExtendBookingRequest>,
    ) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            use pb::extend_booking_request::By as Pb;
            let id = BookingId::parse_name("name", &request.name)?;
            let by = match &request.by {
                Some(Pb::Minutes(minutes)) => By::Minutes(*minutes),
                Some(Pb::AddOn(name)) => By::AddOn(ItemId::parse_name("add_on", name)?),
                None => return Err(Error::invalid("minutes", "must be given, or add_on")),
            };
            extend_booking(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, by).await
        })
        .await
    }

    async fn preview_cancel(
        &self,
        request: Request<pb::PreviewCancelRequest>,
    ) -> Result<Response<pb::CancelPreview>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let wish = wish(&ctx.caller, request.reason())?;
            to_preview(id, &preview_cancel(&self.0, &ctx.caller, id, wish).await?)
        })
        .await
    }

    async fn mark_no_show(&self, request: Request<pb::MarkNoShowRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            mark_no_show(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id).await
        })
        .await
    }
}

fn to_proposal(proposal: &Proposal) -> pb::Proposal {
    pb::Proposal {
        start_time: Some(to_timestamp(instant(proposal.start))),
        end_time: Some(to_timestamp(instant(proposal.end))),
        therapist: proposal.therapist.name(),
        same_therapist: proposal.same_therapist,
        price: Some(to_money(proposal.price)),
    }
}

fn to_preview(booking: BookingId, preview: &Preview) -> Result<pb::CancelPreview> {
    use pb::cancel_preview::{Source as Pb, Term};
    let Preview { paid, terms, now } = preview;
    let (fee, refund) = terms.settle(*now, *paid)?;
    let to_term = |term: &domain::Term| {
        let (fee, refund) = settle(term.fee, *paid)?;
        Ok(Term {
            end_time: term.end_time.map(to_timestamp),
            fee: Some(to_money(fee)),
            refund: Some(to_money(refund)),
            notice_minutes: i32::try_from(term.notice_minutes).unwrap_or(i32::MAX),
            fee_basis_points: i32::try_from(term.fee_basis_points).unwrap_or(i32::MAX),
        })
    };
    let source = match terms.source {
        Source::NotConfirmed => Pb::NotConfirmed,
        Source::StoreRequest => Pb::StoreRequest,
        Source::Item => Pb::Item,
        Source::Store => Pb::Store,
        Source::Chain => Pb::Chain,
    };
    Ok(pb::CancelPreview {
        booking: booking.name(),
        paid: Some(to_money(*paid)),
        fee: Some(to_money(fee)),
        refund: Some(to_money(refund)),
        source: source.into(),
        cheap_until_time: terms.cheap_until(*now).map(to_timestamp),
        terms: terms.all().iter().map(to_term).collect::<Result<_>>()?,
    })
}
