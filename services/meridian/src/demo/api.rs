//! The gateway as a client sees it: paths and JSON.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use kernel::{Clock as _, SystemClock, ids::uuid_v7};
use reqwest::{Client, Method, RequestBuilder};
use runtime::Settings;
use serde_json::{Value, json};

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The gateway.
#[derive(Debug, Clone)]
pub struct Api {
    http: Client,
    base: String,
}

/// Somebody who is signed in, or nobody.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// `members/<uuid>` or `staff/<uuid>`.
    pub subject: String,
    token: Option<String>,
}

impl Api {
    /// The gateway of `settings`.
    pub fn try_new(settings: &Settings) -> Result<Self> {
        let http = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { http, base: format!("http://{}", settings.http.addr) })
    }

    /// Where it is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether a gateway answers there.
    pub async fn is_up(&self) -> bool {
        let asked = self.http.get(format!("{}/healthz", self.base)).send().await;
        asked.is_ok_and(|answer| answer.status().is_success())
    }

    /// Reads.
    pub async fn get(&self, who: &Person, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.call(who, self.http.request(Method::GET, format!("{}{path}", self.base)).query(query), path).await
    }

    /// Changes something; a request id is added.
    pub async fn post(&self, who: &Person, path: &str, mut body: Value) -> Result<Value> {
        body["requestId"] = json!(uuid_v7(SystemClock.now()).to_string());
        self.call(who, self.http.request(Method::POST, format!("{}{path}", self.base)).json(&body), path).await
    }

    /// Signs in to an account of staff.
    pub async fn sign_in_staff(&self, user: &str, password: &str) -> Result<Person> {
        let body = json!({"userName": user, "password": password});
        signed_in(&self.post(&Person::default(), "/v1/auth:signInStaff", body).await?)
    }

    /// Pays at the page of a payment provider.
    pub async fn pay_at(&self, uri: &str) -> Result<()> {
        let answer = self.http.post(uri).json(&json!({"outcome": "succeed"})).send().await;
        let answer = answer.with_context(|| format!("the payment page {uri}"))?;
        if !answer.status().is_success() {
            bail!("the payment page {uri} answered {}: {}", answer.status(), answer.text().await?);
        }
        Ok(())
    }

    async fn call(&self, who: &Person, request: RequestBuilder, path: &str) -> Result<Value> {
        let request = match &who.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.with_context(|| format!("{path} at {}", self.base))?;
        let (status, body) = (answer.status(), answer.bytes().await?);
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if !status.is_success() {
            let message = value["message"].as_str().unwrap_or("no message");
            bail!("{path} answered {status}: {message}");
        }
        Ok(value)
    }
}

/// The person whom a sign-in answers with.
pub fn signed_in(answer: &Value) -> Result<Person> {
    let token = Some(text(answer, "accessToken")?.to_owned());
    Ok(Person { subject: text(answer, "subject")?.to_owned(), token })
}

/// A text in an answer.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().ok_or_else(|| anyhow!("the answer has no text {key:?}: {value}"))
}

/// An amount of `google.type.Money`, such as `238.40 CNY`; nothing is 0.
pub fn money(value: &Value) -> String {
    // 64-bit numbers are texts in proto3's JSON.
    let units = value["units"].as_str().and_then(|units| units.parse::<i64>().ok()).unwrap_or(0);
    let cents = value["nanos"].as_i64().unwrap_or(0).abs() / 10_000_000;
    format!("{units}.{cents:02} {}", value["currencyCode"].as_str().unwrap_or("CNY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_their_cents() {
        assert_eq!(money(&json!({"currencyCode": "CNY", "units": "238", "nanos": 400_000_000})), "238.40 CNY");
        assert_eq!(money(&json!({"currencyCode": "CNY"})), "0.00 CNY");
        assert_eq!(money(&Value::Null), "0.00 CNY");
    }
}
