//! The settings as types. Defaults and meanings are in `defaults.toml`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

use super::{AlipaySettings, ConfigError, WechatSettings};

/// All settings of the suite. Secrets print as `[REDACTED]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where `meridian up` keeps its private servers, keys and state.
    pub data_dir: PathBuf,
    /// The HTTP gateway.
    pub http: HttpSettings,
    /// The admin server: metrics, liveness, readiness.
    pub admin: AdminSettings,
    /// Redis, which the suite can do without.
    pub redis: RedisSettings,
    /// The Postgres server on which `up` and `migrate` make databases.
    pub postgres: PostgresSettings,
    /// Logs and traces.
    pub telemetry: TelemetrySettings,
    /// Starting and stopping.
    pub lifecycle: LifecycleSettings,
    /// Keys and tokens.
    pub auth: AuthSettings,
    /// The booking service.
    pub booking: ServiceSettings,
    /// The membership service.
    pub membership: ServiceSettings,
    /// The payment service.
    pub payment: ServiceSettings,
    /// The marketing service.
    pub marketing: ServiceSettings,
    /// The analytics service.
    pub analytics: ServiceSettings,
    /// The payment provider that takes no money.
    pub sandbox: SandboxSettings,
    /// The account with WeChat Pay.
    pub wechat: WechatSettings,
    /// The account with Alipay.
    pub alipay: AlipaySettings,
    /// What a trial needs.
    pub demo: DemoSettings,
}

impl Settings {
    /// The settings of one service.
    pub fn service(&self, service: Service) -> &ServiceSettings {
        match service {
            Service::Booking => &self.booking,
            Service::Membership => &self.membership,
            Service::Payment => &self.payment,
            Service::Marketing => &self.marketing,
            Service::Analytics => &self.analytics,
        }
    }

    /// The settings of one service, to fill in what is known only when the suite starts.
    pub fn service_mut(&mut self, service: Service) -> &mut ServiceSettings {
        match service {
            Service::Booking => &mut self.booking,
            Service::Membership => &mut self.membership,
            Service::Payment => &mut self.payment,
            Service::Marketing => &mut self.marketing,
            Service::Analytics => &mut self.analytics,
        }
    }

    /// Where the sandbox provider sends its notices.
    pub fn sandbox_notice_url(&self) -> String {
        let default = || format!("{}/v1/payments:notify/sandbox", local_url(self.http.addr));
        self.sandbox.notice_url.clone().unwrap_or_else(default)
    }

    /// Where the sandbox sends the notices of a real provider whose protocol it speaks: beside its own.
    pub fn sandbox_notice_url_of(&self, provider: &str) -> String {
        let own = self.sandbox_notice_url();
        own.rsplit_once('/').map_or_else(|| own.clone(), |(folder, _)| format!("{folder}/{provider}"))
    }

    /// Checks what the types do not say.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for (key, secret) in
            [("auth.service_key_seed", &self.auth.service_key_seed), ("auth.master_key", &self.auth.master_key)]
        {
            if secret.is_some() {
                key_bytes(key, secret.as_ref())?;
            }
        }
        for service in Service::ALL {
            if self.service(service).max_connections == 0 {
                return Err(ConfigError::new(format!("{service}.max_connections"), "must be at least 1"));
            }
        }
        self.wechat.check()?;
        self.alipay.check()?;
        if self.http.timeout_seconds == 0 {
            return Err(ConfigError::new("http.timeout_seconds", "must be at least 1"));
        }
        Ok(())
    }
}

/// The services that own a database, in the order of their ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Times, rooms, therapists and who has which.
    Booking,
    /// People, their sign-in, points and tiers.
    Membership,
    /// Orders, providers and the ledger.
    Payment,
    /// Prices, coupons and messages.
    Marketing,
    /// Facts and figures.
    Analytics,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Booking, Self::Membership, Self::Payment, Self::Marketing, Self::Analytics];

    /// The name as in settings, database names, metrics and tokens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Membership => "membership",
            Self::Payment => "payment",
            Self::Marketing => "marketing",
            Self::Analytics => "analytics",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The HTTP gateway.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Web origins whose pages may call it; `*` admits any.
    pub cors_origins: Vec<String>,
    /// The largest request body that is read.
    pub body_limit_bytes: usize,
    /// How long a request may take.
    pub timeout_seconds: u64,
}

impl HttpSettings {
    /// How long a request may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

/// The admin server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    /// Where it listens.
    pub addr: SocketAddr,
}

/// Redis.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// The server; it may hold a password.
    pub url: Option<SecretString>,
    /// Goes before every key and channel.
    pub prefix: String,
}

/// The Postgres server as an administrator sees it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// An existing server, as a role that may create roles and databases.
    pub admin_url: Option<SecretString>,
}

/// Logs and traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetrySettings {
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, as in tracing-subscriber's `EnvFilter`.
    pub filter: String,
    /// An OTLP/gRPC collector.
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starting and stopping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifecycleSettings {
    /// How long running work may take to end.
    pub drain_timeout_seconds: u64,
}

impl LifecycleSettings {
    /// How long running work may take to end.
    pub fn drain_timeout(&self) -> Duration {
        Duration::from_secs(self.drain_timeout_seconds)
    }
}

/// Keys and tokens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSettings {
    /// Base64 of the 32 bytes from which the key that signs tokens between services is derived.
    pub service_key_seed: Option<SecretString>,
    /// Base64 of the 32 bytes that wrap the keys of personal data.
    pub master_key: Option<SecretString>,
}

impl AuthSettings {
    /// The seed of the service key.
    ///
    /// # Errors
    /// When it is not set or not base64 of 32 bytes.
    pub fn service_key_seed(&self) -> Result<SecretBox<[u8; 32]>, ConfigError> {
        key_bytes("auth.service_key_seed", self.service_key_seed.as_ref())
    }

    /// The master key of personal data.
    ///
    /// # Errors
    /// When it is not set or not base64 of 32 bytes.
    pub fn master_key(&self) -> Result<SecretBox<[u8; 32]>, ConfigError> {
        key_bytes("auth.master_key", self.master_key.as_ref())
    }
}

/// One of the services that own a database.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSettings {
    /// Where it listens for gRPC.
    pub grpc_addr: SocketAddr,
    /// How peers reach it, if not at `grpc_addr`.
    pub url: Option<String>,
    /// Its database, as its own role.
    pub database_url: Option<SecretString>,
    /// The most connections it opens to its database.
    pub max_connections: u32,
    /// Its own rules, which it alone knows.
    #[serde(default)]
    pub policy: toml::Table,
}

impl ServiceSettings {
    /// How peers reach it.
    pub fn url(&self) -> String {
        self.url.clone().unwrap_or_else(|| local_url(self.grpc_addr))
    }

    /// Its database.
    ///
    /// # Errors
    /// When it is not set.
    pub fn database_url(&self, service: Service) -> Result<&SecretString, ConfigError> {
        self.database_url.as_ref().ok_or_else(|| {
            ConfigError::new(format!("{service}.database_url"), "is not set; set it, or start with `meridian up`")
        })
    }

    /// The service's own rules as its own type, which should refuse unknown fields and have defaults.
    ///
    /// # Errors
    /// When the table does not fit the type.
    pub fn policy<P: DeserializeOwned>(&self, service: Service) -> Result<P, ConfigError> {
        self.policy
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| ConfigError::new(format!("{service}.policy"), error.message()))
    }
}

/// The payment provider that takes no money.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SandboxSettings {
    /// Whether it runs at all.
    pub enabled: bool,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Signs its requests and notices.
    pub secret: SecretString,
    /// Where it sends its notices; see [`Settings::sandbox_notice_url`].
    pub notice_url: Option<String>,
}

impl SandboxSettings {
    /// How the payment service reaches it.
    pub fn url(&self) -> String {
        local_url(self.addr)
    }
}

/// What makes a trial comfortable and a production system unsafe.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoSettings {
    /// Messages, one-time codes included, can be read over the API.
    pub mailbox: bool,
    /// The random seed from which demo data are made.
    pub seed: u64,
    /// How many members the demo data have.
    pub members: u32,
}

/// The URL at which a program on this machine reaches a listener.
fn local_url(addr: SocketAddr) -> String {
    let reachable = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(reachable, addr.port()))
}

fn key_bytes(key: &str, secret: Option<&SecretString>) -> Result<SecretBox<[u8; 32]>, ConfigError> {
    let secret = secret.ok_or_else(|| ConfigError::new(key, "is not set; it is base64 of 32 random bytes"))?;
    let bytes = BASE64_STANDARD.decode(secret.expose_secret().trim()).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let bytes = bytes.ok_or_else(|| ConfigError::new(key, "is not base64 of 32 bytes"))?;
    Ok(SecretBox::new(Box::new(bytes)))
}
