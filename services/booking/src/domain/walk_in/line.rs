//! Who is next: the urgent, then by arrival, with a bounded fast lane for higher tiers.
//!
//! Whoever arrives stands at the end and may then overtake those right before him, one after the other, as many as his
//! tier allows. He overtakes nobody of his own tier or a higher one, nobody urgent, and nobody who came so long before
//! him as [`Rules::overtaken_minutes`] says: so nobody is overtaken any more once he has waited that long. Whom he overtook
//! is noted with his ticket, so that the order of two tickets never changes while both wait, whoever comes or goes; only
//! whoever is passed over because he did not answer goes to the end.

use jiff::SignedDuration;
use kernel::{Timestamp, ids::QueueTicketId};

/// How a store's queue goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How many a member of each tier may overtake: member, silver, gold, platinum.
    pub overtakes: [usize; 4],
    /// Minutes after which one who waits is overtaken no more.
    pub overtaken_minutes: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { overtakes: [0, 1, 2, 4], overtaken_minutes: 20 }
    }
}

/// What decides on a place in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub ticket: QueueTicketId,
    /// He goes before all who are not.
    pub urgent: bool,
    /// His tier, from 0.
    pub tier: u8,
    /// When he came.
    pub join_time: Timestamp,
    /// When he stood at the end: when he came, or was passed over.
    pub queue_time: Timestamp,
    /// Whom he overtook then.
    pub overtook: Vec<QueueTicketId>,
}

/// The order of those who wait, as indices into `places`.
pub fn line(places: &[Place]) -> Vec<usize> {
    let mut arrived: Vec<usize> = (0..places.len()).collect();
    arrived.sort_by_key(|&index| (places[index].queue_time, places[index].ticket));
    let (mut line, others): (Vec<usize>, Vec<usize>) = arrived.into_iter().partition(|&index| places[index].urgent);
    let first = line.len();
    for index in others {
        let overtook = |&other: &usize| places[index].overtook.contains(&places[other].ticket);
        let before = line[first..].iter().position(overtook).map_or(line.len(), |position| first + position);
        line.insert(before, index);
    }
    line
}

/// When somebody stands at the end of `line` who gets there at `now`: later than all in it. Two may get there at one moment,
/// and clocks go back; but who was first must stay first.
pub fn end<'a>(line: impl IntoIterator<Item = &'a Place>, now: Timestamp) -> Timestamp {
    let last = line.into_iter().map(|place| place.queue_time).max();
    last.map_or(now, |last| now.max(last + SignedDuration::from_micros(1)))
}

/// Whom somebody of this tier overtakes who comes at `now`, where `line` waits in this order.
pub fn overtaken(rules: &Rules, line: &[&Place], tier: u8, now: Timestamp) -> Vec<QueueTicketId> {
    let most = rules.overtakes.get(usize::from(tier)).or(rules.overtakes.last()).copied().unwrap_or_default();
    let bound = SignedDuration::from_mins(rules.overtaken_minutes);
    let may = |other: &&&Place| !other.urgent && other.tier < tier && now.duration_since(other.join_time) < bound;
    line.iter().rev().take(most).take_while(may).map(|other| other.ticket).collect()
}

#[cfg(test)]
mod tests {
    use kernel::Uuid;
    use proptest::prelude::*;

    use super::*;

    fn ticket(n: u128) -> QueueTicketId {
        QueueTicketId::from_uuid(Uuid::from_u128(n))
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    /// A queue in which things happen.
    #[derive(Default)]
    struct Queue(Vec<Place>);

    impl Queue {
        fn order(&self) -> Vec<QueueTicketId> {
            line(&self.0).into_iter().map(|index| self.0[index].ticket).collect()
        }

        fn join(&mut self, n: u128, tier: u8, urgent: bool, minute: i64) {
            let order = line(&self.0);
            let waiting: Vec<&Place> = order.iter().map(|&index| &self.0[index]).collect();
            let overtook = if urgent { Vec::new() } else { overtaken(&Rules::default(), &waiting, tier, at(minute)) };
            let (join_time, queue_time) = (at(minute), end(&self.0, at(minute)));
            self.0.push(Place { ticket: ticket(n), urgent, tier, join_time, queue_time, overtook });
        }
    }

    #[test]
    fn platinum_overtakes_four_and_the_urgent_go_first() {
        let mut queue = Queue::default();
        (1..=6).for_each(|n| queue.join(n, 0, false, 0));
        queue.join(7, 3, false, 1);
        assert_eq!(queue.order(), [1, 2, 7, 3, 4, 5, 6].map(ticket));
        queue.join(8, 2, false, 2);
        assert_eq!(queue.order(), [1, 2, 7, 3, 4, 8, 5, 6].map(ticket));
        queue.join(9, 0, true, 3);
        assert_eq!(queue.order(), [9, 1, 2, 7, 3, 4, 8, 5, 6].map(ticket));
    }

    #[test]
    fn who_comes_at_one_moment_keeps_his_place_when_another_goes() {
        let mut queue = Queue::default();
        queue.join(5, 0, false, 0);
        queue.join(4, 1, false, 0);
        queue.join(3, 0, false, 0);
        assert_eq!(queue.order(), [4, 5, 3].map(ticket));
        queue.0.retain(|place| place.ticket != ticket(5));
        assert_eq!(queue.order(), [4, 3].map(ticket));
    }

    #[test]
    fn nobody_is_overtaken_after_twenty_minutes() {
        let mut queue = Queue::default();
        queue.join(1, 0, false, 0);
        queue.join(2, 3, false, 19);
        queue.join(3, 0, false, 19);
        queue.join(4, 3, false, 39);
        assert_eq!(queue.order(), [2, 1, 3, 4].map(ticket));
    }

    proptest! {
        /// Tickets come, each with a tier, and leave or are called from anywhere.
        #[test]
        fn the_fast_lane_is_bounded_and_starves_nobody(
            steps in proptest::collection::vec((0_u8..4, 0_i64..12, prop::bool::weighted(0.05), any::<bool>(), 0_usize..40), 1..60),
        ) {
            let rules = Rules::default();
            let (mut queue, mut now) = (Queue::default(), 0);
            for (n, (tier, later, urgent, leaves, whom)) in (1..).zip(steps) {
                now += later;
                let before = queue.order();
                queue.join(n, tier, urgent, now);
                let order = queue.order();
                // The others stay as they were.
                let others: Vec<_> = order.iter().copied().filter(|other| *other != ticket(n)).collect();
                prop_assert_eq!(&others, &before);
                let position = order.iter().position(|other| *other == ticket(n)).expect("in line");
                if !urgent {
                    let passed = &order[position + 1..];
                    prop_assert!(passed.len() <= rules.overtakes[usize::from(tier)]);
                    for other in passed {
                        let other = queue.0.iter().find(|place| place.ticket == *other).expect("in line");
                        prop_assert!(!other.urgent && other.tier < tier);
                        prop_assert!(at(now).duration_since(other.join_time) < SignedDuration::from_mins(20));
                    }
                }
                if leaves {
                    let gone = order[whom % order.len()];
                    queue.0.retain(|place| place.ticket != gone);
                    let left: Vec<_> = order.into_iter().filter(|other| *other != gone).collect();
                    prop_assert_eq!(queue.order(), left);
                }
            }
            // Among the ordinary of one tier who came first is first.
            let order = line(&queue.0);
            for tier in 0..4 {
                let same: Vec<_> =
                    order.iter().map(|&index| &queue.0[index]).filter(|place| place.tier == tier && !place.urgent).collect();
                prop_assert!(same.is_sorted_by_key(|place| place.queue_time));
            }
        }
    }
}
