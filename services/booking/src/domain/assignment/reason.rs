//! What an order goes by, in words.

use std::collections::HashSet;

use super::{Candidate, Context, fairness::PARTS, gaps::Gaps};
use crate::domain::policy::AssignmentPolicy;

/// Why `candidate` stands where he does among `candidates`.
pub(super) fn reason(
    policy: AssignmentPolicy,
    context: &Context,
    candidates: &[Candidate<'_>],
    candidate: &Candidate<'_>,
) -> String {
    let facts = match policy {
        AssignmentPolicy::LeastWork => format!("{} min of work that day", candidate.work),
        AssignmentPolicy::Rotation => by_turn(context, candidates, candidate),
        AssignmentPolicy::WeightedFairness => {
            let weight = context.ledger.weight(candidate.therapist);
            let ahead = context.ledger.standing(candidate.therapist) - context.ledger.clock;
            format!("weight {weight}, {:+} min at weight 100 from the store's clock", ahead * 100 / PARTS)
        }
        AssignmentPolicy::Preference => by_preference(context, candidate),
        AssignmentPolicy::Rating => match context.ratings.get(&candidate.therapist) {
            Some(rating) => format!("rated {}", stars(*rating)),
            None => format!("not rated yet, counts as {}", stars(context.neutral_rating())),
        },
        AssignmentPolicy::LeastFragmentation => {
            let gaps = Gaps::left_by(candidate.on, candidate.busy, candidate.kept, context.shortest_visit);
            format!("{:+} min too short to sell, {:+} gaps", gaps.lost, gaps.pieces)
        }
    };
    let avoided = if context.liking.avoided.contains(&candidate.therapist) { "; avoided by the customer" } else { "" };
    format!("{}: {facts}{avoided}", policy.as_str())
}

fn by_turn(context: &Context, candidates: &[Candidate<'_>], candidate: &Candidate<'_>) -> String {
    let turns = &context.rotation.turns;
    let Some((place, turn)) = context.rotation.turn(candidate.therapist) else {
        return match context.last_turns.get(&candidate.therapist) {
            Some(version) => format!("off the list, last turn at change {version}"),
            None => "off the list, no turn yet".to_owned(),
        };
    };
    let able: HashSet<_> = candidates.iter().map(|other| other.therapist).collect();
    let ahead = &turns[..place - 1];
    let skipped = ahead.iter().filter(|other| other.skipped).count();
    let unable = ahead.iter().filter(|other| !other.skipped && !able.contains(&other.therapist)).count();
    let passed: Vec<String> = [(skipped, "skipped"), (unable, "not free")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    let passed = if passed.is_empty() { String::new() } else { format!(", passed over: {}", passed.join(", ")) };
    let himself = if turn.skipped { ", himself skipped" } else { "" };
    format!("turn {place} of {}{passed}{himself}", turns.len())
}

fn by_preference(context: &Context, candidate: &Candidate<'_>) -> String {
    let favourite = if context.liking.favourites.contains(&candidate.therapist) { "favourite, " } else { "" };
    let visits = context.visits.get(&candidate.therapist).copied().unwrap_or_default();
    match visits.last {
        None => format!("{favourite}no visits yet"),
        Some(last) => {
            let days = context.now.duration_since(last).as_hours().max(0) / 24;
            format!("{favourite}{} visits, the last {days} days ago", visits.count())
        }
    }
}

fn stars(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
