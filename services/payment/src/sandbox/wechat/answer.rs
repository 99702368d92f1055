//! How the sandbox answers: JSON, signed.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use kernel::{Result, ids::uuid_v7};
use serde_json::{Value, json};

use super::WechatSandbox;
use crate::{
    peers::wechat::{NONCE, PROBE, SERIAL, SIGNATURE, TIMESTAMP},
    sandbox::wire::{Headers, Mishap},
};

/// How old what is stale is, in seconds.
pub const STALE: i64 = 301;

/// An answer to a call that was done.
#[derive(Debug)]
pub enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// 202: it will be done.
    Accepted,
    /// 204.
    Nothing,
    /// 200 with a file, which is not signed.
    File(Vec<u8>),
}

/// An answer to a call that was not.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    /// The system is down, as was ordered.
    pub const SYSTEM_ERROR: Self = Self::new(StatusCode::SERVICE_UNAVAILABLE, "SYSTEM_ERROR", "try again later");
    /// The answer got lost, as was ordered.
    pub const LOST: Self = Self::new(StatusCode::BAD_GATEWAY, "", "");
    /// What came can't be read, or has values that can't be.
    pub const MALFORMED: Self = Self::new(StatusCode::BAD_REQUEST, "PARAM_ERROR", "a parameter is wrong");
    /// The signature does not fit.
    pub const SIGN_ERROR: Self = Self::new(StatusCode::UNAUTHORIZED, "SIGN_ERROR", "the signature does not fit");

    /// A refusal with the provider's word.
    pub const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self { status, code, message }
    }

    /// Without a signature, as what stands before the provider answers.
    pub fn plain(self) -> Response {
        (self.status, self.body()).into_response()
    }

    fn body(&self) -> String {
        json!({ "code": self.code, "message": self.message }).to_string()
    }
}

/// The query of a call.
#[derive(Debug)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads it.
    pub fn read(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// A parameter; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

impl WechatSandbox {
    /// The answer with its signature, or without what was ordered to be wrong.
    pub(super) fn sealed(&self, answer: Result<Answer, Refusal>, mishap: Mishap) -> Response {
        let (status, body) = match answer {
            Ok(Answer::Json(value)) => (StatusCode::OK, value.to_string()),
            Ok(Answer::Accepted) => (StatusCode::ACCEPTED, String::new()),
            Ok(Answer::Nothing) => (StatusCode::NO_CONTENT, String::new()),
            Ok(Answer::File(bytes)) => return (StatusCode::OK, bytes).into_response(),
            Err(refusal) => (refusal.status, refusal.body()),
        };
        let headers = match self.signature_headers(body.as_bytes(), self.serial(), mishap) {
            Ok(headers) => headers,
            Err(_) => return Refusal::SYSTEM_ERROR.plain(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        if mishap != Mishap::Unsigned {
            for (name, value) in headers {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    response.headers_mut().insert(name, value);
                }
            }
        }
        response
    }

    /// The headers that sign a message.
    pub(super) fn signature_headers(&self, body: &[u8], serial: &str, mishap: Mishap) -> Result<Headers> {
        let now = self.clock.now();
        let timestamp = now.as_second() - if mishap == Mishap::Stale { STALE } else { 0 };
        let nonce = uuid_v7(now).simple().to_string();
        let signed = if mishap == Mishap::Forged { b"something else".as_slice() } else { body };
        let mut signature = self.key.sign(&[format!("{timestamp}\n{nonce}\n").as_bytes(), signed, b"\n"].concat())?;
        if mishap == Mishap::Probe {
            signature.insert_str(0, PROBE);
        }
        Ok(vec![
            (TIMESTAMP, timestamp.to_string()),
            (NONCE, nonce),
            (SERIAL, serial.to_owned()),
            (SIGNATURE, signature),
        ])
    }
}
