//! Tokens: good ones, and bad ones of every kind.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{
    Timestamp,
    ids::{MemberId, StaffId, StoreId},
};
use proto::access::Role;
use rpc::{
    StaticKeys,
    token::{AUDIENCE, Claims, Issuer, Signer},
};
use tonic::Request;

use crate::START;

/// How long the good tokens are good, in seconds.
const LIFETIME: i64 = 15 * 60;
/// How long a test waits for an answer: longer than callers who state nothing do, as many tests share two cores.
const PATIENCE: Duration = Duration::from_secs(60);
const MEMBERSHIP_SEED: [u8; 32] = [1; 32];
const SERVICE_SEED: [u8; 32] = [2; 32];
const STRANGER_SEED: [u8; 32] = [3; 32];

/// Signs tokens as the membership service and as the services do.
#[derive(Debug, Clone)]
pub struct TestKeys {
    membership: Signer,
    service: Signer,
    stranger: Signer,
    now: Timestamp,
}

/// Keys whose tokens are signed at [`START`] and good for 15 minutes.
pub fn keys() -> TestKeys {
    let signer = |seed| Signer::try_from_seed(seed).expect("32 bytes are a key");
    TestKeys {
        membership: signer(&MEMBERSHIP_SEED),
        service: signer(&SERVICE_SEED),
        stranger: signer(&STRANGER_SEED),
        now: START,
    }
}

impl TestKeys {
    /// The same keys, signing at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    /// What a server trusts: for `rpc::ServerLayerConfig`.
    pub fn trusted(&self) -> Arc<StaticKeys> {
        let keys = StaticKeys::new().with_membership_key(self.membership.kid(), self.membership.public_key());
        Arc::new(keys.with_service_key(self.service.public_key()))
    }

    /// The key that services sign with: for `rpc::service_token::ServiceTokens`.
    pub fn service_signer(&self) -> Signer {
        self.service.clone()
    }

    /// The key that the membership service signs with.
    pub fn membership_signer(&self) -> Signer {
        self.membership.clone()
    }

    /// The token of a customer.
    pub fn member_token(&self, id: MemberId) -> String {
        sign(&self.membership, &self.claims(id.name()))
    }

    /// The token of somebody who works for the chain, bound to `store` if there is one.
    pub fn staff_token(&self, id: StaffId, roles: impl IntoIterator<Item = Role>, store: Option<StoreId>) -> String {
        let roles = roles.into_iter().map(|role| role.as_str().to_owned()).collect();
        sign(&self.membership, &Claims { roles, store: store.map(StoreId::name), ..self.claims(id.name()) })
    }

    /// The token of a service, such as `booking`.
    pub fn service_token(&self, name: &str) -> String {
        let claims = self.claims(format!("services/{name}"));
        sign(&self.service, &Claims { iss: Issuer::Services.as_str().to_owned(), ..claims })
    }

    /// A customer's token that ended an hour ago. Refused as `TOKEN_EXPIRED`.
    pub fn expired_token(&self, id: MemberId) -> String {
        let now = self.now.as_second();
        sign(&self.membership, &Claims { iat: now - 2 * 3_600, exp: now - 3_600, ..self.claims(id.name()) })
    }

    /// A customer's token for another system. Refused as `TOKEN_WRONG_AUDIENCE`.
    pub fn wrong_audience_token(&self, id: MemberId) -> String {
        sign(&self.membership, &Claims { aud: "elsewhere".to_owned(), ..self.claims(id.name()) })
    }

    /// A customer's token of another issuer. Refused as `TOKEN_INVALID`.
    pub fn wrong_issuer_token(&self, id: MemberId) -> String {
        sign(&self.membership, &Claims { iss: "elsewhere".to_owned(), ..self.claims(id.name()) })
    }

    /// A customer's token that names the right key and is signed with another. Refused as `TOKEN_INVALID`.
    pub fn forged_token(&self, id: MemberId) -> String {
        let stranger = self.stranger.clone().with_kid(self.membership.kid());
        sign(&stranger, &self.claims(id.name()))
    }

    /// A token of a service that is signed with the key of the membership service. Refused as `TOKEN_INVALID`.
    pub fn forged_service_token(&self, name: &str) -> String {
        let claims = self.claims(format!("services/{name}"));
        sign(&self.membership, &Claims { iss: Issuer::Services.as_str().to_owned(), ..claims })
    }

    /// A customer's token with `alg: none` and no signature (RFC 8725, section 2.1). Refused as `TOKEN_INVALID`.
    pub fn unsigned_token(&self, id: MemberId) -> String {
        let encode = |part: serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let header = serde_json::json!({ "alg": "none", "typ": "JWT", "kid": self.membership.kid() });
        let claims = serde_json::to_value(self.claims(id.name())).expect("claims are JSON");
        format!("{}.{}.", encode(header), encode(claims))
    }

    fn claims(&self, subject: String) -> Claims {
        Claims {
            iss: Issuer::Membership.as_str().to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: subject,
            iat: self.now.as_second(),
            exp: self.now.as_second() + LIFETIME,
            roles: Vec::new(),
            store: None,
            sid: None,
        }
    }
}

/// A request that shows `token`, and allows a minute.
pub fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    let value = format!("Bearer {token}").parse().expect("tokens are ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}

fn sign(signer: &Signer, claims: &Claims) -> String {
    signer.sign(claims).expect("claims can be signed")
}
