//! The sandbox provider's signatures, in both directions.
//!
//! `hex(HMAC-SHA256(secret, "{timestamp}\n{nonce}\n{body}\n"))`, in the manner of the signed messages of WeChat Pay's
//! API v3. The timestamp is in whole seconds since 1970.

use hmac::{Hmac, KeyInit, Mac};
use kernel::{Error, Result};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header (or metadata key) of the signature.
pub const SIGNATURE: &str = "x-sandbox-signature";
/// The header of the timestamp.
pub const TIMESTAMP: &str = "x-sandbox-timestamp";
/// The header of the nonce.
pub const NONCE: &str = "x-sandbox-nonce";

/// A secret shared with the provider.
#[derive(Debug, Clone)]
pub struct Signer(SecretString);

/// A message with its headers, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// In lowercase hex.
    pub signature: &'a str,
    /// In seconds since 1970.
    pub timestamp: &'a str,
    /// A word that makes the message unlike any other.
    pub nonce: &'a str,
    /// The message.
    pub body: &'a [u8],
}

impl Signer {
    /// Signs and checks with `secret`.
    pub fn new(secret: SecretString) -> Self {
        Self(secret)
    }

    /// The signature of a message.
    pub fn sign(&self, timestamp: i64, nonce: &str, body: &[u8]) -> Result<String> {
        let code = self.code(&timestamp.to_string(), nonce, body)?.finalize().into_bytes();
        Ok(code.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether the message is signed with the secret and its timestamp is at most `tolerance` seconds from `now`.
    ///
    /// # Errors
    /// `Unauthenticated` with reason `BAD_SIGNATURE`, or `STALE_NOTICE` if only the age is wrong.
    pub fn check(&self, message: Signed<'_>, now: i64, tolerance: i64) -> Result<()> {
        let bad = || Error::unauthenticated("BAD_SIGNATURE", "the signature does not fit the message");
        let signature = unhex(message.signature).ok_or_else(bad)?;
        // In constant time, whatever the difference.
        self.code(message.timestamp, message.nonce, message.body)?.verify_slice(&signature).map_err(|_| bad())?;
        let timestamp: i64 = message.timestamp.parse().map_err(|_| bad())?;
        if now.abs_diff(timestamp) > tolerance.unsigned_abs() {
            return Err(Error::unauthenticated(
                "STALE_NOTICE",
                format!("the timestamp is more than {tolerance} s off"),
            ));
        }
        Ok(())
    }

    fn code(&self, timestamp: &str, nonce: &str, body: &[u8]) -> Result<Hmac<Sha256>> {
        let mut code = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).map_err(Error::internal)?;
        for part in [timestamp.as_bytes(), nonce.as_bytes(), body] {
            code.update(part);
            code.update(b"\n");
        }
        Ok(code)
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn signer() -> Signer {
        Signer::new("secret".into())
    }

    fn reason(signature: &str, timestamp: &str, body: &[u8]) -> Result<(), &'static str> {
        signer().check(Signed { signature, timestamp, nonce: "n", body }, NOW, 300).map_err(|e| e.reason())
    }

    #[test]
    fn only_the_very_message_passes() {
        let signature = signer().sign(NOW, "n", b"{}").expect("signed");
        let now = NOW.to_string();
        assert_eq!(reason(&signature, &now, b"{}"), Ok(()));
        assert_eq!(reason(&signature, &now, b"{ }"), Err("BAD_SIGNATURE"));
        assert_eq!(reason(&signature, &(NOW + 1).to_string(), b"{}"), Err("BAD_SIGNATURE"));
        for forged in ["", "00", "zz", "é0", &signature[2..], &signature[1..]] {
            assert_eq!(reason(forged, &now, b"{}"), Err("BAD_SIGNATURE"), "{forged}");
        }
    }

    #[test]
    fn an_old_or_future_message_is_stale() {
        for (at, expected) in [(NOW - 300, Ok(())), (NOW - 301, Err("STALE_NOTICE")), (NOW + 301, Err("STALE_NOTICE"))]
        {
            let signature = signer().sign(at, "n", b"{}").expect("signed");
            assert_eq!(reason(&signature, &at.to_string(), b"{}"), expected);
        }
    }

    #[test]
    fn the_signature_is_that_of_the_scheme() {
        // printf '1800000000\nn\n{}\n' | openssl dgst -sha256 -hmac secret
        let signature = signer().sign(NOW, "n", b"{}").expect("signed");
        assert_eq!(signature, "9f4b36e2605f3c75f810f6fc5c056c533cd5f3bb5944ea11f513c564e2049eb1");
    }
}
