//! Our signatures.
//!
//! Of a request: `{method}\n{path and query}\n{timestamp}\n{nonce}\n{body}\n`. Of what a page hands to the WeChat client:
//! `{app id}\n{timestamp}\n{nonce}\n{package}\n`. Both with RSA (PKCS #1 v1.5) and SHA-256, in base64.

use kernel::Result;

use crate::{domain::JsapiParams, peers::crypto::PrivateKey};

/// The scheme in the `Authorization` header.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// What the `Authorization` header of a request is made from.
#[derive(Debug, Clone, Copy)]
pub struct Authorization<'a> {
    /// The merchant's id.
    pub merchant_id: &'a str,
    /// The serial number of the merchant's certificate.
    pub certificate_serial: &'a str,
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path with its query.
    pub path: &'a str,
    /// In seconds since 1970.
    pub timestamp: i64,
    /// A word that makes the request unlike any other; up to 32 letters and digits.
    pub nonce: &'a str,
    /// The body; empty if there is none.
    pub body: &'a [u8],
}

impl Authorization<'_> {
    /// What is signed.
    pub fn message(&self) -> Vec<u8> {
        let head = format!("{}\n{}\n{}\n{}\n", self.method, self.path, self.timestamp, self.nonce);
        [head.as_bytes(), self.body, b"\n"].concat()
    }

    /// The header's value.
    ///
    /// # Errors
    /// See [`PrivateKey::sign`].
    pub fn header(&self, key: &PrivateKey) -> Result<String> {
        let signature = key.sign(&self.message())?;
        let Self { merchant_id, certificate_serial, timestamp, nonce, .. } = self;
        Ok(format!(
            "{SCHEME} mchid=\"{merchant_id}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",\
             serial_no=\"{certificate_serial}\",signature=\"{signature}\""
        ))
    }
}

/// What a page in WeChat, or a mini program, hands to the WeChat client to have an order paid.
///
/// # Errors
/// See [`PrivateKey::sign`].
pub fn jsapi_params(
    key: &PrivateKey,
    app_id: &str,
    prepay_id: &str,
    timestamp: i64,
    nonce: &str,
) -> Result<JsapiParams> {
    let package = format!("prepay_id={prepay_id}");
    let pay_sign = key.sign(format!("{app_id}\n{timestamp}\n{nonce}\n{package}\n").as_bytes())?;
    Ok(JsapiParams {
        app_id: app_id.to_owned(),
        time_stamp: timestamp.to_string(),
        nonce_str: nonce.to_owned(),
        package,
        sign_type: "RSA".to_owned(),
        pay_sign,
    })
}
