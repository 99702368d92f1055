//! The gateway as a client sees it: paths and JSON.

use std::{fmt::Display, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use kernel::{Clock as _, SystemClock, ids::uuid_v7};
use reqwest::{Client, Method, RequestBuilder};
use runtime::Settings;
use serde_json::{Value, json};

use crate::wait::until;

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
        Self::at(&settings.http.addr)
    }

    /// The gateway at an address.
    pub fn at(address: &impl Display) -> Result<Self> {
        let http = Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        Ok(Self { http, base: format!("http://{address}") })
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

    /// Makes somebody a member who has not been one, with the code that arrives in the mailbox of `phone`.
    pub async fn register(&self, phone: &str, terms_version: &str, store: &str) -> Result<Person> {
        let nobody = Person::default();
        self.post(&nobody, "/v1/auth:sendCode", json!({"phone": phone})).await?;
        let is_code = |message: &Value| message["kind"] == "KIND_VERIFICATION_CODE";
        let message = self.message(phone, is_code, "the arrival of a code").await?;
        let mut runs = text(&message, "body")?.split(|character: char| !character.is_ascii_digit());
        let code = runs.find(|run| run.len() == 6).context("the message has no code of six digits")?;
        let body = json!({
            "phone": phone, "code": code, "displayName": "Demo Guest", "termsVersion": terms_version, "store": store,
        });
        signed_in(&self.post(&nobody, "/v1/auth:register", body).await?)
    }

    /// The newest message in a mailbox that is the one.
    pub async fn message(&self, phone: &str, is_it: impl Fn(&Value) -> bool, what: &str) -> Result<Value> {
        let path = format!("/v1/mailbox/{phone}/messages");
        until(what, async || {
            let mailbox = self.get(&Person::default(), &path, &[]).await?;
            Ok(mailbox["messages"].as_array().and_then(|all| all.iter().find(|one| is_it(one))).cloned())
        })
        .await
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
fn signed_in(answer: &Value) -> Result<Person> {
    let token = Some(text(answer, "accessToken")?.to_owned());
    Ok(Person { subject: text(answer, "subject")?.to_owned(), token })
}

/// A text in an answer.
pub fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().ok_or_else(|| anyhow!("the answer has no text {key:?}: {value}"))
}

/// A number that nobody has registered with: made from the time.
pub fn new_phone() -> String {
    let micros = SystemClock.now().as_microsecond().unsigned_abs();
    format!("+86138{:08}", (micros / 1_000) % 100_000_000)
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
