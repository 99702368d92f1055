//! `BookingService`.

use std::{collections::HashMap, sync::Arc};

use kernel::{
    Error, Uuid,
    ids::{BookingId, MemberId, StoreId, TherapistId},
};
use prost::Message;
use proto::booking::v1::{self as pb, booking_service_server::BookingService};
use rpc::{
    Caller, CallerKind, Ctx,
    convert::{money, optional_timestamp, timestamp},
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    convert::{self, slots::Asked},
    hex, listing, once, slots,
};
use crate::{
    App, db,
    db::booking::Filter,
    domain::booking::{Step, Wish as CancelWish},
    flows::{
        advance_booking::{Advance, advance_booking},
        cancel_booking::cancel_booking,
        group::owner_for,
        hold_slot::{HoldSlot, hold_slot},
        move_booking::check_overbooking,
    },
};

pub(super) struct Bookings(pub(super) Arc<App>);

#[tonic::async_trait]
impl BookingService for Bookings {
    async fn search_slots(
        &self,
        request: Request<pb::SearchSlotsRequest>,
    ) -> Result<Response<pb::SearchSlotsResponse>, Status> {
        unary(request, |ctx, request| async move { slots::search(&self.0, &ctx, &request).await }).await
    }

    async fn explain_slots(
        &self,
        request: Request<pb::ExplainSlotsRequest>,
    ) -> Result<Response<pb::ExplainSlotsResponse>, Status> {
        unary(request, |ctx, request| async move { slots::explain(&self.0, &ctx, &request).await }).await
    }

    async fn hold_slot(&self, request: Request<pb::HoldSlotRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let customer = customer(&ctx.caller, &request.customer)?;
            ctx.caller.see_own(Some(customer), Some(store))?;
            check_overbooking(&ctx.caller, !request.overbook_reason.is_empty())?;
            let wanted = HoldSlot {
                store,
                seek: convert::slots::seek(&ctx.caller, asked(&request))?,
                start_time: timestamp("start_time", request.start_time.as_ref())?,
                customer,
                channel: convert::channel(request.channel()),
                device: convert::text(&request.device),
                partner: partner(&ctx.caller, &request)?,
                overbook_reason: convert::text(&request.overbook_reason),
                on_behalf: ctx.caller.member().is_none(),
            };
            hold_slot(&self.0, once(&ctx, &request.request_id, &request)?, wanted).await
        })
        .await
    }

    async fn get_booking(&self, request: Request<pb::GetBookingRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let mut conn = self.0.pg.conn().await?;
            let booking = db::booking::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
            let owner = owner_for(&mut conn, &ctx.caller, &booking).await?;
            ctx.caller.see_own(Some(owner), Some(booking.store))?;
            Ok(convert::to_booking(&booking, &db::booking::history(&mut conn, id).await?))
        })
        .await
    }

    async fn list_bookings(
        &self,
        request: Request<pb::ListBookingsRequest>,
    ) -> Result<Response<pb::ListBookingsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let filter = filter(&ctx, &request)?;
            let bound = pb::ListBookingsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
            let listing = listing(&ctx).with(ctx.caller.subject()).with(hex(&bound.encode_to_vec()));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let bookings = db::booking::list(&mut conn, &filter, page.after_time()?, page.limit()).await?;
            let (bookings, next_page_token) =
                page.cut(bookings, |booking| time_key(booking.start_time, booking.id.uuid()));
            let ids: Vec<Uuid> = bookings.iter().map(|booking| booking.id.uuid()).collect();
            let mut histories: HashMap<Uuid, Vec<Step>> = HashMap::new();
            for (booking, step) in db::booking::histories(&mut conn, &ids).await? {
                histories.entry(booking).or_default().push(step);
            }
            let bookings = bookings
                .iter()
                .map(|booking| {
                    let history = histories.remove(&booking.id.uuid()).unwrap_or_default();
                    convert::to_booking(booking, &history)
                })
                .collect();
            Ok(pb::ListBookingsResponse { bookings, next_page_token })
        })
        .await
    }

    async fn cancel_booking(
        &self,
        request: Request<pb::CancelBookingRequest>,
    ) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let wish = wish(&ctx.caller, request.reason())?;
            let max_fee = request.max_fee.as_ref().map(|fee| money("max_fee", Some(fee))).transpose()?;
            let once = once(&ctx, &request.request_id, &request)?;
            cancel_booking(&self.0, &ctx.caller, once, id, wish, max_fee).await
        })
        .await
    }

    async fn check_in_booking(
        &self,
        request: Request<pb::CheckInBookingRequest>,
    ) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            advance_booking(&self.0, &ctx.caller, once, id, Advance::CheckIn).await
        })
        .await
    }

    async fn start_booking(&self, request: Request<pb::StartBookingRequest>) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            advance_booking(&self.0, &ctx.caller, once, id, Advance::Start).await
        })
        .await
    }

    async fn complete_booking(
        &self,
        request: Request<pb::CompleteBookingRequest>,
    ) -> Result<Response<pb::Booking>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            advance_booking(&self.0, &ctx.caller, once, id, Advance::Complete).await
        })
        .await
    }
}

/// Whose visit it is: a member's own if nobody is named; staff must name somebody.
pub(super) fn customer(caller: &Caller, named: &str) -> kernel::Result<MemberId> {
    match (caller.member(), named.is_empty()) {
        (Some(member), true) => Ok(member),
        (None, true) => Err(Error::invalid("customer", "must be given: name the member whose visit it is")),
        (_, false) => MemberId::parse_name("customer", named),
    }
}

/// At whose wish a visit is given up.
pub(super) fn wish(caller: &Caller, stated: pb::cancel_booking_request::Reason) -> kernel::Result<CancelWish> {
    use pb::cancel_booking_request::Reason;
    match (stated, caller.member()) {
        (Reason::CustomerRequest, _) | (Reason::Unspecified, Some(_)) => Ok(CancelWish::Customer),
        (Reason::StoreRequest | Reason::Unspecified, None) => Ok(CancelWish::Store),
        (Reason::StoreRequest, Some(_)) => {
            Err(Error::invalid("reason", "only the store can state its own wish; leave it out"))
        }
    }
}

fn asked(request: &pb::HoldSlotRequest) -> Asked<'_> {
    Asked {
        item: &request.item,
        add_ons: &request.add_ons,
        package: &request.package,
        party_size: None,
        therapist: &request.therapist,
        sex: request.sex(),
        min_grade: request.min_grade,
        language: &request.language,
        partner: &request.partner,
    }
}

/// The partner platform that a visit comes through. Partners have no identity of their own here: it is the store that says
/// so. A customer who could name one would use up what it may book.
fn partner(caller: &Caller, request: &pb::HoldSlotRequest) -> kernel::Result<Option<String>> {
    let partner = convert::text(&request.partner);
    if caller.member().is_some() {
        let text = "only the store can say that a visit comes through a partner platform; leave it out";
        return match (partner, request.channel()) {
            (Some(_), _) => Err(Error::invalid("partner", text)),
            (None, pb::booking::Channel::Partner) => Err(Error::invalid("channel", text)),
            (None, _) => Ok(None),
        };
    }
    if partner.is_some() && request.channel() != pb::booking::Channel::Partner {
        return Err(Error::invalid("partner", "goes with CHANNEL_PARTNER only; leave it out"));
    }
    // What has no name would count for nobody's limits.
    if partner.is_none() && request.channel() == pb::booking::Channel::Partner {
        return Err(Error::invalid("partner", "must be given with CHANNEL_PARTNER: name the platform"));
    }
    Ok(partner)
}

/// What a list shows: what was asked for, narrowed to what the caller may see.
fn filter(ctx: &Ctx, request: &pb::ListBookingsRequest) -> kernel::Result<Filter> {
    let mut filter = Filter {
        store: convert::optional(&request.store, |name| StoreId::parse_name("store", name))?,
        customer: convert::optional(&request.customer, |name| MemberId::parse_name("customer", name))?,
        therapist: convert::optional(&request.therapist, |name| TherapistId::parse_name("therapist", name))?,
        states: request.states().filter_map(convert::state).collect(),
        from: optional_timestamp("start_time", request.start_time.as_ref())?,
        to: optional_timestamp("end_time", request.end_time.as_ref())?,
    };
    match ctx.caller.kind() {
        CallerKind::Member(member) => filter.customer = filter.customer.or(Some(*member)),
        _ => filter.store = filter.store.or(ctx.caller.bound_store()),
    }
    ctx.caller.see_own(filter.customer, filter.store)?;
    Ok(filter)
}
