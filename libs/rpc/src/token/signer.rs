//! Ed25519 keys: signing tokens, and the public half in its forms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header,
    jwk::{AlgorithmParameters, Jwk},
};
use kernel::{Error, Result};
use sha2::{Digest, Sha256};

use super::Claims;

/// PKCS#8 version 1 of an Ed25519 private key up to its 32 bytes (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The public half of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// The 32 bytes of RFC 8032.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads the base64url form, as the `x` of a JWK and in the configuration.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(|| Error::invalid("public_key", "must be the base64url of 32 bytes"))
    }

    /// The base64url form.
    pub fn to_base64url(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The id by which tokens name this key unless told otherwise: the start of its SHA-256.
    pub fn kid(self) -> String {
        URL_SAFE_NO_PAD.encode(&Sha256::digest(self.0)[..12])
    }

    /// The JWK (RFC 8037) under `kid`.
    pub fn jwk(self, kid: &str) -> serde_json::Value {
        serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": kid, "x": self.to_base64url(),
        })
    }

    pub(super) fn decoding_key(self) -> DecodingKey {
        DecodingKey::from_ed_der(&self.0)
    }
}

/// Signs tokens.
#[derive(Clone)]
pub struct Signer {
    header: Header,
    key: EncodingKey,
    public: PublicKey,
}

impl Signer {
    /// The key of a 32-byte seed (RFC 8032, "private key").
    pub fn try_from_seed(seed: &[u8; 32]) -> Result<Self> {
        let mut der = PKCS8_PREFIX.to_vec();
        der.extend_from_slice(seed);
        let key = EncodingKey::from_ed_der(&der);
        let public = public_half(&key)?;
        Ok(Self { header: Header::new(Algorithm::EdDSA), key, public }.with_kid(public.kid()))
    }

    /// The key of a PKCS#8 version 1 document in DER, as `openssl genpkey -algorithm ed25519 -outform DER` writes it.
    pub fn try_from_pkcs8(der: &[u8]) -> Result<Self> {
        let seed = der.strip_prefix(&PKCS8_PREFIX).and_then(|seed| <&[u8; 32]>::try_from(seed).ok());
        seed.ok_or_else(|| Error::invalid("private_key", "must be an Ed25519 key in PKCS#8 version 1, DER"))
            .and_then(Self::try_from_seed)
    }

    /// Names the key in tokens by another id.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.header.kid = Some(kid.into());
        self
    }

    /// The id by which tokens name the key.
    pub fn kid(&self) -> &str {
        self.header.kid.as_deref().unwrap_or_default()
    }

    /// The public half.
    pub fn public_key(&self) -> PublicKey {
        self.public
    }

    /// The token in its compact form.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        jsonwebtoken::encode(&self.header, claims, &self.key).map_err(Error::internal)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("kid", &self.kid()).finish_non_exhaustive()
    }
}

fn public_half(key: &EncodingKey) -> Result<PublicKey> {
    let jwk = Jwk::from_encoding_key(key, Algorithm::EdDSA).map_err(Error::internal)?;
    match jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) => PublicKey::parse(&pair.x),
        _ => Err(Error::internal("an Ed25519 key has no public half")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 1.
    #[test]
    fn the_public_half_is_that_of_the_standard() {
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        let signer = Signer::try_from_seed(&seed).expect("a valid key");
        assert_eq!(signer.public_key(), PublicKey::from_bytes(public));
        assert_eq!(PublicKey::parse(&signer.public_key().to_base64url()).ok(), Some(signer.public_key()));
    }

    #[test]
    fn pkcs8_and_seed_are_the_same_key() {
        let mut der = PKCS8_PREFIX.to_vec();
        der.extend_from_slice(&[7; 32]);
        let from_der = Signer::try_from_pkcs8(&der).expect("a valid document");
        let from_seed = Signer::try_from_seed(&[7; 32]).expect("a valid key");
        assert_eq!(from_der.kid(), from_seed.kid());
        assert!(Signer::try_from_pkcs8(&der[1..]).is_err());
    }

    #[test]
    fn a_short_public_key_is_an_error() {
        assert!(PublicKey::parse("AAAA").is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let signer = Signer::try_from_seed(&[7; 32]).expect("a valid key");
        assert_eq!(format!("{signer:?}"), format!("Signer {{ kid: \"{}\", .. }}", signer.kid()));
    }

    fn hex(text: &str) -> [u8; 32] {
        std::array::from_fn(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal"))
    }
}
