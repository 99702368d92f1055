//! The roster, wire ↔ domain.

use jiff::civil::Date;
use kernel::{Error, Result, ids::TherapistId};
use proto::{
    booking::v1 as pb,
    google::r#type::{Date as PbDate, DayOfWeek, TimeOfDay},
};
use rpc::convert::{timestamp, to_timestamp};

use super::{time::minute_of_day, to_state};
use crate::{
    db::{day::Visit, shift::Exception},
    domain::{
        etag::etag,
        roster::{
            Dates,
            block::{Block, Kind, Resource},
            calendar::{self, CalendarDay},
            pattern::{Hours, ShiftPattern, WeeklyShift},
            shift::Shift,
            time_off::{State, TimeOff},
        },
        span::{Span, instant},
    },
    flows::roster::{blocks, day, exceptions::Listed, patterns},
};

pub use super::time::{date, to_date};

/// The dates from `start_date` to `end_date`, at most so many days apart.
pub fn dates(first: Option<&PbDate>, last: Option<&PbDate>, most: i32) -> Result<Dates> {
    let dates = Dates { first: date("start_date", first)?, last: date("end_date", last)? };
    if dates.last < dates.first || dates.days() > most {
        let text = format!("must not be before start_date, and at most {most} days after it");
        return Err(Error::invalid("end_date", text));
    }
    Ok(dates)
}

/// The hours of a shift.
pub fn hours(field: &str, hours: Option<&pb::WorkingHours>) -> Result<Hours> {
    let hours = hours.ok_or_else(|| Error::invalid(field, "must be given"))?;
    let start = minute_of_day(&format!("{field}.start_time"), hours.start_time.as_ref())?;
    if start == 1_440 {
        return Err(Error::invalid(format!("{field}.start_time"), "must be before 24:00; use 00:00 of the next day"));
    }
    let end = minute_of_day(&format!("{field}.end_time"), hours.end_time.as_ref())?;
    let pause = |(index, pause): (usize, &pb::DailyBreak)| {
        let field = format!("{field}.breaks[{index}]");
        let from = minute_of_day(&format!("{field}.start_time"), pause.start_time.as_ref())?;
        let to = minute_of_day(&format!("{field}.end_time"), pause.end_time.as_ref())?;
        // What is earlier by the clock than what it follows is in the next day.
        let from = if from < start { from + 1_440 } else { from };
        let to = if to <= from { to + 1_440 } else { to };
        Ok((from, to))
    };
    Ok(Hours {
        start_minute: start,
        end_minute: if end <= start { end + 1_440 } else { end },
        breaks: hours.breaks.iter().enumerate().map(pause).collect::<Result<_>>()?,
    })
}

/// Hours for the wire.
fn to_hours(hours: &Hours) -> pb::WorkingHours {
    let time = |minute: i16| {
        let minute = i32::from(minute);
        Some(TimeOfDay { hours: minute / 60, minutes: minute % 60, ..TimeOfDay::default() })
    };
    // Up to 24:00 an end is of the same day; past that it is written as the time of the next.
    let end = |minute: i16| time(if minute > 1_440 { minute - 1_440 } else { minute });
    pb::WorkingHours {
        start_time: time(hours.start_minute),
        end_time: end(hours.end_minute),
        breaks: hours
            .breaks
            .iter()
            .map(|&(from, to)| pb::DailyBreak { start_time: time(from % 1_440), end_time: end(to) })
            .collect(),
    }
}

/// What a pattern is to be.
pub fn pattern(pattern: &pb::ShiftPattern) -> Result<patterns::Terms> {
    let shift = |(index, shift): (usize, &pb::WeeklyShift)| {
        let hours = hours(&format!("shift_pattern.shifts[{index}].hours"), shift.hours.as_ref())?;
        Ok(WeeklyShift { day: i16::try_from(shift.day).unwrap_or_default(), hours })
    };
    let follows = super::optional(&pattern.follows_calendar, |name| calendar("shift_pattern.follows_calendar", name))?;
    Ok(patterns::Terms {
        start_date: date("shift_pattern.start_date", pattern.start_date.as_ref())?,
        end_date: pattern.end_date.as_ref().map(|end| date("shift_pattern.end_date", Some(end))).transpose()?,
        shifts: pattern.shifts.iter().enumerate().map(shift).collect::<Result<_>>()?,
        follows_calendar: follows,
    })
}

/// A pattern for the wire.
pub fn to_pattern(pattern: &ShiftPattern) -> pb::ShiftPattern {
    pb::ShiftPattern {
        name: pattern.id.name(),
        therapist: pattern.therapist.name(),
        store: pattern.store.name(),
        start_date: Some(to_date(pattern.start_date)),
        end_date: pattern.end_date.map(to_date),
        shifts: pattern
            .shifts
            .iter()
            .map(|shift| pb::WeeklyShift {
                day: DayOfWeek::try_from(i32::from(shift.day)).unwrap_or_default().into(),
                hours: Some(to_hours(&shift.hours)),
            })
            .collect(),
        follows_calendar: pattern.follows_calendar.as_deref().map(calendar_name).unwrap_or_default(),
        etag: etag(pattern.version),
    }
}

/// A shift for the wire.
pub fn to_shift(shift: &Shift) -> pb::Shift {
    pb::Shift {
        name: shift.id.name(),
        therapist: shift.therapist.name(),
        store: shift.store.name(),
        start_time: Some(to_timestamp(shift.start_time)),
        end_time: Some(to_timestamp(shift.end_time)),
        etag: etag(shift.version),
        shift_pattern: shift.pattern.map(|pattern| pattern.name()).unwrap_or_default(),
    }
}

/// An exception for the wire.
pub fn to_exception(therapist: TherapistId, exception: &Exception, shifts: &[&Shift]) -> pb::ShiftException {
    pb::ShiftException {
        therapist: therapist.name(),
        date: Some(to_date(exception.date)),
        shifts: shifts.iter().map(|shift| to_shift(shift)).collect(),
        note: exception.note.clone(),
        create_time: Some(to_timestamp(exception.create_time)),
    }
}

/// A listed exception for the wire.
pub fn to_listed(therapist: TherapistId, listed: &Listed) -> pb::ShiftException {
    to_exception(therapist, &listed.exception, &listed.shifts.iter().collect::<Vec<_>>())
}

/// What a block is to be.
pub fn block(block: &pb::Block) -> Result<blocks::Terms> {
    Ok(blocks::Terms {
        resource: Resource::parse_name("block.resource", &block.resource)?,
        kind: block_kind(block.kind()),
        start_time: timestamp("block.start_time", block.start_time.as_ref())?,
        end_time: timestamp("block.end_time", block.end_time.as_ref())?,
        reason: block.reason.clone(),
    })
}

/// A kind of block; the validation rules have seen that it is stated.
pub fn block_kind(kind: pb::block::Kind) -> Kind {
    match kind {
        pb::block::Kind::Break => Kind::Break,
        pb::block::Kind::TimeOff => Kind::TimeOff,
        pb::block::Kind::Maintenance => Kind::Maintenance,
        pb::block::Kind::Other | pb::block::Kind::Unspecified => Kind::Other,
    }
}

/// A kind of block for the wire.
pub fn to_block_kind(kind: Kind) -> pb::block::Kind {
    match kind {
        Kind::Break => pb::block::Kind::Break,
        Kind::TimeOff => pb::block::Kind::TimeOff,
        Kind::Maintenance => pb::block::Kind::Maintenance,
        Kind::Other => pb::block::Kind::Other,
    }
}

/// A block for the wire.
pub fn to_block(block: &Block) -> pb::Block {
    pb::Block {
        name: block.id.name(),
        resource: block.resource.name(),
        store: block.store.name(),
        kind: to_block_kind(block.kind).into(),
        start_time: Some(to_timestamp(block.start_time)),
        end_time: Some(to_timestamp(block.end_time)),
        reason: block.reason.clone(),
        etag: etag(block.version),
        derived: block.derived,
    }
}

/// A request for time off for the wire.
pub fn to_time_off(request: &TimeOff) -> pb::TimeOffRequest {
    let decision = request.state.decision();
    pb::TimeOffRequest {
        name: request.id.name(),
        therapist: request.therapist.name(),
        store: request.store.name(),
        start_time: Some(to_timestamp(request.start_time)),
        end_time: Some(to_timestamp(request.end_time)),
        reason: request.reason.clone(),
        state: to_time_off_state(&request.state).into(),
        requester: request.requester.clone(),
        create_time: Some(to_timestamp(request.create_time)),
        decider: decision.map(|decision| decision.decider.clone()).unwrap_or_default(),
        decide_time: decision.map(|decision| to_timestamp(decision.decide_time)),
        decision: decision.map(|decision| decision.reason.clone()).unwrap_or_default(),
        block: request.state.block().map(|block| block.name()).unwrap_or_default(),
        etag: etag(request.version),
    }
}

/// Where a request stands, for the wire.
pub fn to_time_off_state(state: &State) -> pb::time_off_request::State {
    match state {
        State::Requested => pb::time_off_request::State::Requested,
        State::Approved { .. } => pb::time_off_request::State::Approved,
        State::Rejected(_) => pb::time_off_request::State::Rejected,
        State::Withdrawn(_) => pb::time_off_request::State::Withdrawn,
    }
}

/// The name in the database of a state to look for; `None` for any.
pub fn time_off_state(state: pb::time_off_request::State) -> Option<&'static str> {
    let [requested, approved, rejected, withdrawn] = State::NAMES;
    match state {
        pb::time_off_request::State::Unspecified => None,
        pb::time_off_request::State::Requested => Some(requested),
        pb::time_off_request::State::Approved => Some(approved),
        pb::time_off_request::State::Rejected => Some(rejected),
        pb::time_off_request::State::Withdrawn => Some(withdrawn),
    }
}

/// Reads the name of a working calendar, such as `workingCalendars/CN`.
pub fn calendar(field: &str, name: &str) -> Result<String> {
    let plain = |code: &&str| (1..=16).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    name.strip_prefix("workingCalendars/")
        .filter(plain)
        .map(str::to_owned)
        .ok_or_else(|| Error::invalid(field, "must be a resource name such as workingCalendars/CN"))
}

/// The resource name of a working calendar.
pub fn calendar_name(calendar: &str) -> String {
    format!("workingCalendars/{calendar}")
}

/// Days of a calendar.
pub fn calendar_days(days: &[pb::CalendarDay]) -> Result<Vec<CalendarDay>> {
    let day = |(index, day): (usize, &pb::CalendarDay)| {
        let field = format!("days[{index}].replaces");
        let replaces = day.replaces.as_ref().map(|replaced| date(&field, Some(replaced))).transpose()?;
        let kind = match (day.kind(), replaces) {
            (pb::calendar_day::Kind::MakeUpWorkday, Some(replaces)) => calendar::Kind::MakeUpWorkday { replaces },
            (pb::calendar_day::Kind::MakeUpWorkday, None) => {
                return Err(Error::invalid(field, "must be the day off that the make-up day makes up for"));
            }
            (_, None) => calendar::Kind::Holiday,
            (_, Some(_)) => return Err(Error::invalid(field, "is for make-up working days only; leave it out")),
        };
        let at = date(&format!("days[{index}].date"), day.date.as_ref())?;
        Ok(CalendarDay { date: at, kind, name: day.display_name.clone() })
    };
    days.iter().enumerate().map(day).collect()
}

/// A day of a calendar for the wire.
pub fn to_calendar_day(day: &CalendarDay) -> pb::CalendarDay {
    let (kind, replaces) = match day.kind {
        calendar::Kind::Holiday => (pb::calendar_day::Kind::Holiday, None),
        calendar::Kind::MakeUpWorkday { replaces } => (pb::calendar_day::Kind::MakeUpWorkday, Some(to_date(replaces))),
    };
    pb::CalendarDay { date: Some(to_date(day.date)), kind: kind.into(), display_name: day.name.clone(), replaces }
}

/// A store's date for the wire.
pub fn to_day(date: Date, day: &day::Day) -> pb::Day {
    let span = |span: &Span| pb::TimeSpan {
        start_time: Some(to_timestamp(instant(span.start))),
        end_time: Some(to_timestamp(instant(span.end))),
    };
    pb::Day {
        store: day.store.id.name(),
        date: Some(to_date(date)),
        time_zone: day.store.time_zone.clone(),
        openings: day.openings.iter().map(span).collect(),
        therapists: day
            .therapists
            .iter()
            .map(|of| pb::TherapistDay {
                therapist: of.therapist.id.name(),
                display_name: of.therapist.display_name.clone(),
                shifts: of.shifts.iter().map(to_shift).collect(),
                blocks: of.blocks.iter().map(to_block).collect(),
                visits: of.visits.iter().map(to_visit).collect(),
            })
            .collect(),
        place_blocks: day.place_blocks.iter().map(to_block).collect(),
    }
}

fn to_visit(visit: &Visit) -> pb::DayVisit {
    pb::DayVisit {
        booking: visit.booking.name(),
        item: visit.item.name(),
        item_display_name: visit.item_name.clone(),
        room: visit.room.name(),
        room_display_name: visit.room_name.clone(),
        start_time: Some(to_timestamp(visit.start_time)),
        end_time: Some(to_timestamp(visit.end_time)),
        state: to_state(visit.state).into(),
        customer: visit.customer.name(),
        requested: visit.requested,
    }
}
