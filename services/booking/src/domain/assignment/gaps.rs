//! What a visit does to the free time of a day.

use crate::domain::span::{Span, list, subtract};

/// The change that a visit makes to a therapist's free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gaps {
    /// How many more free minutes lie in pieces too short for any visit; below 0 if the visit fills such pieces up.
    pub lost: i64,
    /// How many more pieces the free time is in.
    pub pieces: i64,
}

impl Gaps {
    /// What keeping `kept` does to the free time of somebody on duty `on` and taken `busy`; pieces below `shortest`
    /// minutes are lost. All three are lists.
    pub fn left_by(on: &[Span], busy: &[Span], kept: &[Span], shortest: i64) -> Self {
        let before = subtract(on, busy);
        let after = subtract(on, &list(busy.iter().chain(kept).copied().collect()));
        let lost = |free: &[Span]| -> i64 {
            free.iter().map(|piece| piece.minutes()).filter(|minutes| *minutes < shortest).sum()
        };
        Self { lost: lost(&after) - lost(&before), pieces: super::count(after.len()) - super::count(before.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON: [Span; 1] = [Span::new(0, 480)];

    fn gaps(busy: &[Span], kept: Span) -> (i64, i64) {
        let gaps = Gaps::left_by(&ON, busy, &[kept], 60);
        (gaps.lost, gaps.pieces)
    }

    #[test]
    fn a_visit_at_the_edge_of_the_free_time_costs_nothing() {
        assert_eq!(gaps(&[], Span::new(0, 60)), (0, 0));
        assert_eq!(gaps(&[Span::new(0, 60)], Span::new(60, 120)), (0, 0));
        assert_eq!(gaps(&[Span::new(0, 420)], Span::new(420, 480)), (0, -1));
    }

    #[test]
    fn a_gap_too_short_to_sell_is_lost_whole() {
        assert_eq!(gaps(&[], Span::new(45, 105)), (45, 1));
        assert_eq!(gaps(&[], Span::new(60, 120)), (0, 1));
        // 45 minutes on either side of what was one piece.
        assert_eq!(gaps(&[Span::new(0, 100), Span::new(250, 480)], Span::new(145, 205)), (90, 1));
    }

    #[test]
    fn filling_a_short_gap_wins_it_back() {
        let busy = [Span::new(0, 100), Span::new(140, 480)];
        assert_eq!(gaps(&busy, Span::new(100, 140)), (-40, -1));
    }

    #[test]
    fn a_pause_within_the_visit_counts_as_any_other_gap() {
        let kept = [Span::new(0, 30), Span::new(45, 60)];
        let gaps = Gaps::left_by(&ON, &[], &kept, 60);
        assert_eq!((gaps.lost, gaps.pieces), (15, 1));
    }
}
