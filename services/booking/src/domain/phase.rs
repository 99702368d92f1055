//! Who and what an item needs, minute by minute from the start of its treatment.

use kernel::{Error, Result};

use super::{
    catalog::Item,
    span::{Span, list},
};

/// Minutes of a day. Nothing is kept that long for one visit: whoever looks for what is kept at a time can rely on it.
pub const DAY: i64 = 24 * 60;

/// The three sorts of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceKind {
    /// Somebody who gives treatments.
    Therapist,
    /// A room or bed.
    Room,
    /// A machine.
    Equipment,
}

/// A time in which an item needs a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// What it needs.
    pub resource: ResourceKind,
    /// Minutes from the start of the treatment; before it if negative.
    pub start: i64,
    /// How many minutes.
    pub minutes: i64,
}

impl Phase {
    fn span(self) -> Span {
        Span::new(self.start, self.start.saturating_add(self.minutes))
    }
}

/// What an item keeps, with its add-ons; every span is relative to the start of the treatment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timetable {
    /// Minutes in which the customer is treated.
    pub duration: i64,
    /// What the therapist must be able to do, sorted.
    pub skills: Vec<String>,
    /// What he must have papers for, sorted.
    pub certificates: Vec<String>,
    /// When the therapist is needed, as a list.
    pub therapist: Vec<Span>,
    /// When the room is needed: without a gap, since whoever lies in it can't be moved.
    pub room: Span,
    /// When machines are needed, a list for each kind.
    pub machines: Vec<(String, Vec<Span>)>,
}

impl Timetable {
    /// Reads the phases of an item; without any they follow from its duration, preparation and cleaning.
    ///
    /// Fails with `InvalidArgument` at `item.phases…` if they contradict themselves: see [`check_phases`].
    pub fn of(item: &Item) -> Result<Self> {
        let duration = i64::from(item.duration_minutes);
        let (therapist, room, machine) = if item.phases.is_empty() {
            let treatment = Span::new(0, duration);
            let around = Span::new(-i64::from(item.preparation_minutes), duration + i64::from(item.cleanup_minutes));
            (vec![treatment], around, item.equipment_kind.iter().map(|_| treatment).collect())
        } else {
            check_each(&item.phases)?;
            check_whole(item)?;
            let of = |kind| list(spans(&item.phases, kind).collect());
            let room = spans(&item.phases, ResourceKind::Room).reduce(Span::hull).unwrap_or(Span::new(0, duration));
            (of(ResourceKind::Therapist), room, of(ResourceKind::Equipment))
        };
        let machines = item.equipment_kind.iter().map(|kind| (kind.clone(), machine.clone())).collect();
        let (skills, certificates) = (vec![item.skill.clone()], item.certificate.iter().cloned().collect());
        Ok(Self { duration, skills, certificates, therapist, room, machines })
    }

    /// The same, and then an add-on: by the same therapist in the same room, which is prepared and cleaned once for both.
    pub fn then(mut self, add_on: Self) -> Self {
        let cleanup = (self.room.end - self.duration).max(add_on.room.end - add_on.duration);
        self.room.start = self.room.start.min(add_on.room.start);
        self.room.end = self.duration + add_on.duration + cleanup;
        join(&mut self.therapist, &add_on.therapist, self.duration);
        for (kind, spans) in add_on.machines {
            add_machine(&mut self.machines, &kind, &spans, self.duration);
        }
        add_names(&mut self.skills, add_on.skills);
        add_names(&mut self.certificates, add_on.certificates);
        self.duration += add_on.duration;
        self
    }
}

/// Refuses phases of an item that contradict themselves, with `InvalidArgument` at `item.phases`, at one of them or at
/// `item.equipment_kind`: one that is empty or reaches further than a day; two of one resource that overlap; no
/// therapist; a treatment without a room; a machine without a kind or a kind without a machine.
pub fn check_phases(item: &Item) -> Result<()> {
    Timetable::of(item).map(drop)
}

fn check_each(phases: &[Phase]) -> Result<()> {
    for (index, phase) in phases.iter().enumerate() {
        let field = || format!("item.phases[{index}]");
        if phase.minutes < 1 {
            return Err(Error::invalid(field(), "must last at least a minute; leave it out if it is not needed"));
        }
        if !Span::new(-DAY, DAY).contains(phase.span()) {
            return Err(Error::invalid(field(), "must lie within a day of the start of the treatment"));
        }
        let overlaps = |other: &Phase| other.resource == phase.resource && other.span().overlaps(phase.span());
        if let Some(other) = phases[..index].iter().position(overlaps) {
            return Err(Error::invalid(
                field(),
                format!("overlaps item.phases[{other}], which needs the same resource; join the two or move one"),
            ));
        }
    }
    Ok(())
}

fn check_whole(item: &Item) -> Result<()> {
    let of = |kind| spans(&item.phases, kind).reduce(Span::hull);
    let treatment = Span::new(0, i64::from(item.duration_minutes));
    if of(ResourceKind::Therapist).is_none() {
        return Err(Error::invalid("item.phases", "must have a phase of a therapist"));
    }
    if !of(ResourceKind::Room).is_some_and(|room| room.contains(treatment)) {
        return Err(Error::invalid(
            "item.phases",
            format!("must need the room for the whole treatment, from minute 0 to {}", treatment.end),
        ));
    }
    match (of(ResourceKind::Equipment), &item.equipment_kind) {
        (Some(_), None) => {
            Err(Error::invalid("item.equipment_kind", "must be given, since item.phases need a machine"))
        }
        (None, Some(_)) => {
            Err(Error::invalid("item.phases", "must have a phase of the machine, or item.equipment_kind be left out"))
        }
        _ => Ok(()),
    }?;
    let whole = item.phases.iter().map(|phase| phase.span()).reduce(Span::hull);
    if whole.is_some_and(|whole| whole.minutes() >= DAY) {
        return Err(Error::invalid("item.phases", "must take less than a day from the first to the last"));
    }
    Ok(())
}

fn spans(phases: &[Phase], kind: ResourceKind) -> impl Iterator<Item = Span> {
    phases.iter().filter(move |phase| phase.resource == kind).map(|phase| phase.span())
}

/// Adds `more`, moved by `offset`, to a list.
pub(super) fn join(to: &mut Vec<Span>, more: &[Span], offset: i64) {
    let mut all = std::mem::take(to);
    all.extend(more.iter().map(|span| span.moved(offset)));
    *to = list(all);
}

/// Adds a time in which a machine of `kind` is needed.
pub(super) fn add_machine(machines: &mut Vec<(String, Vec<Span>)>, kind: &str, spans: &[Span], offset: i64) {
    match machines.iter_mut().find(|(known, _)| known == kind) {
        Some((_, known)) => join(known, spans, offset),
        None => {
            let mut own = Vec::new();
            join(&mut own, spans, offset);
            machines.push((kind.to_owned(), own));
        }
    }
}

/// Adds names to sorted ones, each once.
pub(super) fn add_names(names: &mut Vec<String>, more: Vec<String>) {
    names.extend(more);
    names.sort_unstable();
    names.dedup();
}
