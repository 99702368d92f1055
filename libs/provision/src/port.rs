//! Which port of 127.0.0.1 a server gets.

use std::{net::TcpListener, ops::Range, path::Path};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Below the range from which Linux takes the ports of outgoing connections, so that a remembered port stays free.
const RANGE: Range<u16> = 20_000..32_000;

/// The port to listen on: the configured one or an error, else the remembered one if it is free, else a free one.
/// The search starts at a place that depends on `folder`, so that two checkouts seldom meet.
pub(crate) fn pick(
    server: &'static str,
    configured: Option<u16>,
    remembered: Option<u16>,
    folder: &Path,
) -> Result<u16> {
    if let Some(port) = configured {
        return if is_free(port) { Ok(port) } else { Err(Error::PortTaken { server, port }) };
    }
    if let Some(port) = remembered.filter(|&port| is_free(port)) {
        return Ok(port);
    }
    let digest = Sha256::new().chain_update(server).chain_update(folder.as_os_str().as_encoded_bytes()).finalize();
    let start = usize::from(u16::from_be_bytes([digest[0], digest[1]])) % RANGE.len();
    RANGE.skip(start).chain(RANGE.take(start)).find(|&port| is_free(port)).ok_or(Error::NoFreePort { server })
}

/// Whether one could listen there now.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configured_port_in_use_is_an_error_with_a_remedy() {
        let other = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = other.local_addr().expect("address").port();
        let error = pick("Redis", Some(port), None, Path::new("/x")).expect_err("the port is taken");
        assert!(error.to_string().contains(&format!("port {port} for Redis is taken")), "{error}");
    }

    #[test]
    fn a_remembered_port_in_use_is_replaced() {
        let other = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = other.local_addr().expect("address").port();
        let chosen = pick("Redis", None, Some(port), Path::new("/x")).expect("another port is free");
        assert!(RANGE.contains(&chosen));
    }
}
