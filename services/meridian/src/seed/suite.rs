//! The services in this process, at another time, and those who call them.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, anyhow};
use jiff::SignedDuration;
use kernel::{Clock as _, SystemClock, Timestamp, Uuid, ids::uuid_v7};
use proto::access::v1::Role;
use rpc::{
    client::{KeepAlive, channel},
    token::{AUDIENCE, Claims, Issuer, Signer},
};
use runtime::{Settings, Shutdown, Tasks, config::Service};
use secrecy::ExposeSecret as _;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::Channel,
};

use super::clock::MovedClock;
use crate::{
    serve::{self, Launch, Listeners},
    up,
};

/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a token is good: longer than any seeding takes.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(24);
/// How long the services may take to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// The services, reached by nobody but this process.
pub struct Suite {
    /// The time of all of them.
    pub clock: Arc<MovedClock>,
    settings: Settings,
    channels: [Channel; Service::ALL.len()],
    signer: Signer,
    tasks: Tasks,
}

impl Suite {
    /// Starts the services on the databases of `settings`, at the time `at`, on ports that nobody is told, without Redis.
    pub async fn start(settings: &Settings, at: Timestamp) -> Result<Self> {
        let mut settings = settings.clone();
        settings.redis.url = None;
        settings.sandbox.enabled = false;
        settings.demo.mailbox = true;
        for service in Service::ALL {
            let url = settings.service(service).database_url(service)?.expose_secret();
            settings.service_mut(service).database_url = Some(hasty(url).into());
        }
        let listeners = Listeners::private(&mut settings).await?;
        let policies = serve::check(&settings)?;
        let clock = Arc::new(MovedClock::new(at));
        let signer = Signer::try_from_seed(&rand::random())?;
        let tasks = Tasks::new(Shutdown::new());
        let shared = Arc::clone(&clock);
        let launch = Launch {
            clock: shared,
            token_clock: Arc::new(SystemClock),
            tasks: tasks.clone(),
            extra_key: Some(signer.public_key()),
        };
        let ready = async {
            let readiness = serve::start(settings.clone(), policies, listeners, launch).await?;
            up::wait_until_ready(&readiness).await
        };
        if let Err(error) = ready.await {
            tasks.shutdown().abort();
            return Err(error);
        }
        let [booking, membership, payment, marketing, analytics] =
            Service::ALL.map(|service| channel(&settings.service(service).url(), KeepAlive::default()));
        let channels = [booking?, membership?, payment?, marketing?, analytics?];
        Ok(Self { clock, settings, channels, signer, tasks })
    }

    /// The way to a service.
    pub fn channel(&self, to: Service) -> Channel {
        self.channels[to as usize].clone()
    }

    /// The settings that the services run with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A caller whose token says that he is `subject`. Staff has roles, and a store unless it is for the whole chain.
    pub fn caller(&self, subject: &str, roles: &[Role], store: Option<&str>) -> Result<Caller> {
        let now = SystemClock.now();
        let token = self.signer.sign(&Claims {
            iss: Issuer::Membership.as_str().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject.to_owned(),
            iat: now.as_second(),
            exp: (now + TOKEN_LIFE).as_second(),
            roles: roles.iter().map(|role| role.as_str_name().trim_start_matches("ROLE_").to_owned()).collect(),
            store: store.map(str::to_owned),
            sid: None,
        })?;
        let mut authorization: MetadataValue<Ascii> = format!("Bearer {token}").parse()?;
        authorization.set_sensitive(true);
        Ok(Caller { authorization: Some(authorization) })
    }

    /// A new request id.
    pub fn request_id(&self) -> Uuid {
        uuid_v7(self.clock.now())
    }

    /// Stops the services.
    pub async fn stop(self) {
        self.tasks.shutdown().begin();
        // What is not done in time is dropped, as at a crash: everything here can take that.
        let _ = self.tasks.run(DRAIN).await;
    }
}

impl Drop for Suite {
    /// Whoever is interrupted leaves nothing running.
    fn drop(&mut self) {
        self.tasks.shutdown().abort();
    }
}

/// Somebody who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    authorization: Option<MetadataValue<Ascii>>,
}

impl Caller {
    /// Somebody who is not signed in.
    pub const fn anonymous() -> Self {
        Self { authorization: None }
    }

    /// His request.
    pub fn asks<M>(&self, message: M) -> Request<M> {
        let mut request = Request::new(message);
        request.set_timeout(TIMEOUT);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }
}

/// The same database, but a commit does not wait for the disk. The commits of others, who wait, do not overtake these; and
/// a seeding that a power cut has shortened starts over.
fn hasty(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options[synchronous_commit]=off")
}

/// Says what was tried when a call is refused.
pub fn refused(what: &'static str) -> impl FnOnce(Status) -> anyhow::Error {
    move |status| anyhow!("{what}: {} ({:?})", status.message(), status.code())
}
