//! Work in proportion to weights.
//!
//! Each therapist has a *virtual time*: the minutes credited to him divided by his weight. Whoever is least far gets the
//! next visit, so that all stay close together and each gets his weight's share (stride scheduling: Waldspurger and
//! Weihl, MIT/LCS/TM-528, 1995). The store has a *clock*, which tells how far its work has come: the least start of its
//! last [`WINDOW`] visits (after start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996; they take the last start,
//! but here one who alone can give some visits may be far ahead of all others, and must not draw the clock after him).
//!
//! * A newcomer starts where the least of those stands who are not behind the clock: he gets his share from then on,
//!   neither all the work until he has caught up with the others' years, nor none.
//! * Whoever was away does not get all the work either when he comes back: nobody stands farther behind the clock than
//!   [`ALLOWANCE`].

use std::collections::HashMap;

use kernel::ids::TherapistId;

/// Parts of a minute in which virtual time is counted, so that divisions by weights lose nothing that matters.
pub const PARTS: i64 = 1_000_000;

/// How far behind the store's clock somebody may stand: two hours of work at the usual weight of 100. It is what a
/// therapist may catch up on who could not be given his share for a while.
pub const ALLOWANCE: i64 = 120 * PARTS / 100;

/// Of how many visits the starts are kept.
pub const WINDOW: usize = 16;

/// The credited work of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Counts the changes.
    pub version: i64,
    /// The store's clock.
    pub clock: i64,
    /// Where the therapists of the last visits stood when they got them, the oldest first.
    pub starts: Vec<i64>,
    /// How far each therapist has come.
    pub virtual_times: HashMap<TherapistId, i64>,
    /// The weights of the store's therapists; 100 for those who are not in it.
    pub weights: HashMap<TherapistId, i64>,
}

impl Ledger {
    /// Where a therapist stands.
    pub fn standing(&self, therapist: TherapistId) -> i64 {
        if let Some(time) = self.virtual_times.get(&therapist) {
            return (*time).max(self.clock.saturating_sub(ALLOWANCE));
        }
        // At first all are newcomers and start together.
        if self.starts.len() < WINDOW {
            return self.clock;
        }
        self.virtual_times.values().copied().filter(|time| *time >= self.clock).min().unwrap_or(self.clock)
    }

    /// The therapist's weight.
    pub fn weight(&self, therapist: TherapistId) -> i64 {
        self.weights.get(&therapist).copied().filter(|weight| *weight > 0).unwrap_or(100)
    }

    /// Credits minutes of work; returns what that added to the therapist's virtual time.
    pub fn credit(&mut self, therapist: TherapistId, minutes: i64) -> i64 {
        let start = self.standing(therapist);
        let added = minutes.max(0).saturating_mul(PARTS) / self.weight(therapist);
        self.starts.push(start);
        if self.starts.len() > WINDOW {
            self.starts.remove(0);
        }
        if self.starts.len() == WINDOW {
            self.clock = self.starts.iter().copied().min().unwrap_or(start);
        }
        self.virtual_times.insert(therapist, start.saturating_add(added));
        self.version += 1;
        added
    }

    /// Credits a visit that takes `minutes` by now, of which `added` was credited before; returns what is credited of it
    /// all in all. Where the therapist stood when he got it stays.
    pub fn recredit(&mut self, therapist: TherapistId, added: i64, minutes: i64) -> i64 {
        let whole = minutes.max(0).saturating_mul(PARTS) / self.weight(therapist);
        if let Some(time) = self.virtual_times.get_mut(&therapist) {
            *time = time.saturating_sub(added).saturating_add(whole);
            self.version += 1;
        }
        whole
    }

    /// Takes back what [`Ledger::credit`] added, for a visit that was given up.
    pub fn give_back(&mut self, therapist: TherapistId, added: i64) {
        if let Some(time) = self.virtual_times.get_mut(&therapist) {
            *time = time.saturating_sub(added);
            self.version += 1;
        }
    }
}
