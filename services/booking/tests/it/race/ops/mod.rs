//! What clients do. An operation is a small function and a row of [`OPS`].

mod holds;
mod house;
mod queue;
mod visits;
mod waitlist;

use futures_util::future::BoxFuture;
use tonic::Status;

use self::{
    holds::{cancel_group, hold, hold_group, hold_too_many, hold_twice},
    house::{block, shift, tick, unblock},
    queue::{call_next, come_in, pass_over},
    visits::{cancel, extend, extend_hold, go_on, move_visit, no_show, pay, reschedule},
    waitlist::{hear, leave, wait},
};
use super::{dice::Decision, run::Client};

/// Something that clients do.
pub struct Op {
    /// What it is called in a report.
    pub name: &'static str,
    /// How often it is done, compared with the others.
    pub weight: u64,
    /// For what reasons it may be refused; for bad input, the field.
    pub refusals: &'static [&'static str],
    /// Does it.
    pub run: for<'a> fn(&'a Client, &'a Decision) -> BoxFuture<'a, Tried>,
}

/// What came of it.
#[derive(Debug)]
pub enum Tried {
    /// It was done.
    Done,
    /// It was refused.
    Refused(Status),
    /// There was nothing at hand.
    Nothing,
}

impl<T> From<Result<T, Status>> for Tried {
    fn from(outcome: Result<T, Status>) -> Self {
        outcome.map_or_else(Self::Refused, |_| Self::Done)
    }
}

// A time that can't be had, or not any more.
const TAKEN: &str = "SLOT_TAKEN";
const OFF: &str = "NOT_ON_SHIFT";
const CLOSED: &str = "OUTSIDE_OPENING_HOURS";
const WORKED: &str = "WORK_LIMIT";
const PAST: &str = "start_time";
const NO_TIME: [&str; 5] = [TAKEN, OFF, CLOSED, WORKED, PAST];

/// All that clients do.
pub const OPS: [Op; 23] = [
    Op {
        name: "hold",
        weight: 30,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold(client, decision)),
    },
    Op {
        name: "hold twice at once",
        weight: 4,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_twice(client, decision)),
    },
    Op { name: "pay", weight: 20, refusals: &[], run: |client, decision| Box::pin(pay(client, decision)) },
    Op {
        name: "hold too many",
        weight: 1,
        refusals: &["TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_too_many(client, decision)),
    },
    Op {
        name: "hold group",
        weight: 6,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "TOO_MANY_HOLDS"],
        run: |client, decision| Box::pin(hold_group(client, decision)),
    },
    Op {
        name: "cancel group",
        weight: 2,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(cancel_group(client, decision)),
    },
    Op {
        name: "wait",
        weight: 7,
        refusals: &["TIMES_FREE", "ON_WAITLIST", OFF, CLOSED, WORKED, "end_time"],
        run: |client, decision| Box::pin(wait(client, decision)),
    },
    Op { name: "hear of offer", weight: 7, refusals: &[], run: |client, decision| Box::pin(hear(client, decision)) },
    Op {
        name: "leave the line",
        weight: 2,
        refusals: &["WRONG_STATE", "WAITLIST_SERVED"],
        run: |client, decision| Box::pin(leave(client, decision)),
    },
    Op {
        name: "walk in",
        weight: 12,
        refusals: &["IN_QUEUE", "NO_TIME_TODAY"],
        run: |client, decision| Box::pin(come_in(client, decision)),
    },
    Op {
        name: "call next",
        weight: 16,
        refusals: &["NOBODY_DUE"],
        run: |client, decision| Box::pin(call_next(client, decision)),
    },
    Op {
        name: "pass over",
        weight: 2,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(pass_over(client, decision)),
    },
    Op {
        name: "extend hold",
        weight: 3,
        refusals: &["WRONG_STATE", "HOLD_ENDED", "HOLD_LIMIT"],
        run: |client, decision| Box::pin(extend_hold(client, decision)),
    },
    Op {
        name: "cancel",
        weight: 8,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(cancel(client, decision)),
    },
    Op {
        name: "reschedule",
        weight: 14,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "WRONG_STATE", "HOLD_ENDED", "TOO_LATE"],
        run: |client, decision| Box::pin(reschedule(client, decision)),
    },
    Op {
        name: "move",
        weight: 10,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, PAST, "WRONG_STATE", "HOLD_ENDED"],
        run: |client, decision| Box::pin(move_visit(client, decision)),
    },
    Op {
        name: "go on",
        weight: 14,
        refusals: &["WRONG_STATE"],
        run: |client, decision| Box::pin(go_on(client, decision)),
    },
    Op {
        name: "extend",
        weight: 6,
        refusals: &[TAKEN, OFF, CLOSED, WORKED, "WRONG_STATE"],
        run: |client, decision| Box::pin(extend(client, decision)),
    },
    Op {
        name: "no-show",
        weight: 4,
        refusals: &["WRONG_STATE", "TOO_EARLY"],
        run: |client, decision| Box::pin(no_show(client, decision)),
    },
    Op { name: "time passes", weight: 8, refusals: &[], run: |client, decision| Box::pin(tick(client, decision)) },
    Op {
        name: "block",
        weight: 4,
        refusals: &["STRANDS_BOOKINGS", "block.start_time", "block.end_time"],
        run: |client, decision| Box::pin(block(client, decision)),
    },
    Op {
        name: "unblock",
        weight: 3,
        refusals: &["NOT_FOUND"],
        run: |client, decision| Box::pin(unblock(client, decision)),
    },
    Op {
        name: "shift",
        weight: 7,
        refusals: &["STRANDS_BOOKINGS", "SHIFT_OVERLAPS", "NOT_FOUND"],
        run: |client, decision| Box::pin(shift(client, decision)),
    },
];
