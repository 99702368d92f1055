//! Whose tokens are believed, and the key that services sign with.

use rpc::{
    StaticKeys,
    token::{PublicKey, Signer},
};
use runtime::{Settings, config::ConfigError};
use secrecy::ExposeSecret;

/// The key that the services of the deployment sign with.
pub fn service_signer(settings: &Settings) -> Result<Signer, ConfigError> {
    let seed = settings.auth.service_key_seed()?;
    Signer::try_from_seed(seed.expose_secret()).map_err(|error| ConfigError::new("auth.service_key_seed", error))
}

/// The keys that never change: that of the services, and the extra one.
pub fn fixed(signer: &Signer, extra_key: Option<PublicKey>) -> StaticKeys {
    let keys = StaticKeys::new().with_service_key(signer.public_key());
    match extra_key {
        Some(key) => keys.with_membership_key(key.kid(), key),
        None => keys,
    }
}
