//! The tokens that services show each other: signed with the deployment's service key, good for a minute.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::SignedDuration;
use kernel::{Error, Result, SharedClock, Timestamp};
use tonic::metadata::{Ascii, MetadataValue};

use crate::token::{AUDIENCE, Claims, Issuer, Signer};

/// How long a token is good.
const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// How long one is used before the next is made, so that none runs out on its way.
const USED_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Makes the tokens of one service and keeps the current one.
#[derive(Clone)]
pub struct ServiceTokens(Arc<Inner>);

struct Inner {
    subject: String,
    signer: Signer,
    clock: SharedClock,
    current: Mutex<Option<(Timestamp, MetadataValue<Ascii>)>>,
}

impl ServiceTokens {
    /// For the service named `service`, such as `booking`.
    pub fn new(service: &str, signer: Signer, clock: SharedClock) -> Self {
        Self(Arc::new(Inner { subject: format!("services/{service}"), signer, clock, current: Mutex::default() }))
    }

    /// The value of the `authorization` metadata, never older than half a minute.
    pub fn authorization(&self) -> Result<MetadataValue<Ascii>> {
        let now = self.0.clock.now();
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back makes a new token too: a peer would see the old one as from the future.
        if let Some((made, value)) = current.as_ref()
            && (SignedDuration::ZERO..USED_FOR).contains(&now.duration_since(*made))
        {
            return Ok(value.clone());
        }
        let value = self.make(now)?;
        *current = Some((now, value.clone()));
        Ok(value)
    }

    fn make(&self, now: Timestamp) -> Result<MetadataValue<Ascii>> {
        let token = self.0.signer.sign(&Claims {
            iss: Issuer::Services.as_str().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: self.0.subject.clone(),
            iat: now.as_second(),
            exp: now.as_second() + LIFETIME.as_secs(),
            roles: Vec::new(),
            store: None,
            sid: None,
        })?;
        let mut value: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(Error::internal)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl fmt::Debug for ServiceTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceTokens").field("subject", &self.0.subject).finish_non_exhaustive()
    }
}
