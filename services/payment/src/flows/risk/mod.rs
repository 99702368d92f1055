//! Risk: what is let through, and what becomes of the rest, one use case a file. [`domain::risk`](crate::domain::risk) has
//! the rules.

mod assess;
pub mod edit_rules;
pub mod forget;
pub mod read;
pub mod resolve;

pub(super) use assess::{OnReview, address, assess, decided_before, noted};

use kernel::{Result, Timestamp};
use pg::{Tx, audit};
use serde_json::Value;

/// Records what somebody did.
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
