//! `RosterService`.

use std::sync::Arc;

use jiff::{SignedDuration, civil::Date};
use kernel::{
    Error, Result as Outcome, Timestamp, Uuid,
    ids::{BlockId, ShiftId, ShiftPatternId, StoreId, TherapistId, TimeOffId},
};
use proto::booking::v1::{self as pb, roster_service_server::RosterService};
use rpc::{
    convert::{field_mask, timestamp},
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{convert::roster as convert, listing, once};
use crate::{
    App, db,
    domain::roster::block::Resource,
    flows::roster::{blocks, calendars, day, exceptions, patterns, single_shifts, time_off},
};

/// The longest time over which blocks are listed.
const LONGEST: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Days over which dates are listed or set.
const YEAR: i32 = 366;

pub(super) struct Roster(pub(super) Arc<App>);

#[tonic::async_trait]
impl RosterService for Roster {
    async fn get_shift_pattern(
        &self,
        request: Request<pb::GetShiftPatternRequest>,
    ) -> Result<Response<pb::ShiftPattern>, Status> {
        unary(request, |ctx, request| async move {
            let id = ShiftPatternId::parse_name("name", &request.name)?;
            Ok(convert::to_pattern(&patterns::known(&self.0, &ctx.caller, id).await?))
        })
        .await
    }

    async fn list_shift_patterns(
        &self,
        request: Request<pb::ListShiftPatternsRequest>,
    ) -> Result<Response<pb::ListShiftPatternsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            ctx.caller.see_own(None, Some(store))?;
            let therapist =
                super::convert::optional(&request.therapist, |name| TherapistId::parse_name("therapist", name))?;
            let listing = listing(&ctx).with(&request.store).with(&request.therapist);
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let after = date_position(&page)?;
            let found = db::shift_pattern::list(&mut conn, store, therapist, after, page.limit()).await?;
            let (found, next_page_token) =
                page.cut(found, |pattern| format!("{}/{}", pattern.start_date, pattern.id.uuid()));
            let shift_patterns = found.iter().map(convert::to_pattern).collect();
            Ok(pb::ListShiftPatternsResponse { shift_patterns, next_page_token })
        })
        .await
    }

    async fn create_shift_pattern(
        &self,
        request: Request<pb::CreateShiftPatternRequest>,
    ) -> Result<Response<pb::ShiftPattern>, Status> {
        unary(request, |ctx, request| async move {
            let pattern = request.shift_pattern.clone().unwrap_or_default();
            let therapist = TherapistId::parse_name("shift_pattern.therapist", &pattern.therapist)?;
            let terms = convert::pattern(&pattern)?;
            let once = once(&ctx, &request.request_id, &request)?;
            patterns::create(&self.0, &ctx.caller, once, therapist, terms).await
        })
        .await
    }

    async fn update_shift_pattern(
        &self,
        request: Request<pb::UpdateShiftPatternRequest>,
    ) -> Result<Response<pb::ShiftPattern>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = request.shift_pattern.clone().unwrap_or_default();
            let id = ShiftPatternId::parse_name("shift_pattern.name", &wanted.name)?;
            let known = ["start_date", "end_date", "shifts", "follows_calendar"];
            let fields = field_mask("update_mask", request.update_mask.as_ref(), &known)?;
            let terms = convert::pattern(&wanted)?;
            let once = once(&ctx, &request.request_id, &request)?;
            patterns::update(&self.0, &ctx.caller, once, id, &wanted.etag, |pattern| {
                for field in fields {
                    match field {
                        "start_date" => pattern.start_date = terms.start_date,
                        "end_date" => pattern.end_date = terms.end_date,
                        "shifts" => pattern.shifts.clone_from(&terms.shifts),
                        _ => pattern.follows_calendar.clone_from(&terms.follows_calendar),
                    }
                }
                Ok(())
            })
            .await
        })
        .await
    }

    async fn delete_shift_pattern(
        &self,
        request: Request<pb::DeleteShiftPatternRequest>,
    ) -> Result<Response<()>, Status> {
        unary(request, |ctx, request| async move {
            let id = ShiftPatternId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            patterns::delete(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn update_shift(&self, request: Request<pb::UpdateShiftRequest>) -> Result<Response<pb::Shift>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = request.shift.clone().unwrap_or_default();
            let id = ShiftId::parse_name("shift.name", &wanted.name)?;
            let fields = field_mask("update_mask", request.update_mask.as_ref(), &["start_time", "end_time"])?;
            let start = timestamp("shift.start_time", wanted.start_time.as_ref())?;
            let end = timestamp("shift.end_time", wanted.end_time.as_ref())?;
            let times = (fields.contains(&"start_time").then_some(start), fields.contains(&"end_time").then_some(end));
            let once = once(&ctx, &request.request_id, &request)?;
            single_shifts::update(&self.0, &ctx.caller, once, id, &wanted.etag, times).await
        })
        .await
    }

    async fn delete_shift(&self, request: Request<pb::DeleteShiftRequest>) -> Result<Response<()>, Status> {
        unary(request, |ctx, request| async move {
            let id = ShiftId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            single_shifts::delete(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn list_shift_exceptions(
        &self,
        request: Request<pb::ListShiftExceptionsRequest>,
    ) -> Result<Response<pb::ListShiftExceptionsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let therapist = TherapistId::parse_name("therapist", &request.therapist)?;
            let dates = convert::dates(request.start_date.as_ref(), request.end_date.as_ref(), YEAR)?;
            let found = exceptions::list(&self.0, &ctx.caller, therapist, dates).await?;
            let shift_exceptions = found.iter().map(|listed| convert::to_listed(therapist, listed)).collect();
            Ok(pb::ListShiftExceptionsResponse { shift_exceptions })
        })
        .await
    }

    async fn set_shift_exception(
        &self,
        request: Request<pb::SetShiftExceptionRequest>,
    ) -> Result<Response<pb::ShiftException>, Status> {
        unary(request, |ctx, request| async move {
            let therapist = TherapistId::parse_name("therapist", &request.therapist)?;
            let date = convert::date("date", request.date.as_ref())?;
            let hours = |(index, hours)| convert::hours(&format!("shifts[{index}]"), Some(hours));
            let hours = request.shifts.iter().enumerate().map(hours).collect::<Outcome<_>>()?;
            let once = once(&ctx, &request.request_id, &request)?;
            exceptions::set(&self.0, &ctx.caller, once, therapist, date, hours, &request.note).await
        })
        .await
    }

    async fn clear_shift_exception(
        &self,
        request: Request<pb::ClearShiftExceptionRequest>,
    ) -> Result<Response<()>, Status> {
        unary(request, |ctx, request| async move {
            let therapist = TherapistId::parse_name("therapist", &request.therapist)?;
            let date = convert::date("date", request.date.as_ref())?;
            let once = once(&ctx, &request.request_id, &request)?;
            exceptions::clear(&self.0, &ctx.caller, once, therapist, date).await
        })
        .await
    }

    async fn get_block(&self, request: Request<pb::GetBlockRequest>) -> Result<Response<pb::Block>, Status> {
        unary(request, |ctx, request| async move {
            let id = BlockId::parse_name("name", &request.name)?;
            Ok(convert::to_block(&blocks::known(&self.0, &ctx.caller, id).await?))
        })
        .await
    }

    async fn list_blocks(
        &self,
        request: Request<pb::ListBlocksRequest>,
    ) -> Result<Response<pb::ListBlocksResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            ctx.caller.see_own(None, Some(store))?;
            let resource = super::convert::optional(&request.resource, |name| Resource::parse_name("resource", name))?;
            let (from, to) = window(request.start_time.as_ref(), request.end_time.as_ref())?;
            let listing = listing(&ctx).with(&request.store).with(&request.resource).with(from.to_string());
            let page = PageRequest::parse(request.page_size, &request.page_token, listing.with(to.to_string()))?;
            let (resource, after) = (resource.map(Resource::uuid), page.after_time()?);
            let mut conn = self.0.pg.conn().await?;
            let found = db::block::list(&mut conn, store, resource, (from, to), after, page.limit()).await?;
            let (found, next_page_token) = page.cut(found, |block| time_key(block.start_time, block.id.uuid()));
            Ok(pb::ListBlocksResponse { blocks: found.iter().map(convert::to_block).collect(), next_page_token })
        })
        .await
    }

    async fn create_block(&self, request: Request<pb::CreateBlockRequest>) -> Result<Response<pb::Block>, Status> {
        unary(request, |ctx, request| async move {
            let terms = convert::block(&request.block.clone().unwrap_or_default())?;
            let once = once(&ctx, &request.request_id, &request)?;
            blocks::create(&self.0, &ctx.caller, once, terms).await
        })
        .await
    }

    async fn update_block(&self, request: Request<pb::UpdateBlockRequest>) -> Result<Response<pb::Block>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = request.block.clone().unwrap_or_default();
            let id = BlockId::parse_name("block.name", &wanted.name)?;
            let known = ["kind", "start_time", "end_time", "reason"];
            let fields = field_mask("update_mask", request.update_mask.as_ref(), &known)?;
            let start = timestamp("block.start_time", wanted.start_time.as_ref())?;
            let end = timestamp("block.end_time", wanted.end_time.as_ref())?;
            let once = once(&ctx, &request.request_id, &request)?;
            blocks::update(&self.0, &ctx.caller, once, id, &wanted.etag, |block| {
                for field in fields {
                    match field {
                        "kind" => block.kind = convert::block_kind(wanted.kind()),
                        "start_time" => block.start_time = start,
                        "end_time" => block.end_time = end,
                        _ => block.reason.clone_from(&wanted.reason),
                    }
                }
                Ok(())
            })
            .await
        })
        .await
    }

    async fn delete_block(&self, request: Request<pb::DeleteBlockRequest>) -> Result<Response<()>, Status> {
        unary(request, |ctx, request| async move {
            let id = BlockId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            blocks::delete(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn get_time_off_request(
        &self,
        request: Request<pb::GetTimeOffRequestRequest>,
    ) -> Result<Response<pb::TimeOffRequest>, Status> {
        unary(request, |ctx, request| async move {
            let id = TimeOffId::parse_name("name", &request.name)?;
            Ok(convert::to_time_off(&time_off::known(&self.0, &ctx.caller, id).await?))
        })
        .await
    }

    async fn list_time_off_requests(
        &self,
        request: Request<pb::ListTimeOffRequestsRequest>,
    ) -> Result<Response<pb::ListTimeOffRequestsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let state = convert::time_off_state(request.state());
            let listing = listing(&ctx).with(&request.store).with(state.unwrap_or_default());
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let after = page.after_time()?;
            let found = time_off::list(&self.0, &ctx.caller, store, state, after, page.limit()).await?;
            let (found, next_page_token) = page.cut(found, |wish| time_key(wish.start_time, wish.id.uuid()));
            let time_off_requests = found.iter().map(convert::to_time_off).collect();
            Ok(pb::ListTimeOffRequestsResponse { time_off_requests, next_page_token })
        })
        .await
    }

    async fn create_time_off_request(
        &self,
        request: Request<pb::CreateTimeOffRequestRequest>,
    ) -> Result<Response<pb::TimeOffRequest>, Status> {
        unary(request, |ctx, request| async move {
            let wish = request.time_off_request.clone().unwrap_or_default();
            let therapist = TherapistId::parse_name("time_off_request.therapist", &wish.therapist)?;
            let start = timestamp("time_off_request.start_time", wish.start_time.as_ref())?;
            let end = timestamp("time_off_request.end_time", wish.end_time.as_ref())?;
            let once = once(&ctx, &request.request_id, &request)?;
            time_off::request(&self.0, &ctx.caller, once, therapist, (start, end), wish.reason).await
        })
        .await
    }

    async fn approve_time_off_request(
        &self,
        request: Request<pb::ApproveTimeOffRequestRequest>,
    ) -> Result<Response<pb::TimeOffRequest>, Status> {
        unary(request, |ctx, request| async move {
            let id = TimeOffId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            time_off::approve(&self.0, &ctx.caller, once, id, &request.etag, request.decision.clone()).await
        })
        .await
    }

    async fn reject_time_off_request(
        &self,
        request: Request<pb::RejectTimeOffRequestRequest>,
    ) -> Result<Response<pb::TimeOffRequest>, Status> {
        unary(request, |ctx, request| async move {
            let id = TimeOffId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            time_off::reject(&self.0, &ctx.caller, once, id, &request.etag, request.decision.clone()).await
        })
        .await
    }

    async fn withdraw_time_off_request(
        &self,
        request: Request<pb::WithdrawTimeOffRequestRequest>,
    ) -> Result<Response<pb::TimeOffRequest>, Status> {
        unary(request, |ctx, request| async move {
            let id = TimeOffId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            time_off::withdraw(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn list_calendar_days(
        &self,
        request: Request<pb::ListCalendarDaysRequest>,
    ) -> Result<Response<pb::ListCalendarDaysResponse>, Status> {
        unary(request, |_, request| async move {
            let calendar = convert::calendar("calendar", &request.calendar)?;
            let dates = convert::dates(request.start_date.as_ref(), request.end_date.as_ref(), 10 * YEAR)?;
            let days = db::working_calendar::list(&mut *self.0.pg.conn().await?, &calendar, dates).await?;
            Ok(pb::ListCalendarDaysResponse { days: days.iter().map(convert::to_calendar_day).collect() })
        })
        .await
    }

    async fn set_calendar_days(
        &self,
        request: Request<pb::SetCalendarDaysRequest>,
    ) -> Result<Response<pb::SetCalendarDaysResponse>, Status> {
        unary(request, |ctx, request| async move {
            let calendar = convert::calendar("calendar", &request.calendar)?;
            let dates = convert::dates(request.start_date.as_ref(), request.end_date.as_ref(), YEAR)?;
            let days = convert::calendar_days(&request.days)?;
            let once = once(&ctx, &request.request_id, &request)?;
            calendars::set(&self.0, &ctx.caller, once, &calendar, dates, days).await
        })
        .await
    }

    async fn get_day(&self, request: Request<pb::GetDayRequest>) -> Result<Response<pb::Day>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let date = convert::date("date", request.date.as_ref())?;
            Ok(convert::to_day(date, &day::get_day(&self.0, &ctx.caller, store, date).await?))
        })
        .await
    }
}

fn window(
    start: Option<&prost_types::Timestamp>,
    end: Option<&prost_types::Timestamp>,
) -> Outcome<(Timestamp, Timestamp)> {
    let (from, to) = (timestamp("start_time", start)?, timestamp("end_time", end)?);
    if to <= from || to.duration_since(from) > LONGEST {
        return Err(Error::invalid("end_time", "must be later than start_time, by at most 62 days"));
    }
    Ok((from, to))
}

/// A page of a list by date and id: after which it starts.
fn date_position(page: &PageRequest) -> Outcome<Option<(Date, Uuid)>> {
    let read = |key: &str| {
        let (date, id) = key.split_once('/')?;
        Some((date.parse().ok()?, Uuid::try_parse(id).ok()?))
    };
    page.after()
        .map(|key| read(key).ok_or_else(|| Error::invalid("page_token", "is not one that this list gave out")))
        .transpose()
}
