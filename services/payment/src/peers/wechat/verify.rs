//! The check of what the provider signs: `{timestamp}\n{nonce}\n{body}\n`.
//!
//! From time to time the provider sends a signature that begins with [`PROBE`] and fits nothing, to see that we look. It
//! must be refused like any forgery; it is told apart only so that nobody is alarmed.

use kernel::Error;

use crate::peers::crypto::PublicKey;

/// The header of the signature.
pub const SIGNATURE: &str = "wechatpay-signature";
/// The header of the timestamp.
pub const TIMESTAMP: &str = "wechatpay-timestamp";
/// The header of the nonce.
pub const NONCE: &str = "wechatpay-nonce";
/// The header that names the key.
pub const SERIAL: &str = "wechatpay-serial";
/// What the signature of a probe begins with.
pub const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// How far a timestamp may be off, in seconds, in answers.
pub const TOLERANCE: i64 = 300;

/// A message with its headers, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// In base64.
    pub signature: &'a str,
    /// In seconds since 1970.
    pub timestamp: &'a str,
    /// A word that makes the message unlike any other.
    pub nonce: &'a str,
    /// Which of the provider's keys has signed.
    pub serial: &'a str,
    /// The message.
    pub body: &'a [u8],
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It carries no signature.
    Unsigned,
    /// The provider wants to see whether we look.
    Probe,
    /// The signature does not fit, or its key isn't known.
    Forged,
    /// It is too old, or of the future.
    Stale,
}

impl Doubt {
    /// The error with which a notice is refused.
    pub fn refusal(self, tolerance: i64) -> Error {
        match self {
            Self::Probe => Error::unauthenticated("SIGNATURE_PROBE", "the signature is a probe and fits nothing"),
            Self::Stale => {
                Error::unauthenticated("STALE_NOTICE", format!("the timestamp is more than {tolerance} s off"))
            }
            Self::Unsigned | Self::Forged => {
                Error::unauthenticated("BAD_SIGNATURE", "the signature does not fit the message")
            }
        }
    }
}

impl Signed<'_> {
    /// What can be said before any key is looked for.
    ///
    /// # Errors
    /// Why the message is not believed.
    pub fn precheck(&self) -> Result<(), Doubt> {
        if self.signature.is_empty() || self.serial.is_empty() || self.nonce.is_empty() || self.timestamp.is_empty() {
            Err(Doubt::Unsigned)
        } else if self.signature.starts_with(PROBE) {
            Err(Doubt::Probe)
        } else {
            Ok(())
        }
    }
}

/// Whether the message is signed with `key` and at most `tolerance` seconds from `now`.
///
/// # Errors
/// Why it is not believed.
pub fn check(key: &PublicKey, message: Signed<'_>, now: i64, tolerance: i64) -> Result<(), Doubt> {
    message.precheck()?;
    let head = format!("{}\n{}\n", message.timestamp, message.nonce);
    if !key.verifies(&[head.as_bytes(), message.body, b"\n"].concat(), message.signature) {
        return Err(Doubt::Forged);
    }
    let timestamp: i64 = message.timestamp.parse().map_err(|_| Doubt::Forged)?;
    if now.abs_diff(timestamp) > tolerance.unsigned_abs() { Err(Doubt::Stale) } else { Ok(()) }
}
