//! What must be true of this database at any moment, whatever happened before: a list of invariants, each with a name, the
//! rule in words, and a look that finds its breaches.
//!
//! All of them are looked at as of one moment, by a transaction that only reads and that nobody waits for. A new table
//! with a rule beyond what its constraints hold gets a line in the list of its file, and a breach of it is planted in
//! `tests/it/audit`.

mod bills;
mod cards;
mod checkouts;
mod commission;
mod drawers;
mod invoices;
mod ledger;
mod orders;
mod payouts;
mod peer_tenders;
mod platform;
mod prepaid;
mod risk;
mod tips;

use std::time::{Duration, Instant};

use pg::{PgConnection, Result, seal::Verdict};

use super::ledger as chain;

/// How many breaches of one invariant are told at most.
pub const MOST_TOLD: usize = 20;

/// How long one look may take; it is more than a server that serves may spend on a statement.
const STATEMENT_TIMEOUT: &str = "15min";

/// Something that must be true.
#[derive(Debug, Clone, Copy)]
pub struct Invariant {
    /// What it is called, such as `ledger.balanced`.
    pub name: &'static str,
    /// What it says.
    pub rule: &'static str,
    look: Look,
}

#[derive(Debug, Clone, Copy)]
enum Look {
    /// A query with one column of text: each row tells a breach.
    Rows(&'static str),
    /// Recomputing the ledger's chain of seals.
    LedgerChain,
    /// Recomputing the audit trail's chain of seals.
    AuditChain,
}

/// What was found of an invariant.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Of which.
    pub invariant: Invariant,
    /// Each in a sentence, up to [`MOST_TOLD`]; empty if it holds. No personal data.
    pub breaches: Vec<String>,
    /// Whether there are more of them.
    pub more: bool,
    /// How long it took to look.
    pub took: Duration,
}

/// Every invariant, in the order in which they are looked at.
pub fn all() -> impl Iterator<Item = &'static Invariant> {
    [
        ledger::INVARIANTS,
        orders::INVARIANTS,
        checkouts::INVARIANTS,
        peer_tenders::INVARIANTS,
        prepaid::INVARIANTS,
        commission::INVARIANTS,
        invoices::INVARIANTS,
        cards::INVARIANTS,
        drawers::INVARIANTS,
        payouts::INVARIANTS,
        tips::INVARIANTS,
        bills::INVARIANTS,
        risk::INVARIANTS,
        platform::INVARIANTS,
    ]
    .into_iter()
    .flatten()
}

/// Makes the transaction see one moment, write nothing, and take its time. Must be its first statement.
#[tracing::instrument(name = "db.invariants.begin", skip_all)]
pub async fn begin(conn: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql("set transaction isolation level repeatable read, read only").execute(&mut *conn).await?;
    sqlx::query("select set_config('statement_timeout', $1, true), set_config('work_mem', '64MB', true)")
        .bind(STATEMENT_TIMEOUT)
        .execute(conn)
        .await?;
    Ok(())
}

/// Looks at one invariant.
#[tracing::instrument(name = "db.invariants.look", skip_all, fields(invariant = invariant.name))]
pub async fn look(conn: &mut PgConnection, invariant: &Invariant) -> Result<Finding> {
    let began = Instant::now();
    let mut breaches: Vec<String> = match invariant.look {
        Look::Rows(query) => {
            // One more than is told shows that there are more.
            let limited = format!("select breach from ({query}) as found (breach) limit {}", MOST_TOLD + 1);
            sqlx::query_scalar(sqlx::AssertSqlSafe(limited)).fetch_all(conn).await?
        }
        Look::LedgerChain => broken(chain::verify(conn).await?),
        Look::AuditChain => broken(pg::audit::verify(conn).await?),
    };
    let more = breaches.len() > MOST_TOLD;
    breaches.truncate(MOST_TOLD);
    Ok(Finding { invariant: *invariant, breaches, more, took: began.elapsed() })
}

fn broken(verdict: Verdict) -> Vec<String> {
    match verdict {
        Verdict::Intact { .. } => Vec::new(),
        Verdict::Broken { seal, what } => vec![format!("seal {seal}: {what}")],
    }
}
