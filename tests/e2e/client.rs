//! An HTTP client that does what a good client does: it repeats a request that may have been lost, with the same
//! request id, and nothing else.

use std::time::Duration;

use kernel::{Clock, SystemClock};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use testkit::eventually;

use crate::suite::PATIENCE;

/// Somebody who calls the gateway.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    traceparent: String,
}

impl Client {
    /// Nobody in particular.
    pub fn new(base: &str) -> Self {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("a client");
        Self { http, base: base.to_owned(), token: String::new(), traceparent: String::new() }
    }

    /// The same, signed in.
    pub fn signed_in(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// The same, within a trace.
    pub fn traced(&self, traceparent: &str) -> Self {
        Self { traceparent: traceparent.to_owned(), ..self.clone() }
    }

    /// Reads, until there is an answer.
    pub async fn get(&self, path: &str) -> Value {
        self.patiently(Method::GET, path, None).await
    }

    /// Sends until there is an answer, which must be a success. A request id is added.
    pub async fn post(&self, path: &str, mut body: Value) -> Value {
        body["request_id"] = json!(request_id());
        self.patiently(Method::POST, path, Some(body)).await
    }

    /// Sends a resource as the whole body, with the request id in the query, until there is an answer.
    pub async fn create(&self, path: &str, body: Value) -> Value {
        self.patiently(Method::POST, &format!("{path}?request_id={}", request_id()), Some(body)).await
    }

    async fn patiently(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        eventually(PATIENCE, || async {
            match self.send(method.clone(), path, body.as_ref()).await {
                Some((status, answer)) if status.is_success() => Some(answer),
                Some((StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT, _)) | None => None,
                Some((status, answer)) => panic!("{method} {path}: {status} {answer}"),
            }
        })
        .await
    }

    /// Sends once: the status and the answer, unless the connection failed.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Option<(StatusCode, Value)> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method, url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if !self.traceparent.is_empty() {
            request = request.header("traceparent", &self.traceparent);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status();
        let text = answer.text().await.ok()?;
        Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}

/// A new request id.
pub fn request_id() -> String {
    kernel::ids::uuid_v7(SystemClock.now()).to_string()
}

/// A text in an answer; the empty text if it is not there, as proto3 JSON leaves defaults out.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// An amount in an answer, in minor units of a currency with two decimals.
pub fn minor(value: &Value) -> i64 {
    let units: i64 = value["units"].as_str().map_or(0, |units| units.parse().expect("a number"));
    units * 100 + value["nanos"].as_i64().unwrap_or(0) / 10_000_000
}
