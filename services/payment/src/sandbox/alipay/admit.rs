//! Who may call: the application whose signature fits; and how it is answered.

use std::sync::atomic::Ordering;

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{APP_ID, AlipaySandbox, Answer, Refusal, refused};
use crate::{
    peers::{
        alipay::{Params, content},
        china_time,
    },
    sandbox::wire::Mishap,
};

/// How far a merchant's timestamp may be off, in seconds.
const TOLERANCE: u64 = 900;

/// A call that is let in.
pub(super) struct Call {
    /// Its method.
    pub method: String,
    /// Its business content.
    pub business: Value,
    /// Where the merchant wants to be told what comes of it.
    pub notify_url: String,
}

impl AlipaySandbox {
    /// Lets a merchant's call in.
    pub(super) fn admit(&self, mut params: Params) -> Result<Call, Refusal> {
        let signature = params.remove("sign").ok_or(Refusal::BAD_SIGNATURE)?;
        let of = |name: &str| params.get(name).map(String::as_str).unwrap_or_default();
        let named = of("app_cert_sn");
        let sent = china_time::read_plain(of("timestamp")).ok_or(Refusal::MALFORMED)?;
        let fits = of("app_id") == APP_ID
            && of("sign_type") == "RSA2"
            && (named.is_empty() || (named == self.names.app && of("alipay_root_cert_sn") == self.names.root))
            && self.clock.now().as_second().abs_diff(sent.as_second()) <= TOLERANCE
            && self.app_key.verifies(content(&params).as_bytes(), &signature);
        if !fits {
            return Err(Refusal::BAD_SIGNATURE);
        }
        self.certificates.store(!named.is_empty(), Ordering::SeqCst);
        let business = serde_json::from_str(of("biz_content")).map_err(|_| Refusal::MALFORMED)?;
        Ok(Call { method: of("method").to_owned(), business, notify_url: of("notify_url").to_owned() })
    }

    /// The answer with its signature, or without what was ordered to be wrong.
    pub(super) fn signed_answer(&self, method: &str, answer: Answer, mishap: Mishap) -> Response {
        let name = if method.is_empty() { "error".to_owned() } else { method.replace('.', "_") };
        let inner = answer.unwrap_or_else(refused).to_string();
        let key = if mishap == Mishap::Forged { &self.wrong_key } else { &self.key };
        let Ok(signature) = key.sign(inner.as_bytes()) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let mut body = format!("{{\"{name}_response\":{inner}");
        if self.certificates.load(Ordering::SeqCst) {
            body += &format!(",\"alipay_cert_sn\":{}", json!(self.names.provider));
        }
        // Who can't be read is answered without one.
        if mishap != Mishap::Unsigned && !method.is_empty() {
            body += &format!(",\"sign\":{}", json!(signature));
        }
        body.push('}');
        ([(CONTENT_TYPE, "text/html;charset=utf-8")], body).into_response()
    }
}
