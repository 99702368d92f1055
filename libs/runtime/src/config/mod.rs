//! The settings of the whole suite.
//!
//! Four layers, each over the one before: the defaults (`defaults.toml` beside this file, which also tells what each
//! setting means), one TOML file, environment variables `MERIDIAN__SECTION__KEY`, and flags `--set section.key=value`.
//! The value of a variable or flag is read as TOML if it is TOML of the right type, else as text, so that neither
//! `8` nor `127.0.0.1:8080` needs quotes. An unknown key is an error in every layer.
//!
//! Each service's own rules (how long a hold lasts, …) are not known here: they are the free table
//! `[<service>.policy]`, which the service reads with [`ServiceSettings::policy`].

mod layers;
mod providers;
mod settings;

use std::{fmt, path::Path};

pub use providers::{AlipaySettings, WechatSettings};
pub use settings::{
    AdminSettings, AuthSettings, DemoSettings, HttpSettings, LifecycleSettings, LogFormat, PostgresSettings,
    RedisSettings, SandboxSettings, Service, ServiceSettings, Settings, TelemetrySettings,
};

/// What a process exits with when its settings are wrong (`EX_USAGE`).
pub const EXIT_CODE: u8 = 64;

/// What the name of every environment variable that is a setting begins with.
pub const ENV_PREFIX: &str = "MERIDIAN__";

const DEFAULTS: &str = include_str!("defaults.toml");

/// A setting that cannot be used, and where it came from. It carries no secret value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {message}")]
pub struct ConfigError {
    /// The file, the variable, the flag or the key.
    pub origin: String,
    /// What is wrong.
    pub message: String,
}

impl ConfigError {
    /// An error at `origin`.
    pub fn new(origin: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { origin: origin.to_string(), message: message.to_string() }
    }
}

/// Loads the settings from the defaults, then `file`, then `env`, then `set` (each `section.key=value`).
///
/// # Errors
/// When a layer cannot be read, names an unknown key or has a value of the wrong type. The error names the layer.
pub fn load(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
    set: &[String],
) -> Result<Settings, ConfigError> {
    let mut table = layers::parse("the defaults", DEFAULTS)?;
    if let Some(path) = file {
        table = layers::add_file(table, path)?;
    }
    for (name, value) in env {
        if let Some(key) = name.strip_prefix(ENV_PREFIX) {
            let path = key.split("__").map(str::to_ascii_lowercase).collect::<Vec<_>>();
            table = layers::add_value(table, &name, &path, &value)?;
        }
    }
    for assignment in set {
        let origin = format!("--set {}", assignment.split('=').next().unwrap_or_default());
        let Some((key, value)) = assignment.split_once('=') else {
            return Err(ConfigError::new(origin, "is not of the form section.key=value"));
        };
        let path = key.split('.').map(str::to_owned).collect::<Vec<_>>();
        table = layers::add_value(table, &origin, &path, value)?;
    }
    let settings = layers::read("the settings", table)?;
    settings.check()?;
    Ok(settings)
}

/// The environment variables of this process that are settings.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(ENV_PREFIX))?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}

#[cfg(test)]
mod tests;
