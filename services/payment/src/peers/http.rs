//! HTTP as payment providers are called: one client, bounded answers, and failures sorted by what is known after them.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode, header::USER_AGENT};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};
use kernel::{Error, Result};
use rustls::crypto::ring;
use tokio::time::timeout;

/// How long one call may take. It is well below what callers of PayOrder wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a download may stall.
const STALL_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes; a bill is not an answer.
const MAX_ANSWER: usize = 1 << 20;

/// The provider as errors name it.
pub const PROVIDER: &str = "the payment provider";

const AGENT: &str = concat!("meridian/", env!("CARGO_PKG_VERSION"));

/// A client that calls providers. It trusts the roots that browsers trust, which come with the program; it follows no
/// redirect and no proxy: what is signed goes to the address that was configured, or nowhere.
#[derive(Clone)]
pub struct Client(Pool<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Client {
    /// A client; nothing is called yet.
    ///
    /// # Errors
    /// `Internal` if the cryptography offers no version of TLS.
    pub fn try_new() -> Result<Self> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(ring::default_provider()))
            .map_err(Error::internal)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        Ok(Self(Pool::builder(TokioExecutor::new()).build(connector)))
    }

    /// Sends a request once and reads the answer.
    ///
    /// # Errors
    /// `Unavailable` if no whole answer of at most a mebibyte came in time. What the provider has done is then not known.
    pub async fn exchange(&self, request: Request<Bytes>) -> Result<Answer> {
        within(CALL_TIMEOUT, async {
            let (head, mut incoming) = self.send(request).await?.into_parts();
            let mut body = BytesMut::new();
            while let Some(piece) = piece(&mut incoming).await? {
                if body.len() + piece.len() > MAX_ANSWER {
                    return Err(unknown("its answer is too long"));
                }
                body.extend_from_slice(&piece);
            }
            Ok(Answer { status: head.status, headers: head.headers, body: body.freeze() })
        })
        .await
    }

    /// Downloads a file and hands its pieces to `take` as they come.
    ///
    /// # Errors
    /// `Unavailable` if it is not given, stalls or is cut off; and what `take` answers.
    pub async fn download(
        &self,
        request: Request<Bytes>,
        mut take: impl FnMut(&[u8]) -> Result<()> + Send,
    ) -> Result<()> {
        let response = within(STALL_TIMEOUT, self.send(request)).await?;
        if response.status() != StatusCode::OK {
            return Err(unknown(format!("it gives the file with status {}", response.status())));
        }
        let mut incoming = response.into_body();
        while let Some(piece) = within(STALL_TIMEOUT, piece(&mut incoming)).await? {
            take(&piece)?;
        }
        Ok(())
    }

    async fn send(&self, request: Request<Bytes>) -> Result<http::Response<Incoming>> {
        let mut request = request.map(Full::new);
        request.headers_mut().insert(USER_AGENT, http::HeaderValue::from_static(AGENT));
        self.0.request(request).await.map_err(|error| Error::unavailable(PROVIDER).caused_by(error))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Answer {
    /// A header's value; empty if it is missing or no text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether the outcome of the call is not known by this answer, and asking again may help.
    pub fn is_transient(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// Its beginning, for the log.
    pub fn excerpt(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(200).collect()
    }
}

/// The outcome of a call isn't known.
pub fn unknown(why: impl Into<String>) -> Error {
    Error::unavailable(PROVIDER).caused_by(why.into())
}

/// The provider won't do it, and won't if it is asked again. `code` is its own word.
pub fn refused(code: impl Into<String>, why: impl Into<String>) -> Error {
    let code = code.into();
    Error::precondition("PROVIDER_REFUSED", "the payment provider refused")
        .with("code", &code)
        .caused_by(format!("{code}: {}", why.into()))
}

async fn within<T>(time: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(time, work).await.unwrap_or_else(|_| Err(unknown(format!("nothing came within {} s", time.as_secs()))))
}

/// The next piece of a body; `None` at its end. Trailers are left out.
async fn piece(body: &mut Incoming) -> Result<Option<Bytes>> {
    loop {
        match body.frame().await {
            None => return Ok(None),
            Some(Ok(frame)) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
            Some(Err(error)) => return Err(Error::unavailable(PROVIDER).caused_by(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_be_made_without_anything_of_the_machine() {
        assert!(Client::try_new().is_ok());
    }
}
