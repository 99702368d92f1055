//! A client of HTTP/1.1 with one connection that is kept open.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header::{AUTHORIZATION, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::load::Caller;

/// What is read, one after another.
#[derive(Debug, Clone)]
pub struct Bookings {
    /// Their names.
    pub names: Arc<Vec<String>>,
    /// Who reads.
    pub authorization: String,
}

/// Reads bookings as JSON.
pub struct HttpReader {
    bookings: Bookings,
    host: String,
    next: usize,
    connection: SendRequest<Empty<Bytes>>,
}

impl HttpReader {
    /// Connects; `first` is where in the list it begins.
    pub async fn connect(address: SocketAddr, bookings: Bookings, first: usize) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the connection, and what went wrong is told by the call.
        tokio::spawn(driver);
        Ok(Self { bookings, host: address.to_string(), next: first, connection })
    }
}

impl Caller for HttpReader {
    async fn call(&mut self) -> Result<()> {
        let name = &self.bookings.names[self.next % self.bookings.names.len()];
        self.next += 1;
        let request = Request::get(format!("/v1/{name}"))
            .header(HOST, &self.host)
            .header(AUTHORIZATION, &self.bookings.authorization)
            .body(Empty::new())?;
        self.connection.ready().await?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let text = std::str::from_utf8(&body).context("the answer is not text")?;
        ensure!(status == StatusCode::OK, "{status}: {text}");
        // Reading JSON would cost the same for all, and take the time from those who are measured.
        let is_right =
            text.contains(&format!("\"name\":\"{name}\"")) && text.contains("\"state\":\"STATE_AWAITING_PAYMENT\"");
        ensure!(is_right, "not {name}: {text}");
        Ok(())
    }
}
