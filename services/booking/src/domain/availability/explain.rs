//! "Why not?"

use kernel::Uuid;

use super::{
    GRID,
    offers::Plan,
    on_grid,
    starts::{Free, open_starts},
    supply::Supply,
};
use crate::domain::{
    span::{Minute, Span, covers},
    visit::{ResourceKind, Visit},
};

/// Why a time can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The time is over.
    Past,
    /// It is too soon: visits must be booked earlier before their start.
    LeadTime,
    /// It is further ahead than can be booked.
    TooFarAhead,
    /// Whoever asks has booked as much as he may.
    Quota,
    /// The store is not open for so long.
    Closed,
    /// Nobody whom one asks for can give it, or this therapist's certificate has run out by then.
    NoSkill,
    /// This therapist is not on duty.
    NotOnShift,
    /// This therapist does something else; without a therapist: each could, but there are too few for all guests.
    Busy,
    /// This therapist would work too long in a row or in a day.
    WorkLimit,
    /// There are not enough free rooms of the kind.
    NoRoom,
    /// There are not enough free machines of the kind.
    NoEquipment,
}

impl Cause {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Past => "PAST",
            Self::LeadTime => "LEAD_TIME",
            Self::TooFarAhead => "TOO_FAR_AHEAD",
            Self::Quota => "QUOTA",
            Self::Closed => "CLOSED",
            Self::NoSkill => "NO_SKILL",
            Self::NotOnShift => "NOT_ON_SHIFT",
            Self::Busy => "BUSY",
            Self::WorkLimit => "WORK_LIMIT",
            Self::NoRoom => "NO_ROOM",
            Self::NoEquipment => "NO_EQUIPMENT",
        }
    }
}

/// One of the reasons why a time can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason {
    /// What kind of reason.
    pub cause: Cause,
    /// The therapist that it is about.
    pub therapist: Option<Uuid>,
    /// The next start at which it is none any more, if that lies within what was looked at.
    pub until: Option<Minute>,
}

/// Why none of the starts in a span can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// From the first such start to one step of the grid after the last.
    pub span: Span,
    /// Why; each reason alone is enough unless it is about one therapist.
    pub reasons: Vec<Reason>,
}

/// Why the starts in `window` that can't be had can't; by start, with one explanation where the reasons stay the same.
/// If there are several alternatives it is about the first, where none can be had.
pub fn explain(supply: &Supply, visits: &[Visit], window: Span) -> Vec<Explanation> {
    let free = Free::of(supply);
    let mut plans: Vec<Plan<'_>> = visits.iter().map(|visit| Plan::new(supply, &free, visit, window, &|_| 0)).collect();
    let Some(open) = visits.first().map(|visit| open_starts(supply, visit, window)) else { return Vec::new() };
    let mut explanations: Vec<Explanation> = Vec::new();
    for start in on_grid(&[window]) {
        if plans.iter_mut().any(|plan| plan.can_be_had(start)) {
            continue;
        }
        let reasons = if covers(&open, Span::new(start, start + 1)) {
            plans.first_mut().map(|plan| reasons(plan, start)).unwrap_or_default()
        } else {
            let until = open.get(open.partition_point(|span| span.start <= start)).map(|span| span.start);
            vec![Reason { cause: Cause::Closed, therapist: None, until }]
        };
        match explanations.last_mut() {
            Some(last) if last.span.end == start && last.reasons == reasons => last.span.end = start + GRID,
            _ => explanations.push(Explanation { span: Span::new(start, start + GRID), reasons }),
        }
    }
    explanations
}

/// What each demand lacks; if none lacks anything by itself, what all of them together lack. Sorted.
fn reasons(plan: &mut Plan<'_>, start: Minute) -> Vec<Reason> {
    plan.find_able(start);
    let mut reasons = Vec::new();
    for demand in 0..plan.visit.demands.len() {
        if plan.able[demand].is_empty() {
            lacking(plan, demand, start, &mut reasons);
        }
    }
    if reasons.is_empty() {
        let short =
            plan.chooser.groups.iter().filter(|group| plan.chooser.choose_group(group, &plan.able, start).is_none());
        reasons.extend(short.map(|group| Reason { cause: none_left(group.kind), therapist: None, until: None }));
    }
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

/// Why nobody can serve one demand.
fn lacking(plan: &Plan<'_>, index: usize, start: Minute, reasons: &mut Vec<Reason>) {
    let (demand, candidates) = (&plan.visit.demands[index], &plan.candidates[index]);
    let kind = demand.class.resource();
    if kind != ResourceKind::Therapist {
        let until = (0..candidates.resources.len()).filter_map(|candidate| candidates.next(candidate)).min();
        reasons.push(Reason { cause: none_left(kind), therapist: None, until });
        return;
    }
    if candidates.resources.is_empty() {
        reasons.push(Reason { cause: Cause::NoSkill, therapist: None, until: None });
    }
    for (candidate, &resource) in candidates.resources.iter().enumerate() {
        let therapist = &plan.supply.therapists[resource];
        let next = candidates.next(candidate);
        let (cause, until) = if !therapist.is_certified(demand, start) {
            (Cause::NoSkill, None)
        } else if !therapist.is_on(demand, start) {
            (Cause::NotOnShift, next)
        } else if !therapist.is_free(demand, start) {
            (Cause::Busy, next)
        } else {
            (Cause::WorkLimit, None)
        };
        reasons.push(Reason { cause, therapist: Some(therapist.id), until });
    }
}

fn none_left(kind: ResourceKind) -> Cause {
    match kind {
        ResourceKind::Therapist => Cause::Busy,
        ResourceKind::Room => Cause::NoRoom,
        ResourceKind::Equipment => Cause::NoEquipment,
    }
}
