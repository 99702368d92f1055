//! Access tokens: JWTs (RFC 7519) signed with Ed25519 (`alg: EdDSA`, RFC 8037). Any other algorithm is refused.

mod signer;
mod verifier;

pub use signer::{PublicKey, Signer};
pub use verifier::Verifier;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The audience of every token of ours.
pub const AUDIENCE: &str = "meridian";

/// How far two machines' clocks may differ.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(5);

/// Who signs a kind of token. A key speaks for one issuer only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// The membership service: members and staff.
    Membership,
    /// The services themselves, with the deployment's service key.
    Services,
}

impl Issuer {
    /// The `iss` claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Membership => "meridian",
            Self::Services => "meridian-services",
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: see [`Issuer`].
    pub iss: String,
    /// For whom: [`AUDIENCE`].
    pub aud: String,
    /// About whom: `members/<uuid>`, `staff/<uuid>` or `services/<name>`.
    pub sub: String,
    /// When it was signed, in Unix seconds.
    pub iat: i64,
    /// When it ends, in Unix seconds.
    pub exp: i64,
    /// The roles of staff, such as `FRONT_DESK`. Those that this build doesn't know are passed over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The store that staff are bound to: `stores/<uuid>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The signed-in session: `sessions/<uuid>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
