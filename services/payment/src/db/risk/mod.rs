//! Risk: rules, what they count, and reviews.

mod events;
mod reviews;
mod rules;

pub use events::{forget_events, lock_subjects, record_events, tally};
pub use reviews::{ReviewFilter, get_review, insert_review, list_reviews, lock_review, resolve_review};
pub use rules::{get_rule, insert_rule, list_rules, lock_rule, rules_in_force, update_rule};
