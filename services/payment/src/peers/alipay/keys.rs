//! How the provider's signatures are checked, and how certificates are named.
//!
//! The name (`SN`) of a certificate is the MD5 of its issuer, last part first, and its serial number in decimal. That of
//! the roots is those of the RSA certificates among them, joined by underscores.

use kernel::{Error, Result};
use md5::{Digest, Md5};

use crate::peers::crypto::{Certificate, PublicKey};

/// How the provider's signatures are checked.
#[derive(Debug, Clone)]
pub enum AlipayKeys {
    /// By the provider's public key (公钥模式), in PEM or bare base64.
    PublicKey {
        /// The key.
        key: String,
    },
    /// By certificates (公钥证书模式), all in PEM.
    Certificates {
        /// The application's own.
        app: String,
        /// The provider's.
        provider: String,
        /// Those of the provider's roots.
        roots: String,
    },
}

/// The keys, read.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) provider: PublicKey,
    pub(super) names: Option<Names>,
}

/// The names of the certificates.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) app: String,
    pub(super) provider: String,
    pub(super) roots: String,
}

impl Keys {
    pub(super) fn try_new(keys: AlipayKeys) -> Result<Self> {
        match keys {
            AlipayKeys::PublicKey { key } => {
                Ok(Self { provider: PublicKey::parse("alipay.public_key", &key)?, names: None })
            }
            AlipayKeys::Certificates { app, provider, roots } => {
                let names = Names {
                    app: certificate_name("alipay.app_certificate", &app)?,
                    provider: certificate_name("alipay.certificate", &provider)?,
                    roots: roots_name("alipay.root_certificates", &roots)?,
                };
                Ok(Self { provider: PublicKey::parse("alipay.certificate", &provider)?, names: Some(names) })
            }
        }
    }
}

/// The name of a certificate in PEM.
///
/// # Errors
/// `InvalidArgument` naming `field`.
pub fn certificate_name(field: &str, pem: &str) -> Result<String> {
    Ok(name(&Certificate::parse(field, pem)?))
}

/// The name of the provider's roots, in PEM.
///
/// # Errors
/// `InvalidArgument` naming `field`.
pub fn roots_name(field: &str, pem: &str) -> Result<String> {
    let certificates = Certificate::parse_all(field, pem)?;
    // The signatures of PKCS #1.
    let rsa = certificates.iter().filter(|of| of.signature_algorithm.starts_with("1.2.840.113549.1.1."));
    let names: Vec<String> = rsa.map(name).collect();
    if names.is_empty() {
        return Err(Error::invalid(field, "must have a certificate that RSA has signed"));
    }
    Ok(names.join("_"))
}

fn name(certificate: &Certificate) -> String {
    let issuer: Vec<String> = certificate.issuer.iter().rev().map(|(kind, value)| format!("{kind}={value}")).collect();
    let mut digest = Md5::new();
    digest.update(issuer.join(","));
    digest.update(decimal(&certificate.serial));
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A big-endian number in decimal.
fn decimal(bytes: &[u8]) -> String {
    // Digits, the last first.
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = u8::try_from(carry % 10).unwrap_or_default();
            carry /= 10;
        }
        while carry > 0 {
            digits.push(u8::try_from(carry % 10).unwrap_or_default());
            carry /= 10;
        }
    }
    digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_length_are_written_in_decimal() {
        for number in [0_u128, 9, 10, 255, 256, 65_535, u128::from(u64::MAX), u128::MAX] {
            assert_eq!(decimal(&number.to_be_bytes()), number.to_string());
        }
        assert_eq!(decimal(&[]), "0");
    }
}
