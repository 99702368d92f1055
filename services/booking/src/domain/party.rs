//! The ways to serve people who come together.
//!
//! Each guest has ways of his own to be served (a package may have pauses), and may start somewhat later than the first.
//! A way to serve the party is one for each of them; the fewer minutes all wait together, the better. There are far too
//! many to try them all, so half of those that are tried wait the least, and half lie on the finest steps on which *all*
//! ways can be tried: the first find what is nearly at once, the others the second wave that follows when the first is
//! served. Both "which times?" and "this time?" try the same ones, so that exactly what is offered can be had.

use std::collections::HashSet;

use kernel::{Error, Result};

use super::{availability::GRID, visit::Visit};

/// The most minutes after the first guest at which the last may start.
pub const LONGEST_WAIT: i64 = 60;

/// So many guests are placed by all ways together that are tried, so that a large party does not take longer than a
/// small one.
const PLACES: usize = 1_024;

/// At most so many ways are tried.
const WAYS: usize = 256;

/// Minutes between the starts that a guest may have, from fine to coarse.
const STEPS: [i64; 6] = [GRID, 10, 15, 20, 30, LONGEST_WAIT];

/// One way to serve one guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    /// An index into his visits.
    visit: usize,
    /// Minutes after the first guest.
    offset: i64,
    /// Minutes that he waits: for his start, and in pauses that could be shorter.
    wait: i64,
}

/// Refuses a wait that no party may ask for.
pub fn check_within(minutes: i64) -> Result<()> {
    if (0..=LONGEST_WAIT).contains(&minutes) && minutes % GRID == 0 {
        return Ok(());
    }
    let text = format!("must be a multiple of {GRID} from 0 to {LONGEST_WAIT}");
    Err(Error::invalid("within_minutes", text))
}

/// The ways to serve the guests, of whom the last starts at most `within` minutes after the first; those in which they
/// wait the least come first. `guests` has for each guest his visits, the best first; none is without.
pub fn ways(guests: &[Vec<Visit>], within: i64) -> Vec<Visit> {
    let most = WAYS.min(PLACES / guests.len().max(1));
    let alike = alike(guests);
    let (fine, coarse) = (most - most / 2, most / 2);
    let mut found = placings(guests, &alike, within, GRID, fine);
    // If the fine ones are all there are, nothing is left for the coarse ones.
    if found.len() == fine {
        let mut complete = Vec::new();
        for step in STEPS {
            complete = placings(guests, &alike, within, step, coarse + 1);
            if complete.len() <= coarse {
                break;
            }
        }
        found.append(&mut complete);
    }
    let mut seen = HashSet::new();
    found.retain(|places| seen.insert(places.clone()));
    found.sort_by_key(|places| waiting(places));
    found.truncate(most);
    let visit = |(places, visits): (&Place, &Vec<Visit>)| (visits[places.visit].clone(), places.offset);
    found.iter().map(|places| Visit::together(places.iter().zip(guests).map(visit).collect())).collect()
}

/// Minutes that all guests of a party wait: for their start, and in pauses.
pub fn waiting_of(party: &Visit) -> i64 {
    (0..party.guests())
        .map(|guest| {
            let legs = || party.legs.iter().filter(move |leg| leg.guest == guest).map(|leg| leg.treatment);
            legs().map(|leg| leg.end).max().unwrap_or(0) - legs().map(|leg| leg.minutes()).sum::<i64>()
        })
        .sum()
}

fn waiting(places: &[Place]) -> i64 {
    places.iter().map(|place| place.wait).sum()
}

/// For each guest one before him who wants the same. They could change places, so the later one never gets the better.
fn alike(guests: &[Vec<Visit>]) -> Vec<Option<usize>> {
    let before = |index: usize| (0..index).rev().find(|&other| guests[other] == guests[index]);
    (0..guests.len()).map(before).collect()
}

/// The first `limit` placings with starts so many minutes apart, by what all wait together.
fn placings(guests: &[Vec<Visit>], alike: &[Option<usize>], within: i64, step: i64, limit: usize) -> Vec<Vec<Place>> {
    let offsets: Vec<i64> = (0..=within / step).map(|n| n * step).collect();
    let places: Vec<Vec<Place>> = guests.iter().map(|visits| of_guest(visits, &offsets)).collect();
    // What those from each guest on can wait at most.
    let mut longest = vec![0; places.len() + 1];
    for (index, places) in places.iter().enumerate().rev() {
        longest[index] = longest[index + 1] + places.last().map_or(0, |place| place.wait);
    }
    let mut search = Search { places: &places, alike, longest: &longest, limit, begun: Vec::new(), found: Vec::new() };
    let mut sum = 0;
    while sum <= longest[0] && search.found.len() < limit {
        search.with_sum(sum);
        sum += GRID;
    }
    search.found.into_iter().map(|chosen| chosen.iter().zip(&places).map(|(&place, of)| of[place]).collect()).collect()
}

/// All places of a guest, by what he waits.
fn of_guest(visits: &[Visit], offsets: &[i64]) -> Vec<Place> {
    let least = visits.iter().map(waiting_of).min().unwrap_or(0);
    let mut places: Vec<Place> = (0..)
        .zip(visits)
        .flat_map(|(visit, of)| {
            let pauses = waiting_of(of) - least;
            offsets.iter().map(move |&offset| Place { visit, offset, wait: pauses + offset })
        })
        .collect();
    places.sort_by_key(|place| (place.wait, place.offset));
    places
}

struct Search<'a> {
    places: &'a [Vec<Place>],
    alike: &'a [Option<usize>],
    longest: &'a [i64],
    limit: usize,
    /// The places of the first guests, as indices.
    begun: Vec<usize>,
    found: Vec<Vec<usize>>,
}

impl Search<'_> {
    /// Finds the placings in which those who are not placed yet wait `left` minutes together.
    fn with_sum(&mut self, left: i64) {
        let guest = self.begun.len();
        let Some(places) = self.places.get(guest) else {
            let is_first = |(&place, of): (&usize, &Vec<Place>)| of[place].offset == 0;
            // If nobody started at once, it would be a later start with less waiting.
            if left == 0 && self.begun.iter().zip(self.places).any(is_first) {
                self.found.push(self.begun.clone());
            }
            return;
        };
        let first = self.alike[guest].map_or(0, |other| self.begun[other]);
        for (index, place) in places.iter().enumerate().skip(first) {
            if place.wait > left || self.found.len() >= self.limit {
                return;
            }
            if left - place.wait <= self.longest[guest + 1] {
                self.begun.push(index);
                self.with_sum(left - place.wait);
                self.begun.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests;
