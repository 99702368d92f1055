//! Looking at every invariant of the live database.

use kernel::Result;
use pg::Pg;

use crate::db::{invariants, invariants::Finding};

/// Looks at every invariant as of one moment, telling `each` as it is found; nobody waits for it, and nothing is changed.
///
/// # Errors
/// Those of the database. A breach is none.
pub async fn audit(pg: &Pg, mut each: impl FnMut(&Finding)) -> Result<Vec<Finding>> {
    let mut tx = pg.begin().await?;
    invariants::begin(&mut tx).await?;
    let mut findings = Vec::new();
    for invariant in invariants::all() {
        let finding = invariants::look(&mut tx, invariant).await?;
        each(&finding);
        findings.push(finding);
    }
    tx.rollback().await?;
    Ok(findings)
}
