//! What a store could use within a window of time.

use kernel::Uuid;

use crate::domain::{
    catalog::Sex,
    policy::WorkLimits,
    span::{Minute, Span, covers, list, spares, subtract},
    visit::{Class, Demand, ResourceKind},
};

/// All that a store could use within a window. It must reach as far around the window as the visits do; with limits on
/// work, so much further that a day and a stretch of work are seen whole.
#[derive(Debug, Clone, Default)]
pub struct Supply {
    /// When the store is open, as a list.
    pub open: Vec<Span>,
    /// The same as its openings, by start: each is a day of work, although one may follow the other without a gap.
    pub openings: Vec<Span>,
    /// Those who give treatments; who comes first is preferred, other things being equal.
    pub therapists: Vec<Resource>,
    /// Rooms and beds of all kinds, in the order of preference.
    pub rooms: Vec<Resource>,
    /// Machines of all kinds, in the order of preference.
    pub equipment: Vec<Resource>,
    /// What nobody may be asked to work.
    pub limits: WorkLimits,
}

/// A therapist, room or machine.
#[derive(Debug, Clone, Default)]
pub struct Resource {
    /// Who or which.
    pub id: Uuid,
    /// When on duty, as a list: a therapist's shifts; [`Span::ALWAYS`] for a place.
    pub on: Vec<Span>,
    /// When it can't be had, as a list: visits, and breaks, time off and maintenance.
    pub busy: Vec<Span>,
    /// The part of it that is work, as a list: visits.
    pub work: Vec<Span>,
    /// What it is and can.
    pub profile: Profile,
}

/// What a resource is and can.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// Of a place: what it is for.
    pub kind: String,
    /// Of a therapist: what he can do.
    pub skills: Vec<String>,
    /// Of a therapist: what he has papers for.
    pub certificates: Vec<Certificate>,
    /// Of a therapist.
    pub sex: Sex,
    /// Of a therapist: 1 (junior) to 5 (master).
    pub grade: i16,
    /// Of a therapist: what he speaks.
    pub languages: Vec<String>,
    /// Of a place: the part of the store in which it lies. Rooms of one zone are nearer to each other than to others.
    pub zone: String,
    /// Of a place: how far along its zone it lies. Neighbours differ by 1.
    pub position: i32,
}

/// A paper that says that somebody may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// For what.
    pub name: String,
    /// The first minute at which it is not valid any more.
    pub end: Minute,
}

impl Supply {
    /// The resources of one sort.
    pub fn pool(&self, kind: ResourceKind) -> &[Resource] {
        match kind {
            ResourceKind::Therapist => &self.therapists,
            ResourceKind::Room => &self.rooms,
            ResourceKind::Equipment => &self.equipment,
        }
    }

    /// Counts these as taken by visits.
    pub fn keep(&mut self, kept: &[(Uuid, Span)]) {
        let all = self.therapists.iter_mut().chain(&mut self.rooms).chain(&mut self.equipment);
        for of in all {
            let own: Vec<Span> = kept.iter().filter(|(id, _)| *id == of.id).map(|(_, span)| *span).collect();
            if !own.is_empty() {
                for spans in [&mut of.busy, &mut of.work] {
                    spans.extend(&own);
                    *spans = list(std::mem::take(spans));
                }
            }
        }
    }

    /// The opening in which `minute` lies, or the next: an index into `openings`, or their number after the last.
    pub fn day_of(&self, minute: Minute) -> usize {
        self.openings.partition_point(|opening| opening.end <= minute)
    }
}

impl Resource {
    /// Whether it is what `demand` asks for, whatever the time.
    pub(super) fn suits(&self, demand: &Demand) -> bool {
        let Profile { kind, skills, certificates, sex, grade, languages, .. } = &self.profile;
        let of_class = match &demand.class {
            Class::Room { kind: wanted } | Class::Equipment { kind: wanted } => wanted == kind,
            Class::Therapist { skills: wanted, certificates: papers } => {
                wanted.iter().all(|skill| skills.contains(skill))
                    && papers.iter().all(|paper| certificates.iter().any(|known| known.name == *paper))
                    && demand.sex.is_none_or(|wanted| wanted == *sex)
                    && demand.min_grade.is_none_or(|wanted| wanted <= *grade)
                    && demand.language.as_ref().is_none_or(|wanted| languages.contains(wanted))
            }
        };
        of_class && demand.wish.is_none_or(|wanted| wanted == self.id)
    }

    /// Up to when it has the papers that `demand` asks for.
    pub(super) fn certified_until(&self, demand: &Demand) -> Minute {
        let Class::Therapist { certificates: papers, .. } = &demand.class else { return Span::ALWAYS.end };
        let end = |paper: &String| {
            let valid = self.profile.certificates.iter().filter(|known| known.name == *paper);
            valid.map(|known| known.end).max().unwrap_or(Span::ALWAYS.start)
        };
        papers.iter().map(end).min().unwrap_or(Span::ALWAYS.end)
    }

    /// Whether its papers are valid to the end of what it would do for `demand` in a visit begun at `start`.
    pub(super) fn is_certified(&self, demand: &Demand, start: Minute) -> bool {
        start + demand.reach().end <= self.certified_until(demand)
    }

    /// Whether it is on duty whenever a visit begun at `start` needs it for `demand`.
    pub(super) fn is_on(&self, demand: &Demand, start: Minute) -> bool {
        demand.spans.iter().all(|span| covers(&self.on, span.moved(start)))
    }

    /// Whether nothing else keeps it when a visit begun at `start` needs it for `demand`.
    pub(super) fn is_free(&self, demand: &Demand, start: Minute) -> bool {
        demand.spans.iter().all(|span| spares(&self.busy, span.moved(start)))
    }

    /// When it can be had.
    pub(super) fn free(&self) -> Vec<Span> {
        subtract(&self.on, &self.busy)
    }
}
