//! The rules of a chain, as configuration (`[analytics.policy]`).

use kernel::Result;
use serde::Deserialize;

/// What a chain decides for itself about its figures: nothing, so that any key in the table is refused as unknown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {}

impl Policy {
    /// Refuses rules that make no sense, naming the one. There is none to refuse.
    pub fn validate(&self) -> Result<()> {
        Ok(())
    }
}
