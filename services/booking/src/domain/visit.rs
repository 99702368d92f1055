//! What a visit keeps.
//!
//! A visit is a list of *demands*: a class of resource, and the minutes from the visit's start in which ONE resource of
//! that class is kept. An ordinary item needs a therapist, a room and maybe a machine. A package in one order with given
//! pauses is again such a list, and so is a party: the demands of all its guests at once. Whoever can serve a list of
//! demands can serve them all.

use kernel::{
    Error, Result, Uuid,
    ids::{ItemId, TherapistId},
};

pub use super::phase::{DAY, Phase, ResourceKind, check_phases};
use super::{
    availability::GRID,
    catalog::{Item, Sex},
    phase::{Timetable, add_names, join},
    span::Span,
};

/// At most so many ways to place the pauses of a package are tried, those with the least waiting first.
const ALTERNATIVES: usize = 128;

/// Which resources can serve a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Somebody who can do all of this.
    Therapist {
        /// The skills, sorted.
        skills: Vec<String>,
        /// The certificates, valid to the end of the work; sorted.
        certificates: Vec<String>,
    },
    /// A room or bed.
    Room {
        /// What it is for.
        kind: String,
    },
    /// A machine.
    Equipment {
        /// What it is for.
        kind: String,
    },
}

impl Class {
    /// Which sort of resources it is about.
    pub fn resource(&self) -> ResourceKind {
        match self {
            Self::Therapist { .. } => ResourceKind::Therapist,
            Self::Room { .. } => ResourceKind::Room,
            Self::Equipment { .. } => ResourceKind::Equipment,
        }
    }
}

/// One resource that a visit keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Which resources could serve it.
    pub class: Class,
    /// When it is kept, as a list of minutes from the start of the visit; never empty.
    pub spans: Vec<Span>,
    /// Only this resource.
    pub wish: Option<Uuid>,
    /// Only a therapist of this sex.
    pub sex: Option<Sex>,
    /// Only a therapist of this grade or a higher one.
    pub min_grade: Option<i16>,
    /// Only a therapist who speaks this language.
    pub language: Option<String>,
    /// For which guest of a party, from 0.
    pub guest: usize,
    /// The legs that it serves: indices into [`Visit::legs`].
    pub legs: Vec<usize>,
}

/// One item of a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// What.
    pub item: ItemId,
    /// For which guest of a party, from 0.
    pub guest: usize,
    /// When it is given, in minutes from the start of the visit; with its add-ons.
    pub treatment: Span,
}

/// All that a visit needs, relative to its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    /// The resources that it keeps.
    pub demands: Vec<Demand>,
    /// What is given, in order, guest by guest.
    pub legs: Vec<Leg>,
    /// From the first to the last minute in which a guest is treated; the store must be open then.
    pub treatment: Span,
}

/// An item within a visit.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// What.
    pub item: &'a Item,
    /// What follows it at once, by the same therapist and in the same room.
    pub add_ons: &'a [Item],
    /// Minutes from the start of the visit.
    pub at: i64,
}

/// Who is wished for; the default is anybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// Only this therapist.
    pub therapist: Option<TherapistId>,
    /// Only therapists of this sex.
    pub sex: Option<Sex>,
    /// Only therapists of this grade or a higher one.
    pub min_grade: Option<i16>,
    /// Only therapists who speak this language.
    pub language: Option<String>,
}

impl Wish {
    /// The same, but for the therapist by name.
    pub fn besides_name(&self) -> Self {
        Self { therapist: None, ..self.clone() }
    }
}

impl Visit {
    /// A visit for one item, followed by its add-ons.
    ///
    /// Fails with `InvalidArgument` if the phases of one contradict themselves, or if it takes a day.
    pub fn of_item(item: &Item, add_ons: &[Item]) -> Result<Self> {
        Self::of_courses(&[Course { item, add_ons, at: 0 }], true)
    }

    /// A visit for items of which it is known when each is given. One therapist gives them all if `one_therapist`, else
    /// one each, who may be the same.
    ///
    /// One room is kept for each kind, from the first to the last minute in which that kind is needed; one machine is
    /// kept for each kind, while it is needed.
    ///
    /// Fails with `InvalidArgument` if the phases of an item contradict themselves or don't fit into a package, or if
    /// the visit takes a day.
    pub fn of_courses(courses: &[Course<'_>], one_therapist: bool) -> Result<Self> {
        let mut legs = Vec::with_capacity(courses.len());
        let mut therapists: Vec<Demand> = Vec::new();
        let mut rooms: Vec<Demand> = Vec::new();
        let mut machines: Vec<Demand> = Vec::new();
        for (leg, course) in courses.iter().enumerate() {
            let mut table = Timetable::of(course.item)?;
            for add_on in course.add_ons {
                table = table.then(Timetable::of(add_on)?);
            }
            if courses.len() > 1 {
                check_in_package(leg, &table)?;
            }
            legs.push(Leg { item: course.item.id, guest: 0, treatment: Span::new(0, table.duration).moved(course.at) });
            let Timetable { skills, certificates, therapist, room, machines: kinds, .. } = table;
            match therapists.first_mut().filter(|_| one_therapist) {
                Some(known) => known.also_gives(skills, certificates, &therapist, course.at, leg),
                None => {
                    let class = Class::Therapist { skills, certificates };
                    therapists.push(Demand::new(class, &therapist, course.at, leg));
                }
            }
            let class = Class::Room { kind: course.item.room_kind.clone() };
            keep(&mut rooms, class, &[room], course.at, leg);
            for (kind, spans) in kinds {
                keep(&mut machines, Class::Equipment { kind }, &spans, course.at, leg);
            }
        }
        for room in &mut rooms {
            room.spans = room.spans.iter().copied().reduce(Span::hull).into_iter().collect();
        }
        let demands = therapists.into_iter().chain(rooms).chain(machines).collect();
        let treatment = legs.iter().map(|leg| leg.treatment).reduce(Span::hull).unwrap_or(Span::new(0, 0));
        let visit = Self { demands, legs, treatment };
        if visit.reach().minutes() >= DAY {
            return Err(Error::invalid("item", "takes a day or more with all that belongs to it; choose less"));
        }
        Ok(visit)
    }

    /// A visit for several items in the given order: all ways to place the pauses between them, those with the least
    /// waiting first. A pause is a multiple of [`GRID`] and at most `gap_limit` minutes.
    ///
    /// Fails with `InvalidArgument` as [`Visit::of_courses`] does, and if there is no item or `gap_limit` is negative.
    pub fn of_package(items: &[Item], gap_limit: i64, one_therapist: bool) -> Result<Vec<Self>> {
        let Some((_, after_first)) = items.split_first() else {
            return Err(Error::invalid("package.items", "must name at least one item"));
        };
        if gap_limit < 0 {
            return Err(Error::invalid("package.gap_limit", "must not be negative; 0 allows no pause"));
        }
        let mut visits = Vec::new();
        for gaps in gaps(after_first.len(), gap_limit / GRID) {
            let mut at = 0;
            let courses: Vec<Course<'_>> = std::iter::once(0)
                .chain(gaps)
                .zip(items)
                .map(|(gap, item)| {
                    let course = Course { item, add_ons: &[], at: at + gap * GRID };
                    at = course.at + i64::from(item.duration_minutes);
                    course
                })
                .collect();
            match Self::of_courses(&courses, one_therapist) {
                Ok(visit) => visits.push(visit),
                // Only waiting makes it too long.
                Err(_) if !visits.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(visits)
    }

    /// The visits of several guests as one, each begun so many minutes after the start.
    pub fn together(guests: Vec<(Self, i64)>) -> Self {
        let mut party = Self { demands: Vec::new(), legs: Vec::new(), treatment: Span::new(0, 0) };
        let mut before = 0;
        for (index, (visit, offset)) in guests.into_iter().enumerate() {
            let (first_leg, guests) = (party.legs.len(), visit.guests());
            party.demands.extend(visit.demands.into_iter().map(|mut demand| {
                demand.spans.iter_mut().for_each(|span| *span = span.moved(offset));
                demand.legs.iter_mut().for_each(|leg| *leg += first_leg);
                demand.guest += before;
                demand
            }));
            party.legs.extend(visit.legs.into_iter().map(|leg| Leg {
                guest: leg.guest + before,
                treatment: leg.treatment.moved(offset),
                ..leg
            }));
            let treatment = visit.treatment.moved(offset);
            party.treatment = if index == 0 { treatment } else { party.treatment.hull(treatment) };
            before += guests;
        }
        party
    }

    /// The same visit, longer by so many minutes at its end: its last treatment, the therapist and the room of it, and a
    /// machine that it needs to the end.
    pub fn extended(mut self, minutes: i64) -> Self {
        let last = self.legs.iter().enumerate().max_by_key(|(_, leg)| leg.treatment.end);
        let Some((last, end)) = last.map(|(index, leg)| (index, leg.treatment.end)) else { return self };
        for demand in self.demands.iter_mut().filter(|demand| demand.legs.contains(&last)) {
            let to_the_end = demand.class.resource() != ResourceKind::Equipment;
            if let Some(span) = demand.spans.last_mut().filter(|span| to_the_end || span.end >= end) {
                span.end += minutes;
            }
        }
        self.legs[last].treatment.end += minutes;
        self.treatment = self.legs.iter().map(|leg| leg.treatment).reduce(Span::hull).unwrap_or(self.treatment);
        self
    }

    /// The same visit with its last treatment made longer or shorter, so that the whole ends `minutes` after its start.
    /// `None` if something would be kept for no time.
    pub fn lasting(self, minutes: i64) -> Option<Self> {
        let more = minutes - self.treatment.end;
        if more == 0 {
            return Some(self);
        }
        let visit = self.extended(more);
        let kept = visit.demands.iter().flat_map(|demand| &demand.spans);
        let given = visit.legs.iter().map(|leg| &leg.treatment);
        let is_whole = kept.chain(given).all(|span| span.minutes() > 0) && visit.treatment.end == minutes;
        is_whole.then_some(visit)
    }

    /// The same visit with a therapist as `guest` wishes.
    pub fn wishing(mut self, guest: usize, wish: &Wish) -> Self {
        let his = |demand: &&mut Demand| demand.guest == guest && demand.class.resource() == ResourceKind::Therapist;
        for demand in self.demands.iter_mut().filter(his) {
            demand.wish = wish.therapist.map(TherapistId::uuid);
            demand.sex = wish.sex;
            demand.min_grade = wish.min_grade;
            demand.language.clone_from(&wish.language);
        }
        self
    }

    /// From the first to the last minute in which anything is kept or anybody treated.
    pub fn reach(&self) -> Span {
        let kept = self.demands.iter().flat_map(|demand| demand.spans.iter().copied());
        kept.fold(self.treatment, Span::hull)
    }

    /// How many people come.
    pub fn guests(&self) -> usize {
        self.legs.iter().map(|leg| leg.guest + 1).max().unwrap_or(0)
    }
}

impl Demand {
    fn new(class: Class, spans: &[Span], offset: i64, leg: usize) -> Self {
        let spans = spans.iter().map(|span| span.moved(offset)).collect();
        Self { class, spans, wish: None, sex: None, min_grade: None, language: None, guest: 0, legs: vec![leg] }
    }

    /// From the first to the last minute in which the resource is kept.
    pub fn reach(&self) -> Span {
        self.spans.iter().copied().reduce(Span::hull).unwrap_or(Span::new(0, 0))
    }

    fn also_gives(
        &mut self,
        more_skills: Vec<String>,
        more_certificates: Vec<String>,
        spans: &[Span],
        offset: i64,
        leg: usize,
    ) {
        if let Class::Therapist { skills, certificates } = &mut self.class {
            add_names(skills, more_skills);
            add_names(certificates, more_certificates);
        }
        join(&mut self.spans, spans, offset);
        self.legs.push(leg);
    }
}

/// Keeps a place of this class also then: the one that is kept already, if there is one.
fn keep(demands: &mut Vec<Demand>, class: Class, spans: &[Span], offset: i64, leg: usize) {
    match demands.iter_mut().find(|demand| demand.class == class) {
        Some(demand) => {
            join(&mut demand.spans, spans, offset);
            demand.legs.push(leg);
        }
        None => demands.push(Demand::new(class, spans, offset, leg)),
    }
}

/// The therapist of a package is needed by one item after the other, never by two at a time.
fn check_in_package(index: usize, table: &Timetable) -> Result<()> {
    let treatment = Span::new(0, table.duration);
    if table.therapist.iter().all(|span| treatment.contains(*span)) {
        return Ok(());
    }
    Err(Error::invalid(
        format!("package.items[{index}]"),
        "needs its therapist before or after the treatment; it can only be booked by itself",
    ))
}

/// The ways to make `count` pauses of 0 to `longest` steps each, by their sum; at most [`ALTERNATIVES`].
fn gaps(count: usize, longest: i64) -> Vec<Vec<i64>> {
    let most = longest.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX));
    let mut all = Vec::new();
    let mut sum = 0;
    while sum <= most && all.len() < ALTERNATIVES {
        with_sum(&mut Vec::with_capacity(count), count, longest, sum, &mut all);
        sum += 1;
    }
    all
}

fn with_sum(begun: &mut Vec<i64>, count: usize, longest: i64, left: i64, all: &mut Vec<Vec<i64>>) {
    let open = i64::try_from(count - begun.len()).unwrap_or(i64::MAX);
    if open == 0 {
        all.extend((left == 0 && all.len() < ALTERNATIVES).then(|| begun.clone()));
        return;
    }
    let least = (left - longest.saturating_mul(open - 1)).max(0);
    for gap in least..=longest.min(left) {
        if all.len() >= ALTERNATIVES {
            return;
        }
        begun.push(gap);
        with_sum(begun, count, longest, left - gap, all);
        begun.pop();
    }
}

#[cfg(test)]
mod tests;
