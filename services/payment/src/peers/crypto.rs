//! The cryptography that payment providers ask for: RSA signatures with SHA-256, AES-256-GCM, RSA-OAEP and SHA-1.
//!
//! The mathematics is that of `ring` (and of `rsa` for OAEP, with a public key only). This file reads keys in the forms in
//! which providers hand them out, and never lets one into a log.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use kernel::{Error, Result};
use ring::{
    aead::{self, Aad, LessSafeKey, Nonce, UnboundKey},
    digest,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};
use x509_cert::{
    Certificate as X509,
    der::{Decode, Encode},
    spki::SubjectPublicKeyInfoRef,
};

/// The length of the nonce of AES-256-GCM, in bytes.
pub const GCM_NONCE: usize = aead::NONCE_LEN;

/// An RSA key that signs. It prints as nothing.
pub struct PrivateKey(KeyPair);

impl PrivateKey {
    /// Reads PEM (`PRIVATE KEY` or `RSA PRIVATE KEY`), or the bare base64 of the same that Alipay's tools write.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`; the text of the key is in no error.
    pub fn parse(field: &str, text: &SecretString) -> Result<Self> {
        let text = text.expose_secret().trim();
        let pair = if text.starts_with("-----BEGIN") {
            match PrivateKeyDer::from_pem_slice(text.as_bytes()) {
                Ok(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
                Ok(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()).ok(),
                _ => None,
            }
        } else {
            let der = BASE64_STANDARD.decode(unwrapped(text)).ok();
            der.and_then(|der| KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).ok())
        };
        pair.map(Self).ok_or_else(|| {
            Error::invalid(field, "must be an RSA private key of at least 2048 bits, PKCS #8 or PKCS #1")
        })
    }

    /// The signature (RSASSA-PKCS1-v1_5, SHA-256) of a message, in base64.
    ///
    /// # Errors
    /// `Internal` if the machine gives no random numbers, which blind the computation.
    pub fn sign(&self, message: &[u8]) -> Result<String> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Error::internal("a message could not be signed"))?;
        Ok(BASE64_STANDARD.encode(signature))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey([REDACTED])")
    }
}

/// An RSA key that checks signatures and encrypts.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// `RSAPublicKey` of PKCS #1, in DER.
    pkcs1: Vec<u8>,
}

impl PublicKey {
    /// Reads PEM (`PUBLIC KEY` or `CERTIFICATE`), or the bare base64 of a `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with("-----BEGIN CERTIFICATE") {
            return Ok(Certificate::parse(field, text)?.public_key);
        }
        let der = if text.starts_with("-----BEGIN") {
            SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()).ok().map(|der| der.as_ref().to_vec())
        } else {
            BASE64_STANDARD.decode(unwrapped(text)).ok()
        };
        der.and_then(|der| Self::from_spki(&der))
            .ok_or_else(|| Error::invalid(field, "must be an RSA public key or a certificate of one"))
    }

    fn from_spki(der: &[u8]) -> Option<Self> {
        let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
        let is_rsa = info.algorithm.oid.to_string() == "1.2.840.113549.1.1.1";
        let pkcs1 = info.subject_public_key.as_bytes()?.to_vec();
        is_rsa.then_some(Self { pkcs1 })
    }

    /// Whether `signature`, in base64, is that of the message.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        BASE64_STANDARD.decode(signature).is_ok_and(|signature| {
            UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.pkcs1).verify(message, &signature).is_ok()
        })
    }

    /// Encrypts a short text for the owner of the key (RSAES-OAEP with SHA-1 and MGF1), in base64.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field` if the text is longer than the key can take.
    pub fn encrypt(&self, field: &str, text: &str) -> Result<String> {
        let key = <rsa::RsaPublicKey as rsa::pkcs1::DecodeRsaPublicKey>::from_pkcs1_der(&self.pkcs1);
        let sealed = key
            .map_err(Error::internal)?
            .encrypt(&mut rsa::rand_core::OsRng, rsa::Oaep::new::<sha1::Sha1>(), text.as_bytes())
            .map_err(|error| Error::invalid(field, "is too long to be encrypted").caused_by(error))?;
        Ok(BASE64_STANDARD.encode(sealed))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(sha1 {})", sha1_hex(&self.pkcs1))
    }
}

/// What payment needs of an X.509 certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// Its key.
    pub public_key: PublicKey,
    /// Its serial number, big-endian, without leading zeros.
    pub serial: Vec<u8>,
    /// Who issued it: attribute type (such as `CN`) and value, in the order of the certificate.
    pub issuer: Vec<(String, String)>,
    /// The object identifier of the algorithm it is signed with, such as `1.2.840.113549.1.1.11`.
    pub signature_algorithm: String,
    /// From which second since 1970 it holds.
    pub not_before: i64,
    /// Up to which second since 1970 it holds.
    pub not_after: i64,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`.
    pub fn parse(field: &str, pem: &str) -> Result<Self> {
        Self::parse_all(field, pem)?
            .into_iter()
            .next()
            .ok_or_else(|| Error::invalid(field, "must be a PEM certificate with an RSA key"))
    }

    /// Reads all certificates of a PEM text that have an RSA key; others (Alipay's root file has some) are left out.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field` if the text is not PEM or a certificate is broken.
    pub fn parse_all(field: &str, pem: &str) -> Result<Vec<Self>> {
        let broken = || Error::invalid(field, "must be certificates in PEM");
        let mut certificates = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let der = der.map_err(|error| broken().caused_by(error))?;
            let certificate = X509::from_der(&der).map_err(|error| broken().caused_by(error))?;
            certificates.extend(Self::read(&certificate).ok_or_else(broken)?);
        }
        Ok(certificates)
    }

    /// `Some(None)` for a certificate whose key is not RSA.
    fn read(certificate: &X509) -> Option<Option<Self>> {
        let tbs = certificate.tbs_certificate();
        let Some(public_key) = PublicKey::from_spki(&tbs.subject_public_key_info().to_der().ok()?) else {
            return Some(None);
        };
        let mut issuer = Vec::new();
        for attribute in tbs.issuer().iter() {
            // `CN=name`, as RFC 4514 writes it.
            let text = attribute.to_string();
            let (kind, _) = text.split_once('=')?;
            issuer.push((kind.to_owned(), text_of(attribute.value.value())?));
        }
        let seconds = |time: &x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).ok();
        let serial = tbs.serial_number().as_bytes();
        Some(Some(Self {
            public_key,
            serial: serial.iter().copied().skip_while(|byte| *byte == 0).collect(),
            issuer,
            signature_algorithm: certificate.signature_algorithm().oid.to_string(),
            not_before: seconds(&tbs.validity().not_before)?,
            not_after: seconds(&tbs.validity().not_after)?,
        }))
    }

    /// The serial number in upper-case hex, as WeChat Pay writes it.
    pub fn serial_hex(&self) -> String {
        self.serial.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Whether it holds at a second since 1970.
    pub fn holds_at(&self, second: i64) -> bool {
        (self.not_before..=self.not_after).contains(&second)
    }
}

/// The issuer's texts are ASCII or UTF-8.
fn text_of(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

/// A key of AES-256-GCM. It prints as nothing.
pub struct AeadKey(LessSafeKey);

impl AeadKey {
    /// Takes the key as it is: 32 bytes.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field` if it is of another length.
    pub fn parse(field: &str, key: &SecretString) -> Result<Self> {
        let key = UnboundKey::new(&aead::AES_256_GCM, key.expose_secret().as_bytes());
        key.map(|key| Self(LessSafeKey::new(key))).map_err(|_| Error::invalid(field, "must be of 32 bytes"))
    }

    /// Decrypts what was sealed with nonce and associated data; `None` if anything of it was changed.
    pub fn open(&self, nonce: &[u8], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = sealed.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(associated), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// Seals a text; its tag follows it. A nonce must never be used for two texts.
    ///
    /// # Errors
    /// `Internal` if the text is longer than the algorithm can take.
    pub fn seal(&self, nonce: [u8; GCM_NONCE], associated: &[u8], text: &[u8]) -> Result<Vec<u8>> {
        let mut sealed = text.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated), &mut sealed)
            .map_err(|_| Error::internal("a text could not be sealed"))?;
        Ok(sealed)
    }
}

impl fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AeadKey([REDACTED])")
    }
}

/// SHA-1 of what comes in pieces. Providers use it to tell a whole bill from a cut one; it protects nothing.
#[derive(Clone)]
pub struct Sha1(digest::Context);

impl Sha1 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY))
    }

    /// Takes in a further piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest in lower-case hex.
    pub fn hex(self) -> String {
        self.0.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Default for Sha1 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha1")
    }
}

fn sha1_hex(bytes: &[u8]) -> String {
    let mut sha1 = Sha1::new();
    sha1.update(bytes);
    sha1.hex()
}

/// Base64 without its line breaks.
fn unwrapped(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}
