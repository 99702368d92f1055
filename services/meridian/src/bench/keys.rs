//! Who calls.

use std::sync::Arc;

use anyhow::Result;
use kernel::{
    Clock as _, SystemClock,
    ids::{MemberId, StaffId},
};
use proto::access::Role;
use rpc::{
    StaticKeys,
    client::ServiceAuth,
    service_token::ServiceTokens,
    token::{AUDIENCE, Claims, Issuer, Signer},
};

/// Longer than any run, in seconds.
const LIFETIME: i64 = 3_600;

/// Signs as membership and as the services do.
#[derive(Debug, Clone)]
pub struct Keys {
    membership: Signer,
    services: Signer,
}

impl Keys {
    /// New ones.
    pub fn make() -> Result<Self> {
        Ok(Self {
            membership: Signer::try_from_seed(&rand::random())?,
            services: Signer::try_from_seed(&rand::random())?,
        })
    }

    /// What servers trust.
    pub fn trusted(&self) -> Arc<StaticKeys> {
        let keys = StaticKeys::new().with_membership_key(self.membership.kid(), self.membership.public_key());
        Arc::new(keys.with_service_key(self.services.public_key()))
    }

    /// The `authorization` of a customer.
    pub fn member(&self, id: MemberId) -> Result<String> {
        self.sign(id.name(), Vec::new())
    }

    /// The same of several, in their order.
    pub fn members(&self, ids: &[MemberId]) -> Result<Vec<String>> {
        ids.iter().map(|id| self.member(*id)).collect()
    }

    /// The `authorization` of an administrator.
    pub fn administrator(&self) -> Result<String> {
        self.sign(StaffId::new(SystemClock.now()).name(), vec![Role::Administrator.as_str().to_owned()])
    }

    /// How a service shows who it is.
    pub fn service(&self, name: &str) -> ServiceAuth {
        ServiceAuth::new(ServiceTokens::new(name, self.services.clone(), Arc::new(SystemClock)))
    }

    fn sign(&self, subject: String, roles: Vec<String>) -> Result<String> {
        let now = SystemClock.now().as_second();
        let token = self.membership.sign(&Claims {
            iss: Issuer::Membership.as_str().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject,
            iat: now,
            exp: now + LIFETIME,
            roles,
            store: None,
            sid: None,
        })?;
        Ok(format!("Bearer {token}"))
    }
}
