//! Who works when, and what keeps people and places from being booked.

mod blocks;
mod calendars;
mod day;
mod patterns;
mod races;
mod shifts;
mod time_off;

use jiff::civil::Date;
use kernel::Timestamp;
use proto::{
    access::Role,
    booking::v1 as pb,
    google::r#type::{Date as PbDate, DayOfWeek, TimeOfDay},
};
use rpc::convert::to_timestamp;
use testkit::with_token;
use tonic::{Response, Status};

use crate::world::{World, id, reason};

/// The Monday on which the clock stands.
const MONDAY: Date = Date::constant(2027, 3, 1);

/// So many days after it.
fn day(after: i32) -> Option<PbDate> {
    let date = MONDAY.checked_add(jiff::Span::new().days(after)).expect("in range");
    Some(PbDate { year: i32::from(date.year()), month: i32::from(date.month()), day: i32::from(date.day()) })
}

/// From one time of the day to another, in minutes, with breaks.
fn hours(start: i32, end: i32, breaks: &[(i32, i32)]) -> pb::WorkingHours {
    let time = |minute| Some(TimeOfDay { hours: minute / 60, minutes: minute % 60, ..TimeOfDay::default() });
    pb::WorkingHours {
        start_time: time(start),
        end_time: time(end),
        breaks: breaks
            .iter()
            .map(|&(start, end)| pb::DailyBreak { start_time: time(start), end_time: time(end) })
            .collect(),
    }
}

/// The same hours on these weekdays.
fn weekly(days: impl IntoIterator<Item = i32>, hours: &pb::WorkingHours) -> Vec<pb::WeeklyShift> {
    days.into_iter()
        .map(|day| pb::WeeklyShift { day: DayOfWeek::try_from(day).expect("a day").into(), hours: Some(hours.clone()) })
        .collect()
}

/// The bookings that a refusal names.
fn stranded(status: &Status) -> Vec<String> {
    use tonic_types::StatusExt;
    assert_eq!(reason(status), "STRANDS_BOOKINGS", "{status:?}");
    let metadata = status.get_details_error_info().expect("an error info").metadata;
    let names: Vec<String> = metadata["bookings"].split(',').map(str::to_owned).collect();
    assert_eq!(metadata["count"], names.len().to_string());
    names
}

impl World {
    fn manager(&self) -> String {
        self.staff(Role::StoreManager)
    }

    /// Somebody with a pattern from today on.
    async fn with_pattern(&self, shifts: Vec<pb::WeeklyShift>) -> (String, pb::ShiftPattern) {
        let therapist = self.create_therapist("Lin", "thai").await.name;
        let pattern = self.create_pattern(&therapist, shifts).await.expect("a pattern");
        (therapist, pattern)
    }

    async fn create_pattern(&self, therapist: &str, shifts: Vec<pb::WeeklyShift>) -> Result<pb::ShiftPattern, Status> {
        let shift_pattern = pb::ShiftPattern {
            therapist: therapist.to_owned(),
            start_date: day(0),
            shifts,
            ..pb::ShiftPattern::default()
        };
        self.send_pattern(shift_pattern).await
    }

    async fn send_pattern(&self, pattern: pb::ShiftPattern) -> Result<pb::ShiftPattern, Status> {
        let request = pb::CreateShiftPatternRequest { shift_pattern: Some(pattern), request_id: id() };
        self.roster().create_shift_pattern(with_token(request, &self.manager())).await.map(Response::into_inner)
    }

    async fn update_pattern(&self, pattern: pb::ShiftPattern) -> Result<pb::ShiftPattern, Status> {
        let request =
            pb::UpdateShiftPatternRequest { shift_pattern: Some(pattern), update_mask: None, request_id: id() };
        self.roster().update_shift_pattern(with_token(request, &self.manager())).await.map(Response::into_inner)
    }

    async fn set_exception(
        &self,
        therapist: &str,
        after: i32,
        shifts: Vec<pb::WorkingHours>,
    ) -> Result<pb::ShiftException, Status> {
        let request = pb::SetShiftExceptionRequest {
            therapist: therapist.to_owned(),
            date: day(after),
            shifts,
            note: "wedding".to_owned(),
            request_id: id(),
        };
        self.roster().set_shift_exception(with_token(request, &self.manager())).await.map(Response::into_inner)
    }

    /// The shifts of a therapist, by start.
    async fn shifts_of(&self, therapist: &str, from: Timestamp, to: Timestamp) -> Vec<pb::Shift> {
        let request = pb::ListShiftsRequest {
            store: self.store.clone(),
            start_time: Some(to_timestamp(from)),
            end_time: Some(to_timestamp(to)),
            page_size: 1_000,
            ..pb::ListShiftsRequest::default()
        };
        let shifts = self.catalog().list_shifts(with_token(request, &self.admin)).await.expect("a list").into_inner();
        shifts.shifts.into_iter().filter(|shift| shift.therapist == therapist).collect()
    }

    pub async fn create_block(&self, resource: &str, from: Timestamp, to: Timestamp) -> Result<pb::Block, Status> {
        let block = pb::Block {
            resource: resource.to_owned(),
            kind: pb::block::Kind::Maintenance.into(),
            start_time: Some(to_timestamp(from)),
            end_time: Some(to_timestamp(to)),
            reason: "a leak".to_owned(),
            ..pb::Block::default()
        };
        let request = pb::CreateBlockRequest { block: Some(block), request_id: id() };
        self.roster().create_block(with_token(request, &self.staff(Role::FrontDesk))).await.map(Response::into_inner)
    }

    async fn request_time_off(
        &self,
        token: &str,
        therapist: &str,
        (from, to): (Timestamp, Timestamp),
    ) -> Result<pb::TimeOffRequest, Status> {
        let time_off_request = pb::TimeOffRequest {
            therapist: therapist.to_owned(),
            start_time: Some(to_timestamp(from)),
            end_time: Some(to_timestamp(to)),
            reason: "a wedding".to_owned(),
            ..pb::TimeOffRequest::default()
        };
        let request = pb::CreateTimeOffRequestRequest { time_off_request: Some(time_off_request), request_id: id() };
        self.roster().create_time_off_request(with_token(request, token)).await.map(Response::into_inner)
    }

    async fn approve(&self, name: &str) -> Result<pb::TimeOffRequest, Status> {
        let request = pb::ApproveTimeOffRequestRequest {
            name: name.to_owned(),
            request_id: id(),
            ..pb::ApproveTimeOffRequestRequest::default()
        };
        self.roster().approve_time_off_request(with_token(request, &self.manager())).await.map(Response::into_inner)
    }

    async fn withdraw(&self, token: &str, name: &str) -> Result<pb::TimeOffRequest, Status> {
        let request = pb::WithdrawTimeOffRequestRequest {
            name: name.to_owned(),
            request_id: id(),
            ..pb::WithdrawTimeOffRequestRequest::default()
        };
        self.roster().withdraw_time_off_request(with_token(request, token)).await.map(Response::into_inner)
    }

    async fn delete_shift(&self, name: &str, etag: &str) -> Result<(), Status> {
        let request = pb::DeleteShiftRequest { name: name.to_owned(), etag: etag.to_owned(), request_id: id() };
        self.roster().delete_shift(with_token(request, &self.manager())).await.map(Response::into_inner)
    }

    /// A hold with one therapist.
    fn hold_with(&self, therapist: &str, start: Timestamp) -> pb::HoldSlotRequest {
        pb::HoldSlotRequest { therapist: therapist.to_owned(), ..self.hold(start) }
    }

    /// How many live bookings no shift of their therapist covers. It must always be 0.
    async fn uncovered(&self) -> i64 {
        self.count(
            "select count(*) from allocation a join booking b on b.id = a.booking_id and b.therapist_id = a.resource_id
             where not exists (select from shift s where s.therapist_id = a.resource_id
                               and s.start_time <= a.start_time and s.end_time >= a.end_time)",
        )
        .await
    }

    /// How many versions of the roster's things have not exactly one event. It must always be 0.
    async fn untold(&self) -> i64 {
        self.count(
            "select count(*) from (
                 select id, version from shift union all select id, version from shift_pattern
                 union all select id, version from block where shift_id is null
                 union all select id, version from time_off_request) it
             where version <> (select count(*) from outbox where aggregate_id = it.id)
                or version <> (select count(distinct aggregate_version) from outbox where aggregate_id = it.id)",
        )
        .await
    }
}
