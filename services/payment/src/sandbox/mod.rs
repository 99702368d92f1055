//! A payment provider that takes no money and otherwise behaves like a real one.
//!
//! It is a foreign system that happens to live in this crate: it has its own HTTP server and its own tables (schema
//! `sandbox`), and payment reaches it by HTTP only. What customers do is told to the merchant by signed notices, later
//! and at least once; and it can be ordered to misbehave, which real ones do unasked.
//!
//! | method and path | who | does |
//! |---|---|---|
//! | `POST /v1/charges` | merchant | makes a charge, or finds it by `id` |
//! | `GET /v1/charges/{id}` | merchant | what became of it |
//! | `POST /v1/charges/{id}/close` | merchant | makes it impossible to pay, unless it was paid; nobody is told |
//! | `POST /v1/refunds` | merchant | gives money back, or finds the refund by `id`; never more than was charged |
//! | `GET /v1/refunds/{id}` | merchant | what became of it |
//! | `GET /pay/{charge_id}` | customer | a page with a button |
//! | `POST /pay/{charge_id}` | customer | `outcome=succeed` or `fail`, as form or JSON, with a fault if wanted |
//! | `GET`, `PUT /faults` | tester | the faults of the whole system |
//!
//! Below `/wechat` and `/alipay` it plays real providers, whose protocols it speaks: see [`wechat`] and [`alipay`].
//!
//! Merchants sign what they send as the sandbox signs its notices (see [`crate::peers::signature`]).
//!
//! # Faults
//!
//! For one charge, by `POST /pay/{charge_id}?fault=`:
//!
//! | fault | the notice |
//! |---|---|
//! | `late` | comes 20 seconds later |
//! | `twice` | comes twice |
//! | `lost` | never comes |
//! | `reordered` | comes before an older one, which says that the charge is pending |
//! | `wrong_amount` | states one minor unit too much |
//! | `bad_signature` | is signed with something else |
//! | `stale` | carries a timestamp of ten minutes ago |
//!
//! For all, by `PUT /faults` with `{"down": true}`, `{"down": <seconds>}` or `{"slow_ms": <n>}`: calls are answered 503 and
//! no notice is sent, or each call takes so much longer. These end with the process.

pub mod alipay;
mod charge;
mod customer;
mod faults;
mod merchant;
mod notices;
mod page;
mod played;
mod reply;
mod store;
pub mod wechat;
pub mod wire;

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use kernel::{Error, Result, SharedClock};
use pg::Pg;
use runtime::{Tasks, lifecycle::Next};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch};

use crate::peers::signature::Signer;
use faults::Faults;

pub use played::Played;

/// How often the queue of notices is looked at besides when there is news.
const NOTICE_PERIOD: Duration = Duration::from_millis(500);

/// How long a merchant may take to answer a notice.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);

/// What a sandbox is made of.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// The database in whose schema `sandbox` it keeps its books.
    pub pg: Pg,
    /// Where the time comes from.
    pub clock: SharedClock,
    /// The secret shared with the merchant.
    pub secret: SecretString,
    /// Where customers reach it, such as `http://127.0.0.1:8090`.
    pub public_url: String,
}

/// A payment provider that takes no money.
pub struct Sandbox {
    pg: Pg,
    clock: SharedClock,
    signer: Signer,
    /// Signs what shall not fit.
    wrong_signer: Signer,
    public_url: String,
    http: reqwest::Client,
    faults: Faults,
    news: watch::Sender<u64>,
}

impl Sandbox {
    /// A sandbox that serves nobody yet.
    ///
    /// # Errors
    /// `Internal` if no HTTP client can be made on this machine.
    pub fn try_new(config: SandboxConfig) -> Result<Arc<Self>> {
        let http = reqwest::Client::builder().timeout(NOTICE_TIMEOUT).no_proxy().build().map_err(Error::internal)?;
        Ok(Arc::new(Self {
            pg: config.pg,
            faults: Faults::new(Arc::clone(&config.clock)),
            clock: config.clock,
            signer: Signer::new(config.secret),
            wrong_signer: Signer::new("not the secret".into()),
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            http,
            news: watch::Sender::new(0),
        }))
    }

    /// Its HTTP side.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/charges", post(merchant::create_charge))
            .route("/v1/charges/{id}", get(merchant::get_charge))
            .route("/v1/charges/{id}/close", post(merchant::close_charge))
            .route("/v1/refunds", post(merchant::create_refund))
            .route("/v1/refunds/{id}", get(merchant::get_refund))
            .route("/pay/{charge}", get(customer::show).post(customer::pay))
            .route("/faults", get(faults::show).put(faults::order))
            .with_state(Arc::clone(self))
    }

    fn wake(&self) {
        self.news.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// Serves a sandbox on `listener` and delivers its notices until `tasks` are asked to stop. What it plays besides is
/// answered.
///
/// # Errors
/// See [`Sandbox::try_new`].
pub fn serve(config: SandboxConfig, listener: TcpListener, tasks: &Tasks) -> Result<Played> {
    let played = Played::try_new(&config.public_url, &config.clock)?;
    played.spawn(tasks);
    let sandbox = Sandbox::try_new(config)?;
    let (router, stop) = (sandbox.router().merge(played.router()), tasks.shutdown().soft().clone());
    tasks.spawn_essential("sandbox", async move {
        axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
    });
    let news = sandbox.news.subscribe();
    tasks.spawn_loop("sandbox.notices", NOTICE_PERIOD, Some(news), move || {
        let sandbox = Arc::clone(&sandbox);
        async move {
            sandbox.expire_due().await?;
            Ok(Next::after_batch(sandbox.deliver_due().await?, notices::BATCH))
        }
    });
    Ok(played)
}
