//! Misbehaving on order.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Nothing.
    None,
    /// It is answered with 503 and not done.
    Down,
    /// It is done, and answered with 502.
    LoseAnswer,
    /// The answer comes after so many milliseconds.
    Slow(u64),
    /// The answer carries no signature.
    Unsigned,
    /// The answer is signed with something else.
    Forged,
    /// The answer's signature is a probe.
    Probe,
    /// The answer carries an old timestamp.
    Stale,
    /// The answer states a state that nobody has heard of.
    UnknownState,
    /// The answer states a fen too much.
    WrongAmount,
}

/// How one notice is spoilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoilt {
    /// It comes 20 seconds later.
    Late,
    /// It comes twice.
    Twice,
    /// It never comes.
    Lost,
    /// It comes before an older one.
    Reordered,
    /// It states a fen too much.
    WrongAmount,
    /// It is signed with something else.
    Forged,
    /// It carries an old timestamp.
    Stale,
    /// Its signature is a probe.
    Probe,
    /// It comes, and then comes again to the byte.
    Replayed,
}

/// The query with which a customer's payment is spoilt.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Ordered {
    /// How its notice is spoilt.
    pub fault: Option<Spoilt>,
}

/// The mishaps of the calls to come.
#[derive(Debug, Default)]
pub struct Mishaps(Mutex<VecDeque<Mishap>>);

impl Mishaps {
    /// Orders what goes wrong with the next calls, one after the other.
    pub fn order(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(mishaps);
    }

    /// What goes wrong with this call.
    pub fn take(&self) -> Mishap {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(Mishap::None)
    }

    /// Forgets what was ordered.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Mishap {
    /// Takes its time.
    pub async fn delay(self) {
        if let Self::Slow(milliseconds) = self {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
    }
}
