//! What therapists and partners earn by visits, one use case a file.

pub mod accrue;
pub mod confirm_settlement;
pub mod create_rule;
pub mod draft_settlement;
pub mod link_therapist;
pub mod list_accruals;
pub mod pay_settlement;
pub mod preview;
pub mod read_rules;
pub mod read_settlements;
pub mod retire_rule;
pub mod take_back;

use kernel::{Result, Timestamp};
use pg::{Tx, audit};
use serde_json::Value;

/// Records what somebody did to something of commission.
async fn note(
    tx: &mut Tx,
    now: Timestamp,
    actor: &str,
    action: &'static str,
    target: String,
    detail: Value,
) -> Result<()> {
    let entry = audit::Entry { actor: actor.to_owned(), action: action.to_owned(), target, detail };
    Ok(audit::record(tx, now, entry).await?)
}
