//! Setting the days of a working calendar; the shifts of all who follow it change with it.

use kernel::{Error, Result};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::shifts::{Scope, horizon, make};
use crate::{
    App, db,
    domain::roster::{
        Dates,
        calendar::{self, CalendarDay},
    },
    flows::{
        Once,
        edit::{Frame, Started},
    },
    rpc::convert::roster::{calendar_name, to_calendar_day},
};

/// Sets which of `dates` are not worked as the weekday says.
pub async fn set(
    app: &App,
    caller: &Caller,
    once: Once<'_, pb::SetCalendarDaysRequest>,
    calendar: &str,
    dates: Dates,
    days: Vec<CalendarDay>,
) -> Result<pb::SetCalendarDaysResponse> {
    calendar::check(&days, dates)?;
    let mut edit = match Frame::begin(app, &once).await? {
        Started::Before(reply) => return Ok(reply),
        Started::Now(edit) => *edit,
    };
    let followers = db::shift_pattern::followers(&mut edit.tx, calendar, dates).await?;
    let mut owned = Vec::new();
    for follower in &followers {
        // They come by store: rosters are owned in one order.
        if owned.last() != Some(&follower.store) {
            db::roster::own(&mut edit.tx, follower.store).await?;
            owned.push(follower.store);
        }
    }
    // From here on no shifts are made from the days as they were.
    db::working_calendar::own(&mut edit.tx, calendar).await?;
    let followers = db::shift_pattern::followers(&mut edit.tx, calendar, dates).await?;
    if followers.iter().any(|follower| !owned.contains(&follower.store)) {
        return Err(Error::aborted("CONCURRENT_CHANGE", "a store began to follow the calendar meanwhile; try again"));
    }
    db::working_calendar::set(&mut edit.tx, calendar, dates, &days).await?;
    for follower in &followers {
        let scope = Scope::of(&mut edit.tx, follower.store, follower.therapist, edit.now).await?;
        let last = horizon(app, edit.now).min(follower.made_until);
        let within = dates.common(Dates { first: scope.today(), last });
        if within.first <= within.last {
            make(&mut edit.tx, &scope, within).await?;
        }
    }
    let days = db::working_calendar::list(&mut edit.tx, calendar, dates).await?;
    let reply = pb::SetCalendarDaysResponse { days: days.iter().map(to_calendar_day).collect() };
    let detail = json!({"first": dates.first.to_string(), "last": dates.last.to_string()});
    edit.finish_with(caller, "working_calendar.set", calendar_name(calendar), detail, reply).await
}
