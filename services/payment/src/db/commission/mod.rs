//! What therapists and partners earn by visits.

mod accruals;
mod claw_backs;
mod links;
mod rules;
mod settlements;
mod visits;

pub use accruals::{Accrual, Filter, list};
pub use claw_backs::{ClawBack, insert_claw_back};
pub use links::{link, therapist_of};
pub use rules::{RuleFilter, get_rule, insert_rule, list_rules, lock_rule, retire_rule, rules_on};
pub use settlements::{
    ExportRow, export_rows, get_settlement, insert_settlement, list_settlements, lock_settlement, settlement_lines,
    update_settlement,
};
pub use visits::{CompletedVisit, Earned, LockedVisit, insert_visit, lock_visit, take_back};
