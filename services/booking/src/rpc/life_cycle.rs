//! `LifeCycleService`.

use std::sync::Arc;

use kernel::{Result, ids::BookingId};
use proto::booking::v1::{self as pb, life_cycle_service_server::LifeCycleService};
use rpc::{
    convert::{to_money, to_timestamp},
    unary,
};
use tonic::{Request, Response, Status};

use super::{booking::wish, once};
use crate::{
    App,
    domain::cancellation::{self as domain, Source, settle},
    flows::{
        extend_hold::extend_hold,
        no_show::mark_no_show,
        preview_cancel::{Preview, preview_cancel},
    },
};

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
