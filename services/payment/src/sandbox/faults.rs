//! Misbehaving on order.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, extract::State};
use kernel::{SharedClock, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Sandbox, reply::Refusal};

/// How the notice of one charge is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It comes later.
    Late,
    /// It comes twice.
    Twice,
    /// It never comes.
    Lost,
    /// It comes before an older one.
    Reordered,
    /// It states another amount.
    WrongAmount,
    /// It is signed with something else.
    BadSignature,
    /// It carries an old timestamp.
    Stale,
}

/// The faults of the whole system.
#[derive(Debug)]
pub struct Faults {
    clock: SharedClock,
    ordered: Mutex<Ordered>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Ordered {
    down: Outage,
    slow_ms: u64,
}

#[derive(Debug, Clone, Copy, Default)]
enum Outage {
    #[default]
    No,
    Until(Timestamp),
    ForGood,
}

/// What `PUT /faults` takes. What is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    down: Option<Down>,
    slow_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Down {
    Switch(bool),
    Seconds(u32),
}

/// What `GET /faults` tells.
#[derive(Debug, Serialize)]
pub struct Shown {
    down: bool,
    slow_ms: u64,
}

impl Faults {
    /// None yet.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, ordered: Mutex::default() }
    }

    /// Whether the system plays dead.
    pub fn is_down(&self) -> bool {
        match self.ordered().down {
            Outage::No => false,
            Outage::Until(time) => self.clock.now() < time,
            Outage::ForGood => true,
        }
    }

    /// Suffers the faults before a call is served.
    pub async fn suffer(&self) -> Result<(), Refusal> {
        let slow = self.ordered().slow_ms;
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow)).await;
        }
        if self.is_down() { Err(Refusal::DOWN) } else { Ok(()) }
    }

    fn ordered(&self) -> Ordered {
        *self.ordered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, order: &Order) {
        let mut ordered = self.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        match order.down {
            None => {}
            Some(Down::Switch(false) | Down::Seconds(0)) => ordered.down = Outage::No,
            Some(Down::Switch(true)) => ordered.down = Outage::ForGood,
            Some(Down::Seconds(seconds)) => {
                ordered.down = Outage::Until(self.clock.now() + Duration::from_secs(u64::from(seconds)));
            }
        }
        ordered.slow_ms = order.slow_ms.unwrap_or(ordered.slow_ms);
    }
}

/// `GET /faults`.
pub async fn show(State(sandbox): State<Arc<Sandbox>>) -> Json<Shown> {
    Json(Shown { down: sandbox.faults.is_down(), slow_ms: sandbox.faults.ordered().slow_ms })
}

/// `PUT /faults`.
pub async fn order(State(sandbox): State<Arc<Sandbox>>, Json(order): Json<Order>) -> Json<Shown> {
    sandbox.faults.order(&order);
    sandbox.wake();
    show(State(sandbox)).await
}
