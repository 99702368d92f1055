//! One signed call.

use std::collections::BTreeMap;

use http::{Method, Request};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Alipay, sign::form};
use crate::peers::http::{refused, unknown};

/// What came of a call whose outcome is known.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is done, or under way if `waits`; the answer's JSON.
    Done {
        /// The answer.
        json: String,
        /// The customer is asked for a password.
        waits: bool,
    },
    /// The provider won't do it.
    Refused(Refusal),
}

/// Why the provider won't do it.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    code: String,
    #[serde(default)]
    msg: String,
    /// In a word for programs, such as `ACQ.TRADE_NOT_EXIST`.
    #[serde(default)]
    pub sub_code: String,
    #[serde(default)]
    sub_msg: String,
}

impl Refusal {
    /// The error of a call that was refused.
    pub(super) fn error(self) -> Error {
        let Self { code, msg, sub_code, sub_msg } = self;
        let word = if sub_code.is_empty() { code } else { sub_code };
        refused(word, format!("{msg}: {sub_msg}"))
    }

    /// Whether there is no such trade.
    pub(super) fn is_not_found(&self) -> bool {
        self.sub_code == "ACQ.TRADE_NOT_EXIST"
    }

    /// Whether the provider has failed, and perhaps done it all the same.
    fn is_unknown(&self) -> bool {
        self.code == "20000"
            || (self.sub_code.starts_with("isp.") && !self.sub_code.ends_with("not_exist"))
            || matches!(self.sub_code.as_str(), "ACQ.SYSTEM_ERROR" | "SYSTEM_ERROR" | "aop.ACQ.SYSTEM_ERROR")
    }
}

impl Reply {
    /// What was answered, read.
    pub(super) fn read<R: DeserializeOwned>(self) -> Result<R> {
        match self {
            // What is signed and can't be read was done all the same.
            Self::Done { json, .. } => {
                serde_json::from_str(&json).map_err(|error| unknown("its answer can't be read").caused_by(error))
            }
            Self::Refused(refusal) => Err(refusal.error()),
        }
    }
}

impl Alipay {
    /// Calls a method. `notified`: what comes of it is told to us later.
    pub(super) async fn call(&self, method: &str, business: &impl Serialize, notified: bool) -> Result<Reply> {
        let notify_url = if notified { self.notify_url.as_str() } else { "" };
        let body = form(&self.signed(method, business, &[("notify_url", notify_url)])?);
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}?charset=utf-8", self.url))
            .header("content-type", "application/x-www-form-urlencoded;charset=utf-8")
            .body(body.into())
            .map_err(Error::internal)?;
        let answer = self.http.exchange(request).await?;
        if !answer.status.is_success() {
            return Err(unknown(format!("it answers {}: {}", answer.status, answer.excerpt())));
        }
        let text = std::str::from_utf8(&answer.body).map_err(|_| unknown("its answer is no text"))?;
        self.believe(method, text)
    }

    /// Checks an answer's signature, which is over the very text of its inner object.
    fn believe(&self, method: &str, text: &str) -> Result<Reply> {
        let unreadable = || unknown("its answer can't be read");
        let mut parts: BTreeMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(|_| unreadable())?;
        let word = |part: Option<Box<RawValue>>| part.and_then(|part| serde_json::from_str::<String>(part.get()).ok());
        let signature = word(parts.remove("sign")).unwrap_or_default();
        let certificate = word(parts.remove("alipay_cert_sn"));
        let inner = parts.remove(&format!("{}_response", method.replace('.', "_")));
        let inner = inner.or_else(|| parts.remove("error_response")).ok_or_else(unreadable)?;
        let head: Refusal = serde_json::from_str(inner.get()).map_err(|_| unreadable())?;

        let (is_done, waits) = (head.code == "10000", head.code == "10003");
        // Refusals of what can't be read at all aren't signed.
        if is_done || waits || !signature.is_empty() {
            let fits = self.keys.provider.verifies(inner.get().as_bytes(), &signature);
            let names_ours = match (&self.keys.names, &certificate) {
                (Some(names), Some(certificate)) => names.provider == *certificate,
                _ => true,
            };
            if !fits || !names_ours {
                tracing::warn!(method, fits, names_ours, "alipay: an answer is not believed");
                return Err(unknown("its answer is not believed"));
            }
        }
        if is_done || waits {
            Ok(Reply::Done { json: inner.get().to_owned(), waits })
        } else if head.is_unknown() {
            Err(unknown(format!("it answers {} {}", head.code, head.sub_code)))
        } else {
            Ok(Reply::Refused(head))
        }
    }
}
