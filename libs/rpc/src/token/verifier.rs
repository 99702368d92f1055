//! Checking a token and reading who it speaks of.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jsonwebtoken::{Algorithm, Validation};
use kernel::{
    Error, Result, SharedClock, Timestamp,
    ids::{MemberId, StaffId, StoreId},
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{AUDIENCE, Claims, Issuer, LEEWAY};
use crate::{Caller, KeySource};

/// Longer than any token of ours; a longer one isn't worth reading.
const MAX_LENGTH: usize = 4_096;

/// How long a checked signature is remembered. A signature takes longer to check than most calls to serve, and callers
/// send the same token many times; a key that is withdrawn counts at most this much longer.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);
const REMEMBERED_TOKENS: usize = 4_096;

/// Checks tokens against the keys of a [`KeySource`] and the time of a clock.
pub struct Verifier {
    keys: Arc<dyn KeySource>,
    clock: SharedClock,
    validation: Validation,
    remembered: Mutex<HashMap<[u8; 32], (Instant, Issuer, Claims)>>,
}

impl Verifier {
    /// A verifier that has seen no token yet.
    pub fn new(keys: Arc<dyn KeySource>, clock: SharedClock) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Only algorithm and signature are left to the library: it would read the time from the machine, and it takes a missing
        // issuer or audience for a right one.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self { keys, clock, validation, remembered: Mutex::default() }
    }

    /// The caller that the token speaks of.
    ///
    /// Errors are `Unauthenticated` with the reason `TOKEN_INVALID`, `TOKEN_EXPIRED` or `TOKEN_WRONG_AUDIENCE`; or
    /// `Unavailable` when the keys can't be had.
    pub async fn verify(&self, token: &str) -> Result<Caller> {
        let digest = Sha256::digest(token.as_bytes()).into();
        let (issuer, claims) = match self.recall(&digest) {
            Some(known) => known,
            None => {
                let checked = self.check_signature(token).await?;
                self.remember(digest, checked.clone());
                checked
            }
        };
        check_claims(issuer, &claims, self.clock.now())?;
        caller(issuer, &claims)
    }

    async fn check_signature(&self, token: &str) -> Result<(Issuer, Claims)> {
        if token.len() > MAX_LENGTH {
            return Err(invalid("the access token is too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| malformed())?;
        let kid = header.kid.ok_or_else(malformed)?;
        let Some(trusted) = self.keys.key(&kid).await? else {
            return Err(invalid("the access token is signed with a key that isn't known here: sign in again"));
        };
        let decoded = jsonwebtoken::decode::<Claims>(token, &trusted.key.decoding_key(), &self.validation);
        decoded.map(|token| (trusted.issuer, token.claims)).map_err(|_| malformed())
    }

    fn recall(&self, digest: &[u8; 32]) -> Option<(Issuer, Claims)> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, issuer, claims) = remembered.get(digest)?;
        (since.elapsed() < REMEMBERED_FOR).then(|| (*issuer, claims.clone()))
    }

    fn remember(&self, digest: [u8; 32], (issuer, claims): (Issuer, Claims)) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED_TOKENS {
            remembered.retain(|_, (since, ..)| since.elapsed() < REMEMBERED_FOR);
        }
        if remembered.len() < REMEMBERED_TOKENS {
            remembered.insert(digest, (Instant::now(), issuer, claims));
        }
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}

fn check_claims(issuer: Issuer, claims: &Claims, now: Timestamp) -> Result<()> {
    if claims.iss != issuer.as_str() {
        return Err(invalid("the access token was not issued by this system"));
    }
    if claims.aud != AUDIENCE {
        return Err(Error::unauthenticated("TOKEN_WRONG_AUDIENCE", "the access token is meant for another system"));
    }
    if claims.exp.saturating_add(LEEWAY.as_secs()) <= now.as_second() {
        return Err(Error::unauthenticated("TOKEN_EXPIRED", "the access token has expired: refresh it"));
    }
    Ok(())
}

fn caller(issuer: Issuer, claims: &Claims) -> Result<Caller> {
    let (collection, id) = claims.sub.split_once('/').ok_or_else(malformed)?;
    match (issuer, collection) {
        (Issuer::Services, "services") if is_service_name(id) => Ok(Caller::for_service(id)),
        (Issuer::Membership, MemberId::COLLECTION) => {
            MemberId::parse_name("sub", &claims.sub).map(Caller::for_member).map_err(|_| malformed())
        }
        (Issuer::Membership, StaffId::COLLECTION) => {
            let id = StaffId::parse_name("sub", &claims.sub).map_err(|_| malformed())?;
            let store = claims.store.as_deref().map(|name| StoreId::parse_name("store", name)).transpose();
            let roles = claims.roles.iter().filter_map(|name| name.parse().ok());
            Ok(Caller::for_staff(id, roles, store.map_err(|_| malformed())?))
        }
        _ => Err(malformed()),
    }
}

fn is_service_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn malformed() -> Error {
    invalid("the access token is not valid: sign in again")
}

fn invalid(message: &'static str) -> Error {
    Error::unauthenticated("TOKEN_INVALID", message)
}
