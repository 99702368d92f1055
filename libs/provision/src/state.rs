//! What is remembered between two starts: `servers.json`.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    files,
};

const FILE: &str = "servers.json";

/// 32 letters and digits: 190 bits.
const PASSWORD_LENGTH: usize = 32;

/// Ports and passwords of one data folder.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Where the files of the servers lie, when that isn't the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PathBuf>,
    pub postgres: Server,
    pub redis: Server,
    /// The passwords of the roles of the services, by name.
    #[serde(default)]
    pub roles: BTreeMap<String, String>,
}

/// One server.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    pub password: String,
}

impl State {
    fn new() -> Self {
        let server = || Server { port: None, password: password() };
        Self { place: None, postgres: server(), redis: server(), roles: BTreeMap::new() }
    }

    /// Reads the state of a data folder, or makes a new one that isn't stored yet.
    pub(crate) fn load(data: &Path) -> Result<Self> {
        Ok(Self::find(data)?.unwrap_or_else(Self::new))
    }

    /// Reads the state of a data folder, if it has one.
    pub(crate) fn find(data: &Path) -> Result<Option<Self>> {
        let path = Self::path(data);
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| Error::State { path, reason: error.to_string() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file("read", path)(error)),
        }
    }

    /// Stores the state; a crash leaves the old or the new one.
    pub(crate) fn save(&self, data: &Path) -> Result<()> {
        let path = Self::path(data);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::State { path: path.clone(), reason: error.to_string() })?;
        files::write_whole(&path, text.as_bytes(), files::PRIVATE, None)
    }

    /// The password of a role, made at the first asking.
    pub(crate) fn role_password(&mut self, role: &str) -> String {
        self.roles.entry(role.to_owned()).or_insert_with(password).clone()
    }

    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join(FILE)
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("place", &self.place).finish_non_exhaustive()
    }
}

fn password() -> String {
    Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH)
}
