//! Randomness of the operating system, and digests under the master key.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kernel::{Error, Result};
use pg::vault::Vault;
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use crate::domain::{
    code::{self, Code},
    phone::Phone,
};

/// 256 random bits.
pub fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// A new refresh token, and the digest by which it is found again. A plain digest will do: nobody guesses 256 bits.
pub fn refresh_token() -> Result<(String, [u8; 32])> {
    let token = URL_SAFE_NO_PAD.encode(random()?);
    let digest = token_digest(&token);
    Ok((token, digest))
}

/// The digest of a refresh token.
pub fn token_digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// By what a phone is found.
pub fn phone_index(vault: &Vault, phone: &Phone) -> [u8; 32] {
    vault.blind_index("phone", phone.as_str())
}

/// By what failed sign-ins with a name are found.
pub fn user_name_index(vault: &Vault, user_name: &str) -> [u8; 32] {
    vault.blind_index("user name", user_name)
}

/// What tells a repeated request from another with the same id.
pub fn fingerprint(vault: &Vault, method: &str, message: &[u8]) -> [u8; 32] {
    vault.blind_index("request", &format!("{method} {}", URL_SAFE_NO_PAD.encode(message)))
}

/// The digits of a one-time code.
pub fn code_digits(vault: &Vault, code: &Code) -> String {
    let text = format!("{} {}", code.id, URL_SAFE_NO_PAD.encode(code.salt));
    code::digits(vault.blind_index("one-time code", &text))
}
