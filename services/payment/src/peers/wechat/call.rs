//! One signed call.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use kernel::{Error, Result, ids::uuid_v7};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    Wechat,
    sign::Authorization,
    verify::{Doubt, NONCE, SERIAL, SIGNATURE, Signed, TIMESTAMP, TOLERANCE},
};
use crate::peers::http::{Answer, refused, unknown};

/// What came of a call whose outcome is known.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is done; the body of the answer.
    Done(Bytes),
    /// The provider won't do it.
    Refused(Refusal),
}

/// Why the provider won't do it.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    /// In a word for programs, such as `ORDERPAID`.
    #[serde(default)]
    pub code: String,
    /// For people.
    #[serde(default)]
    message: String,
    /// The status of the answer.
    #[serde(skip)]
    pub status: StatusCode,
}

impl Refusal {
    /// The error of a call that was refused.
    pub(super) fn error(self) -> Error {
        refused(self.code, format!("{} {}", self.status, self.message))
    }

    /// Whether there is no such thing at the provider.
    pub(super) fn is_not_found(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
            || matches!(self.code.as_str(), "ORDER_NOT_EXIST" | "ORDERNOTEXIST" | "RESOURCE_NOT_EXISTS")
    }
}

/// A message of the provider with what it is signed with.
pub(super) fn signed(answer: &Answer) -> Signed<'_> {
    Signed {
        signature: answer.header(SIGNATURE),
        timestamp: answer.header(TIMESTAMP),
        nonce: answer.header(NONCE),
        serial: answer.header(SERIAL),
        body: &answer.body,
    }
}

impl Reply {
    /// What was answered, read.
    pub(super) fn read<R: DeserializeOwned>(self) -> Result<R> {
        match self {
            // What is signed and can't be read was done all the same.
            Self::Done(body) => {
                serde_json::from_slice(&body).map_err(|error| unknown("its answer can't be read").caused_by(error))
            }
            Self::Refused(refusal) => Err(refusal.error()),
        }
    }

    /// What was answered, read; `None` if there is no such thing.
    pub(super) fn find<R: DeserializeOwned>(self) -> Result<Option<R>> {
        match self {
            Self::Refused(refusal) if refusal.is_not_found() => Ok(None),
            other => other.read().map(Some),
        }
    }
}

impl Wechat {
    /// Asks for what is at `path`.
    pub(super) async fn get(&self, path: &str) -> Result<Reply> {
        self.call(Method::GET, path, Vec::new()).await
    }

    /// Orders something.
    pub(super) async fn post(&self, path: &str, body: &impl Serialize) -> Result<Reply> {
        self.call(Method::POST, path, serde_json::to_vec(body).map_err(Error::internal)?).await
    }

    async fn call(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Reply> {
        self.call_with(method, path, body, None).await
    }

    /// A call that names the key with which something in it is encrypted, if anything is.
    pub(super) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        key: Option<&str>,
    ) -> Result<Reply> {
        let answer = self.exchange(method, path, body, key).await?;
        if answer.is_transient() {
            return Err(unknown(format!("it answers {}: {}", answer.status, answer.excerpt())));
        }
        let is_signed = !answer.header(SIGNATURE).is_empty();
        if (answer.status.is_success() || is_signed)
            && let Err(doubt) = self.believe(signed(&answer), TOLERANCE).await?
        {
            if doubt != Doubt::Probe {
                tracing::warn!(status = %answer.status, ?doubt, "wechat: an answer is not believed");
            }
            return Err(unknown(format!("its answer is not believed: {doubt:?}")));
        }
        if answer.status.is_success() {
            return Ok(Reply::Done(answer.body));
        }
        let mut refusal: Refusal = serde_json::from_slice(&answer.body).unwrap_or_else(|_| Refusal {
            code: String::new(),
            message: answer.excerpt(),
            status: answer.status,
        });
        refusal.status = answer.status;
        Ok(Reply::Refused(refusal))
    }

    /// Sends a signed request; nothing of the answer is believed yet.
    pub(super) async fn exchange(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        key: Option<&str>,
    ) -> Result<Answer> {
        let mut request = self.request(&method, path, body)?;
        if let Some(key) = key {
            request.headers_mut().insert(SERIAL, key.parse().map_err(Error::internal)?);
        }
        self.http.exchange(request).await
    }

    /// A signed request for what is at `path` of the configured address.
    pub(super) fn request(&self, method: &Method, path: &str, body: Vec<u8>) -> Result<Request<Bytes>> {
        let now = self.clock.now();
        let nonce = uuid_v7(now).simple().to_string();
        let authorization = Authorization {
            merchant_id: &self.merchant_id,
            certificate_serial: &self.certificate_serial,
            method: method.as_str(),
            path,
            timestamp: now.as_second(),
            nonce: &nonce,
            body: &body,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("authorization", authorization.header(&self.private_key)?)
            .header("accept", "application/json");
        if let Some(id) = self.platform.announced() {
            request = request.header(SERIAL, id);
        }
        if method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        request.body(body.into()).map_err(Error::internal)
    }
}
