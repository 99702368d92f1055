//! The membership service's keys, fetched over the wire and kept for a while.

use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, JwkSet};
use kernel::{Error, Result};
use proto::membership::v1::{GetJwksRequest, auth_service_client::AuthServiceClient};
use tokio::{sync::Mutex, time::Instant};
use tonic::{Request, transport::Channel};
use tracing::warn;

use crate::{
    KeySource, StaticKeys, TrustedKey, from_status,
    token::{Issuer, PublicKey},
};

/// How old the kept keys may grow before they are fetched again.
const FRESH_FOR: Duration = Duration::from_secs(5 * 60);

/// The least time between two fetches that tokens with unknown keys may cause.
const LEAST_INTERVAL: Duration = Duration::from_secs(5);

/// The least time after a fetch that failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// How long membership may take.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The keys of the membership service beside the fixed ones of the services.
///
/// While membership is away, the keys that are known go on being trusted; a key that isn't known is then `Unavailable`
/// and not "no such key".
pub struct JwksKeySource {
    client: AuthServiceClient<Channel>,
    fixed: StaticKeys,
    kept: RwLock<Kept>,
    fetching: Mutex<()>,
}

#[derive(Debug, Default)]
struct Kept {
    keys: HashMap<String, TrustedKey>,
    fetched: Option<Instant>,
    failed: Option<Instant>,
}

impl Kept {
    fn is_fresh(&self) -> bool {
        self.fetched.is_some_and(|at| at.elapsed() < FRESH_FOR)
    }

    /// Whether it is too early for another fetch.
    fn must_wait(&self) -> bool {
        self.fetched.is_some_and(|at| at.elapsed() < LEAST_INTERVAL)
            || self.failed.is_some_and(|at| at.elapsed() < RETRY_INTERVAL)
    }

    fn find(&self, kid: &str) -> Option<TrustedKey> {
        self.keys.get(kid).copied()
    }
}

impl JwksKeySource {
    /// Nothing is fetched until the first token comes. `membership` is a plain channel: the RPC is public. `fixed` are
    /// the keys of the services.
    pub fn new(membership: Channel, fixed: StaticKeys) -> Self {
        Self { client: AuthServiceClient::new(membership), fixed, kept: RwLock::default(), fetching: Mutex::default() }
    }

    fn read<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Fetches unless it was just tried. The caller holds the `fetching` lock.
    async fn fetch(&self) {
        if self.read(Kept::must_wait) {
            return;
        }
        match self.get_jwks().await {
            Ok(keys) => self.write(|kept| *kept = Kept { keys, fetched: Some(Instant::now()), failed: None }),
            Err(error) => {
                warn!(error = error.chain(), "signing keys could not be fetched");
                self.write(|kept| kept.failed = Some(Instant::now()));
            }
        }
    }

    async fn get_jwks(&self) -> Result<HashMap<String, TrustedKey>> {
        let mut request = Request::new(GetJwksRequest::default());
        request.set_timeout(TIMEOUT);
        let reply = self.client.clone().get_jwks(request).await.map_err(|status| from_status(status, "membership"))?;
        parse(&reply.into_inner().data)
    }
}

#[async_trait]
impl KeySource for JwksKeySource {
    async fn key(&self, kid: &str) -> Result<Option<TrustedKey>> {
        if let Some(key) = self.fixed.get(kid) {
            return Ok(Some(key));
        }
        let (known, fresh) = self.read(|kept| (kept.find(kid), kept.is_fresh()));
        match (known, fresh) {
            (Some(key), true) => return Ok(Some(key)),
            // One caller refreshes; the others go on with what is known.
            (Some(key), false) => {
                let Ok(_turn) = self.fetching.try_lock() else { return Ok(Some(key)) };
                self.fetch().await;
            }
            (None, _) => {
                let _turn = self.fetching.lock().await;
                // Another caller may have fetched it meanwhile.
                if self.read(|kept| kept.find(kid)).is_none() {
                    self.fetch().await;
                }
            }
        }
        let (found, failing) = self.read(|kept| (kept.find(kid), kept.failed.is_some() || kept.fetched.is_none()));
        match found {
            None if failing => Err(Error::unavailable("membership")),
            found => Ok(found),
        }
    }
}

impl fmt::Debug for JwksKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksKeySource").finish_non_exhaustive()
    }
}

/// The Ed25519 keys of a JWK set (RFC 7517); others in it are passed over.
fn parse(json: &[u8]) -> Result<HashMap<String, TrustedKey>> {
    let set: JwkSet = serde_json::from_slice(json).map_err(Error::internal)?;
    let mut keys = HashMap::new();
    for jwk in set.keys {
        if let (Some(kid), AlgorithmParameters::OctetKeyPair(pair)) = (jwk.common.key_id, jwk.algorithm)
            && pair.curve == EllipticCurve::Ed25519
        {
            let key = PublicKey::parse(&pair.x)?;
            keys.insert(kid, TrustedKey { issuer: Issuer::Membership, key });
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_read_and_other_kinds_of_keys_are_passed_over() {
        let key = PublicKey::from_bytes([3; 32]);
        let set = serde_json::json!({"keys": [
            key.jwk("one"),
            {"kty": "oct", "kid": "two", "k": "AAAA"},
        ]});
        let keys = parse(set.to_string().as_bytes()).expect("a valid set");
        assert_eq!(keys.len(), 1);
        assert_eq!(keys["one"], TrustedKey { issuer: Issuer::Membership, key });
    }

    #[test]
    fn a_key_of_the_wrong_length_spoils_the_set() {
        let set = br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"one","x":"AAAA"}]}"#;
        assert!(parse(set).is_err());
        assert!(parse(b"<html>").is_err());
    }
}
