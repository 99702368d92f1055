//! An operation is looked at before it happens, in its own transaction.

use std::{collections::BTreeSet, error::Error as StdError, fmt, fmt::Write as _};

use kernel::{Error, Result, Timestamp, Uuid};
use pg::Tx;
use serde_json::json;

use super::note;
use crate::{
    App, db,
    domain::risk::{Operation, Review, ReviewState, Subject, Tally, Verdict, judge},
};

/// What to do with an operation that somebody has to look at.
pub enum OnReview {
    /// It happens, and is queued.
    Queue,
    /// It waits for an approval, with its request.
    Hold(Vec<u8>),
    /// Somebody has approved it: it happens, whatever the rules say.
    Approved,
}

/// A review that has to be stored although what it is about is rolled back.
#[derive(Debug)]
struct Unstored(Review);

impl fmt::Display for Unstored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.0.id, self.0.target)
    }
}

impl StdError for Unstored {}

/// Looks at an operation, and counts it if it may happen. It waits for others who are counted together with it, until their
/// end: call it after the order is locked and before anything else is.
///
/// # Errors
/// `RISK_REFUSED`; `RISK_HELD` if it is to be reviewed first. Pass them through [`noted`] after the transaction.
pub async fn assess(tx: &mut Tx, now: Timestamp, operation: &Operation, on_review: OnReview) -> Result<()> {
    let rules = db::risk::rules_in_force(tx, now).await?;
    let looking: Vec<_> = rules
        .iter()
        .filter(|rule| !matches!(on_review, OnReview::Approved) && rule.looks_at(operation, now))
        .map(|rule| (rule, rule.measure(operation)))
        .collect();
    let counted: BTreeSet<(Subject, String)> = rules.iter().filter_map(|rule| rule.counts(operation, now)).collect();
    let counted: Vec<_> = counted.into_iter().collect();
    let measured = looking.iter().filter_map(|(_, measure)| measure.as_ref());
    let locked: BTreeSet<_> =
        measured.map(|measure| (measure.subject, measure.key.clone())).chain(counted.iter().cloned()).collect();
    db::risk::lock_subjects(tx, &locked.into_iter().collect::<Vec<_>>()).await?;

    let mut tallies = Vec::with_capacity(looking.len());
    for (rule, measure) in looking {
        let before = match measure {
            Some(measure) => db::risk::tally(tx, &measure, now).await?,
            None => Tally::default(),
        };
        tallies.push((rule, before));
    }
    match judge(operation, tallies) {
        Verdict::Allow => {}
        Verdict::Refuse(reasons) => return Err(refused(Some(Review::refused(operation, reasons, now)))),
        Verdict::Review(reasons) => match on_review {
            OnReview::Hold(request) => {
                return Err(held(Review::open(operation, reasons, Some(request), now)));
            }
            OnReview::Queue | OnReview::Approved => {
                db::risk::insert_review(tx, &Review::open(operation, reasons, None, now)).await?;
            }
        },
    }
    if !counted.is_empty() {
        db::risk::record_events(tx, operation, &counted, now).await?;
    }
    Ok(())
}

/// Stores what has to be known of an operation that was refused or is held, whose transaction was rolled back.
///
/// # Errors
/// Those of the result; of the database instead if that can't be stored.
pub async fn noted<T>(app: &App, result: Result<T>) -> Result<T> {
    let Err(error) = &result else { return result };
    let Some(Unstored(review)) = error.source().and_then(|source| source.downcast_ref()) else { return result };
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    if db::risk::insert_review(&mut tx, review).await? {
        let action = if review.state == ReviewState::Refused { "risk.refuse" } else { "risk.hold" };
        let rules: Vec<_> = review.reasons.iter().map(|reason| reason.rule.name()).collect();
        let detail = json!({ "of": review.target, "amount_minor": review.amount.minor(), "rules": rules });
        note(&mut tx, now, &review.actor, action, review.id.name(), detail).await?;
        tx.commit().await?;
    }
    kernel::crash::point("payment.risk.noted");
    result
}

/// What was decided of a request that was held before. `true` if it was approved.
///
/// # Errors
/// `RISK_HELD` while nobody has decided; `RISK_REFUSED` if it was rejected; as `reused` says, if it was another request.
pub async fn decided_before(tx: &mut Tx, source: Uuid, request: &[u8], reused: fn() -> Error) -> Result<bool> {
    let Some(review) = db::risk::get_review(tx, Review::id_of(source)).await? else { return Ok(false) };
    if review.held.as_deref().is_some_and(|held| held != request) {
        return Err(reused());
    }
    match &review.state {
        ReviewState::Resolved { approved, .. } if *approved => Ok(true),
        ReviewState::Open => Err(held(review)),
        ReviewState::Resolved { .. } | ReviewState::Refused => Err(refused(None)),
    }
}

fn refused(review: Option<Review>) -> Error {
    let message = "this can't be done now; ask the head office if you think that it should be";
    let error = Error::precondition("RISK_REFUSED", message);
    match review {
        Some(review) => error.caused_by(Unstored(review)),
        None => error,
    }
}

fn held(review: Review) -> Error {
    let message = "somebody has to approve this first; it happens then, without being asked for again";
    Error::precondition("RISK_HELD", message).with("review", review.id.name()).caused_by(Unstored(review))
}

/// By what an address of a device is known: nobody learns the address from it.
pub fn address(app: &App, address: &str) -> Option<String> {
    let address = address.trim();
    if address.is_empty() {
        return None;
    }
    let mut digest = String::with_capacity(64);
    for byte in app.vault.blind_index("risk.address", address) {
        write!(digest, "{byte:02x}").ok()?;
    }
    Some(digest)
}
