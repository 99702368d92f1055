//! Who may call: the merchant whose signature fits, each request once.

use axum::http::{HeaderMap, Method};
use base64::{Engine, prelude::BASE64_STANDARD};
use kernel::ids::uuid_v7;
use serde_json::json;
use std::sync::PoisonError;

use super::{
    CERTIFICATE_SERIAL, MERCHANT_ID, MERCHANT_SERIAL, PLATFORM_CERTIFICATE, WechatSandbox,
    answer::{Answer, Refusal},
};
use crate::peers::{crypto::GCM_NONCE, wechat::Authorization};

/// How far a merchant's timestamp may be off, in seconds.
const TOLERANCE: u64 = 300;

impl WechatSandbox {
    /// Lets a merchant's call in.
    pub(super) fn admit(&self, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), Refusal> {
        let text = headers.get("authorization").and_then(|value| value.to_str().ok()).ok_or(Refusal::SIGN_ERROR)?;
        let fields = text.strip_prefix("WECHATPAY2-SHA256-RSA2048 ").ok_or(Refusal::SIGN_ERROR)?;
        let field = |name: &str| {
            let quoted = fields.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix("=\""));
            quoted.and_then(|value| value.strip_suffix('"')).ok_or(Refusal::SIGN_ERROR)
        };
        let timestamp: i64 = field("timestamp")?.parse().map_err(|_| Refusal::SIGN_ERROR)?;
        let nonce = field("nonce_str")?;
        let authorization = Authorization {
            merchant_id: MERCHANT_ID,
            certificate_serial: MERCHANT_SERIAL,
            method: method.as_str(),
            path,
            timestamp,
            nonce,
            body,
        };
        let fits = field("mchid")? == MERCHANT_ID
            && field("serial_no")? == MERCHANT_SERIAL
            && self.clock.now().as_second().abs_diff(timestamp) <= TOLERANCE
            && self.merchant_key.verifies(&authorization.message(), field("signature")?);
        let is_new = || self.nonces.lock().unwrap_or_else(PoisonError::into_inner).insert(nonce.to_owned());
        if fits && is_new() { Ok(()) } else { Err(Refusal::SIGN_ERROR) }
    }

    /// The sandbox's certificate, sealed.
    pub(super) fn certificates(&self) -> Result<Answer, Refusal> {
        let sealed = self.seal("certificate", PLATFORM_CERTIFICATE.as_bytes())?;
        let one = json!({
            "serial_no": CERTIFICATE_SERIAL,
            "effective_time": "2020-01-01T08:00:00+08:00",
            "expire_time": "2099-12-31T08:00:00+08:00",
            "encrypt_certificate": sealed,
        });
        Ok(Answer::Json(json!({ "data": [one] })))
    }

    /// A text sealed for the merchant, as the provider writes it.
    pub(super) fn seal(&self, associated: &str, text: &[u8]) -> Result<serde_json::Value, Refusal> {
        let mut nonce = [0; GCM_NONCE];
        let word = uuid_v7(self.clock.now()).simple().to_string();
        // Its last digits are random; all of them are printable, as in the provider's nonces.
        nonce.copy_from_slice(&word.as_bytes()[word.len() - GCM_NONCE..]);
        let sealed = self.api_v3_key.seal(nonce, associated.as_bytes(), text).map_err(|_| Refusal::SYSTEM_ERROR)?;
        Ok(json!({
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": String::from_utf8_lossy(&nonce),
            "associated_data": associated,
            "ciphertext": BASE64_STANDARD.encode(sealed),
        }))
    }
}
