//! The provider's keys.
//!
//! Newer merchants get one public key that never changes. Older ones get certificates that are replaced every few years:
//! they are downloaded, sealed with the shared key, and several may hold at once. Either is chosen by the serial in the
//! header; a merchant that moves from one to the other knows both for a while.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::Method;
use kernel::{Error, Result, Timestamp};
use serde::Deserialize;

use super::{
    Wechat,
    call::signed,
    verify::{Doubt, Signed, TOLERANCE, check},
};
use crate::peers::{
    crypto::{Certificate, PublicKey},
    http::unknown,
};

/// How long an unknown serial is not looked for again: forged ones must not make us hammer the provider.
const REFETCH_PAUSE: Duration = Duration::from_secs(60);

/// After how long the certificates are fetched anew without any need.
const MAX_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// What the id of a public key begins with.
const PUBLIC_KEY_PREFIX: &str = "PUB_KEY_ID_";

/// How the provider's signatures are checked.
#[derive(Debug, Clone)]
pub enum PlatformKeys {
    /// By the provider's public key (微信支付公钥).
    PublicKey {
        /// Its id, such as `PUB_KEY_ID_0114232134912410000000000000`.
        id: String,
        /// The key, in PEM.
        pem: String,
    },
    /// By the provider's certificates (平台证书), which are downloaded.
    Certificates,
}

/// The provider's keys as far as they are known.
#[derive(Debug)]
pub(super) struct Platform {
    fixed: Option<(String, PublicKey)>,
    fetched: RwLock<Fetched>,
    /// Whoever holds it fetches; others wait for what that brings.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Fetched {
    by_serial: HashMap<String, Certificate>,
    tried: Option<Timestamp>,
    done: Option<Timestamp>,
}

impl Platform {
    pub(super) fn try_new(keys: PlatformKeys) -> Result<Self> {
        let fixed = match keys {
            PlatformKeys::Certificates => None,
            PlatformKeys::PublicKey { id, pem } => {
                if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    return Err(Error::invalid("wechat.public_key_id", "must be of letters, digits and underscores"));
                }
                Some((id, PublicKey::parse("wechat.public_key", &pem)?))
            }
        };
        Ok(Self { fixed, fetched: RwLock::default(), fetching: tokio::sync::Mutex::default() })
    }

    /// The id by which the provider learns that its answers shall be signed with the public key.
    pub(super) fn announced(&self) -> Option<&str> {
        self.fixed.as_ref().map(|(id, _)| id.as_str())
    }

    /// The key with which the provider wants things encrypted now, with its serial.
    fn newest(&self, now: Timestamp) -> Option<(String, PublicKey)> {
        if self.fixed.is_some() {
            return self.fixed.clone();
        }
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let holding = fetched.by_serial.iter().filter(|(_, of)| of.holds_at(now.as_second()));
        let newest = holding.max_by_key(|(_, of)| of.not_before);
        newest.map(|(serial, of)| (serial.clone(), of.public_key.clone()))
    }

    fn known(&self, serial: &str, now: Timestamp) -> Option<PublicKey> {
        if let Some((id, key)) = &self.fixed
            && id == serial
        {
            return Some(key.clone());
        }
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let certificate = fetched.by_serial.get(serial).filter(|of| of.holds_at(now.as_second()));
        certificate.map(|of| of.public_key.clone())
    }

    /// Whether it is worth to fetch the certificates at `now` for a message with that serial.
    fn is_due(&self, serial: &str, now: Timestamp) -> bool {
        // A public key is in no certificate.
        if serial.starts_with(PUBLIC_KEY_PREFIX) {
            return false;
        }
        let missing = self.known(serial, now).is_none();
        let older = |at: Option<Timestamp>, age: Duration| at.is_none_or(|at| at + age <= now);
        let fetched = self.fetched.read().unwrap_or_else(PoisonError::into_inner);
        let aged = self.fixed.is_none() && older(fetched.done, MAX_AGE);
        older(fetched.tried, REFETCH_PAUSE) && (missing || aged)
    }

    fn note(&self, now: Timestamp, certificates: Option<HashMap<String, Certificate>>) {
        let mut fetched = self.fetched.write().unwrap_or_else(PoisonError::into_inner);
        fetched.tried = Some(now);
        if let Some(by_serial) = certificates {
            fetched.by_serial = by_serial;
            fetched.done = Some(now);
        }
    }
}

#[derive(Deserialize)]
struct Listed {
    data: Vec<ListedCertificate>,
}

#[derive(Deserialize)]
struct ListedCertificate {
    serial_no: String,
    encrypt_certificate: Sealed,
}

/// What the provider seals.
#[derive(Deserialize)]
pub(super) struct Sealed {
    algorithm: String,
    nonce: String,
    #[serde(default)]
    associated_data: String,
    ciphertext: String,
}

/// The one algorithm that is known here.
const ALGORITHM: &str = "AEAD_AES_256_GCM";

impl Wechat {
    /// Opens what the provider has sealed; `None` if it is not sealed with our key, or changed.
    pub(super) fn open(&self, sealed: &Sealed) -> Option<Vec<u8>> {
        let ciphertext = BASE64_STANDARD.decode(&sealed.ciphertext).ok()?;
        (sealed.algorithm == ALGORITHM).then_some(())?;
        self.api_v3_key.open(sealed.nonce.as_bytes(), sealed.associated_data.as_bytes(), &ciphertext)
    }

    /// Checks a message of the provider.
    ///
    /// # Errors
    /// `Unavailable` if the certificates are needed and can't be fetched. The inner one says why it is not believed.
    pub(super) async fn believe(&self, message: Signed<'_>, tolerance: i64) -> Result<Result<(), Doubt>> {
        if let Err(doubt) = message.precheck() {
            return Ok(Err(doubt));
        }
        let Some(key) = self.platform_key(message.serial).await? else { return Ok(Err(Doubt::Forged)) };
        Ok(check(&key, message, self.clock.now().as_second(), tolerance))
    }

    /// The provider's key of that serial, fetched if need be.
    pub(super) async fn platform_key(&self, serial: &str) -> Result<Option<PublicKey>> {
        let known = self.platform.known(serial, self.clock.now());
        if !self.platform.is_due(serial, self.clock.now()) {
            return Ok(known);
        }
        let _turn = self.platform.fetching.lock().await;
        // Whoever was before has perhaps fetched it.
        if self.platform.is_due(serial, self.clock.now()) {
            let fetched = self.fetch_certificates().await;
            let failed = fetched.as_ref().err().map(Error::chain);
            self.platform.note(self.clock.now(), fetched.ok());
            match failed {
                // A merchant with a public key may have none.
                Some(why) if known.is_none() && self.platform.fixed.is_none() => {
                    return Err(unknown(format!("no certificates could be fetched: {why}")));
                }
                Some(why) => tracing::warn!(error = why, "wechat: certificates not fetched; the known keys are used"),
                None => {}
            }
        }
        Ok(self.platform.known(serial, self.clock.now()))
    }

    /// The key with which something is encrypted for the provider, with its serial, fetched if need be.
    pub(super) async fn encryption_key(&self) -> Result<(String, PublicKey)> {
        if self.platform.newest(self.clock.now()).is_none() {
            // No certificate has no serial number.
            self.platform_key("").await?;
        }
        self.platform.newest(self.clock.now()).ok_or_else(|| unknown("it has no certificate that holds now"))
    }

    /// Downloads the provider's certificates. The answer is signed with one of them, or with the public key that is known
    /// here: that they are the provider's is certain because nobody else can seal with our key.
    async fn fetch_certificates(&self) -> Result<HashMap<String, Certificate>> {
        let answer = self.exchange(Method::GET, "/v3/certificates", Vec::new(), None).await?;
        if !answer.status.is_success() {
            return Err(unknown(format!("it lists its certificates with status {}", answer.status)));
        }
        let unreadable = || unknown("its list of certificates can't be read");
        let listed: Listed = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let mut certificates = HashMap::new();
        for one in listed.data {
            let pem = self.open(&one.encrypt_certificate).and_then(|pem| String::from_utf8(pem).ok());
            let certificate = Certificate::parse("certificate", &pem.ok_or_else(unreadable)?)?;
            if certificate.serial_hex() != one.serial_no.to_ascii_uppercase() {
                return Err(unknown("a certificate has another serial number than its list says"));
            }
            certificates.insert(one.serial_no, certificate);
        }
        let message = signed(&answer);
        let fixed = self.platform.fixed.as_ref().filter(|(id, _)| id == message.serial).map(|(_, key)| key);
        let signer = fixed.or_else(|| certificates.get(message.serial).map(|of| &of.public_key));
        let signer = signer.ok_or_else(|| unknown("its list of certificates is signed by none"))?;
        check(signer, message, self.clock.now().as_second(), TOLERANCE)
            .map_err(|doubt| unknown(format!("its list of certificates is not believed: {doubt:?}")))?;
        Ok(certificates)
    }
}
