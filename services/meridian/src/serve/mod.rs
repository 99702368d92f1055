//! Serving one role, or all of them, in this process.
//!
//! In this order: the settings of every service are checked, all ports are bound, then each service waits for its
//! database, is wired, and serves. Nothing is written to disk.
//!
//! | module | holds |
//! |---|---|
//! | [`host`] | what the services of one process share |
//! | [`policies`] | the services' own rules, checked before anything is bound |
//! | [`listeners`] | the ports |
//! | [`database`] | a service's pool, its figures and its readiness |
//! | [`grpc`] | the server around a service's routes: access, health, reflection |
//! | [`trust`] | whose tokens are believed |
//! | `booking`, … | the wiring of one service each |

mod analytics;
mod booking;
mod database;
mod gateway;
mod grpc;
mod host;
mod listeners;
mod marketing;
mod membership;
mod payment;
mod policies;
mod providers;
mod trust;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use kernel::{SharedClock, SystemClock};
use rpc::token::PublicKey;
use runtime::{
    Settings, Shutdown, Tasks,
    config::{ConfigError, Service},
    health::Readiness,
    lifecycle::Outcome,
    metrics,
};

use crate::{cli::Role, say};
use host::Host;
pub use listeners::Listeners;
pub use policies::Policies;

/// The services that keep personal data, or pseudonyms that must not be guessed.
const WITH_MASTER_KEY: [Service; 3] = [Service::Membership, Service::Marketing, Service::Analytics];

/// `meridian serve`.
pub async fn run(mut settings: Settings, role: Role) -> Result<ExitCode> {
    let policies = check(&settings)?;
    for service in Service::ALL.into_iter().filter(|service| role.has(*service)) {
        settings.service(service).database_url(service)?;
    }
    if WITH_MASTER_KEY.into_iter().any(|service| role.has(service)) {
        settings.auth.master_key()?;
    }
    let listeners = Listeners::bind(&mut settings, role, true).await?;

    let tasks = Tasks::new(Shutdown::new());
    tasks.stop_on_signals()?;
    let drain = settings.lifecycle.drain_timeout();
    if let Err(error) = start(settings, policies, listeners, Launch::live(tasks.clone())).await {
        tasks.shutdown().abort();
        return Err(error);
    }
    Ok(end(tasks.run(drain).await))
}

/// Tells how it ended, if not as wished, and gives the exit code.
pub fn end(outcome: Outcome) -> ExitCode {
    if outcome != Outcome::Clean {
        say::error(&outcome.to_string());
    }
    outcome.exit_code()
}

/// Checks the settings that every role shares, before anything is bound.
///
/// # Errors
/// Naming the setting.
pub fn check(settings: &Settings) -> Result<Policies, ConfigError> {
    trust::service_signer(settings)?;
    Policies::read(settings)
}

/// In what world services are started.
pub struct Launch {
    /// The time of everything.
    pub clock: SharedClock,
    /// The time by which tokens are made and checked, should it be another: the calls of a moment must not fail because
    /// the clock is moved on meanwhile.
    pub token_clock: SharedClock,
    /// What runs, and how it is stopped.
    pub tasks: Tasks,
    /// Signs tokens of people that are believed besides those of membership; for servers that nobody else reaches.
    pub extra_key: Option<PublicKey>,
}

impl Launch {
    /// The world as it is.
    pub fn live(tasks: Tasks) -> Self {
        Self { clock: Arc::new(SystemClock), token_clock: Arc::new(SystemClock), tasks, extra_key: None }
    }
}

/// Starts a service on each of `listeners`; they run until the tasks of `launch` are stopped. Returns what is ready.
///
/// # Errors
/// In a sentence what is wrong, with the remedy. What runs already goes on: the caller stops it.
pub async fn start(
    settings: Settings,
    policies: Policies,
    mut listeners: Listeners,
    launch: Launch,
) -> Result<Readiness> {
    rpc::check_rules(proto::DESCRIPTOR_SET)?;
    metrics::init(env!("CARGO_PKG_VERSION"));
    let host = Host::new(settings, launch)?;
    // Services register what they need one after the other; until the last has, the process is not ready.
    let started = host.readiness.probe("process", "start");
    if let Some(listener) = listeners.admin.take() {
        host.serve_admin(listener);
    }
    // Membership first: the others ask it for keys.
    if let Some(listener) = listeners.take(Service::Membership) {
        membership::start(&host, policies.membership, listener).await?;
    }
    if let Some(listener) = listeners.take(Service::Marketing) {
        marketing::start(&host, policies.marketing, listener).await?;
    }
    if let Some(listener) = listeners.take(Service::Payment) {
        payment::start(&host, policies.payment, listener, listeners.sandbox.take()).await?;
    }
    if let Some(listener) = listeners.take(Service::Booking) {
        booking::start(&host, policies.booking, listener).await?;
    }
    if let Some(listener) = listeners.take(Service::Analytics) {
        analytics::start(&host, policies.analytics, listener).await?;
    }
    if let Some(listener) = listeners.gateway.take() {
        gateway::start(&host, listener)?;
    }
    started.set_ready();
    Ok(host.readiness)
}
