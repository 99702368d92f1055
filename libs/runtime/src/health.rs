//! What is ready, and why the rest is not.
//!
//! A component (a service) has parts (its database, its keys, …), each held by a [`Probe`] that starts as not ready.
//! A component is ready when all of its parts are. The same registry answers `/readyz` for people and
//! `grpc.health.v1` for Kubernetes and clients. What a service can do without (Redis, a peer) is no part of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::lifecycle::{Next, Tasks};

mod grpc;

pub use grpc::{LIVENESS, service};

/// The registry. Clones are the same registry.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    parts: Mutex<BTreeMap<(&'static str, &'static str), Option<String>>>,
    changes: watch::Sender<u64>,
}

/// A part that is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unready {
    /// The service.
    pub component: &'static str,
    /// The part of it.
    pub part: &'static str,
    /// Why, in a few words.
    pub why: String,
}

impl Readiness {
    /// An empty registry, in which everything is ready.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a part, which is not ready yet.
    pub fn probe(&self, component: &'static str, part: &'static str) -> Probe {
        let probe = Probe { readiness: self.clone(), component, part };
        probe.set_unready("starting");
        probe
    }

    /// What is not ready.
    pub fn unready(&self) -> Vec<Unready> {
        let parts = self.parts();
        let unready =
            parts.iter().filter_map(|(&(component, part), why)| Some(Unready { component, part, why: why.clone()? }));
        unready.collect()
    }

    /// Whether all parts of a component are ready.
    pub fn is_ready(&self, component: &str) -> bool {
        !self.parts().iter().any(|((of, _), why)| *of == component && why.is_some())
    }

    /// Changes whenever a part does.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<(&'static str, &'static str), Option<String>>> {
        self.0.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The handle on one part.
#[derive(Debug, Clone)]
pub struct Probe {
    readiness: Readiness,
    component: &'static str,
    part: &'static str,
}

impl Probe {
    /// The part can do its work.
    pub fn set_ready(&self) {
        self.set(None);
    }

    /// The part cannot do its work; `why` is shown to operators.
    pub fn set_unready(&self, why: impl Into<String>) {
        self.set(Some(why.into()));
    }

    /// Runs `check` every `every` and sets the part by its result; it may take `every` at the most. When the process
    /// stops, the part is not ready any more.
    pub fn keep<F, Fut>(self, tasks: &Tasks, every: Duration, mut check: F)
    where
        F: FnMut() -> Fut + Send + 'static,
        Fut: Future<Output = kernel::Result<()>> + Send + 'static,
    {
        let stopping = (self.clone(), tasks.shutdown().soft().clone());
        tasks.spawn(format!("{}.{}.stop", self.component, self.part), async move {
            let (probe, soft) = stopping;
            soft.cancelled().await;
            probe.set_unready("stopping");
        });
        let soft = tasks.shutdown().soft().clone();
        tasks.spawn_loop(format!("{}.{}", self.component, self.part), every, None, move || {
            let (probe, soft, check) = (self.clone(), soft.clone(), check());
            async move {
                let why = match tokio::time::timeout(every, check).await {
                    Ok(Ok(())) => None,
                    Ok(Err(error)) => Some(error.message().to_owned()),
                    Err(_) => Some(format!("no answer within {} s", every.as_secs_f32())),
                };
                if !soft.is_cancelled() {
                    probe.set(why);
                }
                Ok(Next::Wait)
            }
        });
    }

    fn set(&self, why: Option<String>) {
        let before = self.readiness.parts().insert((self.component, self.part), why.clone());
        if before.as_ref() == Some(&why) {
            return;
        }
        match why {
            None => tracing::info!(component = self.component, part = self.part, "ready"),
            Some(why) => tracing::info!(component = self.component, part = self.part, why, "not ready"),
        }
        self.readiness.0.changes.send_modify(|version| *version += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_ready_when_all_of_its_parts_are() {
        let readiness = Readiness::new();
        let database = readiness.probe("booking", "database");
        let keys = readiness.probe("booking", "keys");
        let other = readiness.probe("payment", "database");
        database.set_ready();
        assert!(!readiness.is_ready("booking"));
        keys.set_ready();
        assert!(readiness.is_ready("booking"));
        other.set_unready("no route to host");
        assert!(readiness.is_ready("booking"));
        let why = "no route to host".to_owned();
        assert_eq!(readiness.unready(), [Unready { component: "payment", part: "database", why }]);
    }

    #[tokio::test]
    async fn a_kept_probe_follows_its_check_and_falls_at_a_stop() {
        let tasks = Tasks::new(crate::Shutdown::new());
        let readiness = Readiness::new();
        let mut changes = readiness.changes();
        let (up, is_up) = watch::channel(false);
        readiness.probe("booking", "database").keep(&tasks, Duration::from_millis(5), move || {
            let up = *is_up.borrow();
            async move { if up { Ok(()) } else { Err(kernel::Error::unavailable("postgres")) } }
        });
        let becomes = async |ready: bool, changes: &mut watch::Receiver<u64>| {
            while readiness.is_ready("booking") != ready {
                tokio::time::timeout(Duration::from_secs(5), changes.changed()).await.unwrap().unwrap();
            }
        };
        becomes(false, &mut changes).await;
        up.send_replace(true);
        becomes(true, &mut changes).await;
        up.send_replace(false);
        becomes(false, &mut changes).await;
        up.send_replace(true);
        becomes(true, &mut changes).await;
        tasks.shutdown().begin();
        becomes(false, &mut changes).await;
        assert_eq!(readiness.unready()[0].why, "stopping");
    }
}
