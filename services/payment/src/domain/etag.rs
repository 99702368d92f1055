//! Concurrent edits: whoever edits says which version he saw.

use kernel::{Error, Result};

/// The etag of a version.
pub fn etag(version: i64) -> String {
    version.to_string()
}

/// Refuses an edit of another version than the present one. An empty etag means any version.
///
/// # Errors
/// `ETAG_MISMATCH` (`Aborted`).
pub fn check(field: &str, given: &str, version: i64) -> Result<()> {
    if given.is_empty() || given == etag(version) {
        return Ok(());
    }
    Err(Error::aborted("ETAG_MISMATCH", "somebody else changed it meanwhile; read it again, then decide")
        .with_violation(field, "is not that of the present version; read it again")
        .with("etag", etag(version)))
}
