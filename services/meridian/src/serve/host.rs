//! What the services of one process share.

use std::sync::Arc;

use anyhow::{Context, Result};
use booking::LinkKey;
use feed::{FeedServer, FeedSource};
use kernel::SharedClock;
use pg::{Pg, vault::Vault};
use rpc::{
    JwksKeySource, KeySource, StaticKeys,
    client::{self, KeepAlive, Peer, ServiceAuth},
    service_token::ServiceTokens,
    token::Signer,
};
use runtime::{Settings, Tasks, config::Service, health::Readiness, metrics, redis_client, wake::Wake};
use secrecy::ExposeSecret;
use slotlock::SlotLock;
use tokio::net::TcpListener;
use tonic::transport::Channel;

use super::{Launch, trust};

/// What the services of one process share.
pub struct Host {
    /// The settings, with the addresses that were really bound.
    pub settings: Settings,
    /// The time.
    pub clock: SharedClock,
    /// The time by which tokens are made and checked.
    pub token_clock: SharedClock,
    /// What runs.
    pub tasks: Tasks,
    /// What is ready.
    pub readiness: Readiness,
    /// "There is something new", between processes.
    pub wake: Wake,
    /// The keys that never change.
    pub fixed_keys: StaticKeys,
    /// Whose tokens are believed by all but membership.
    pub keys: Arc<dyn KeySource>,
    signer: Signer,
    channels: [Channel; Service::ALL.len()],
}

impl Host {
    /// Makes the channels to all services; none is connected before it is used.
    ///
    /// # Errors
    /// When a URL or the service key in the settings is not valid.
    pub fn new(settings: Settings, launch: Launch) -> Result<Self> {
        let signer = trust::service_signer(&settings)?;
        let wake = match &settings.redis.url {
            Some(url) => Wake::connect(url, &settings.redis.prefix, &launch.tasks).context("redis.url is not valid")?,
            None => Wake::local(),
        };
        let channel = |service: Service| {
            client::channel(&settings.service(service).url(), KeepAlive::default())
                .with_context(|| format!("{service}.url is not valid"))
        };
        let [booking, membership, payment, marketing, analytics] = Service::ALL.map(channel);
        let channels = [booking?, membership?, payment?, marketing?, analytics?];
        let fixed_keys = trust::fixed(&signer, launch.extra_key);
        let keys = JwksKeySource::new(channels[Service::Membership as usize].clone(), fixed_keys.clone());
        Ok(Self {
            settings,
            clock: launch.clock,
            token_clock: launch.token_clock,
            tasks: launch.tasks,
            readiness: Readiness::new(),
            wake,
            fixed_keys,
            keys: Arc::new(keys),
            signer,
            channels,
        })
    }

    /// The way to a service, without a token.
    pub fn channel(&self, to: Service) -> Channel {
        self.channels[to as usize].clone()
    }

    /// How `from` shows who it is.
    pub fn auth(&self, from: Service) -> ServiceAuth {
        ServiceAuth::new(ServiceTokens::new(from.name(), self.signer.clone(), Arc::clone(&self.token_clock)))
    }

    /// The way by which `from` calls `to`.
    pub fn peer(&self, from: Service, to: Service) -> Peer {
        client::peer(self.channel(to), self.auth(from))
    }

    /// The feed of `of` as `reader` reads it.
    pub fn feed(&self, reader: Service, of: Service) -> FeedSource {
        FeedSource::new(of.name(), self.channel(of), self.auth(reader))
    }

    /// Serves the outbox of `service`.
    pub fn feed_server(&self, service: Service, pg: &Pg) -> FeedServer {
        let lag = metrics::outbox_lag(service.name());
        FeedServer::new(pg.clone(), self.wake.subscribe(service.name()), self.tasks.shutdown().soft().clone())
            .report_lag(Arc::clone(&self.clock), move |seconds| lag.set(seconds))
    }

    /// The vault of personal data.
    ///
    /// # Errors
    /// When there is no master key in the settings.
    pub fn vault(&self) -> Result<Vault> {
        Ok(Vault::new(*self.settings.auth.master_key()?.expose_secret()))
    }

    /// What signs the addresses of calendars. It comes from the secret that all services share, and so changes with it.
    ///
    /// # Errors
    /// When there is no seed of the service key in the settings.
    pub fn link_key(&self) -> Result<LinkKey> {
        Ok(LinkKey::derive(self.settings.auth.service_key_seed()?.expose_secret()))
    }

    /// The fast refusal of times, if there is a Redis.
    ///
    /// # Errors
    /// When the URL is not valid; not when Redis is down.
    pub fn slot_lock(&self) -> Result<SlotLock> {
        let redis = self.settings.redis.url.as_ref().map(redis_client::connect).transpose();
        let redis = redis.context("redis.url is not valid")?;
        Ok(SlotLock::new(redis, format!("{}:", self.settings.redis.prefix)))
    }

    /// Serves metrics and health over HTTP.
    pub fn serve_admin(&self, listener: TcpListener) {
        let (readiness, shutdown) = (self.readiness.clone(), self.tasks.shutdown().clone());
        self.tasks.spawn_essential("admin", async move { runtime::serve::admin(listener, readiness, &shutdown).await });
    }
}
