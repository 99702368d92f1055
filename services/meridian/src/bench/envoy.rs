//! Envoy with its gRPC-JSON transcoder, as a peer of the gateway. It is optional: where the program is not there the
//! comparison is left out.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

use super::servers::free_addresses;

/// Where `make bench-tools` puts it.
const FETCHED: &str = ".tools/envoy/envoy/_bin/envoy";
/// How long it may take until it listens.
const PATIENCE: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(50);

/// A running Envoy. It is killed with this value.
pub struct Envoy {
    address: SocketAddr,
    _process: Child,
}

impl Envoy {
    /// Starts it in front of the service at `uri`; `None` if there is no such program.
    pub async fn start(folder: &Path, uri: &str, program: Option<&Path>) -> Result<Option<Self>> {
        let program = program.map_or_else(|| PathBuf::from(FETCHED), Path::to_owned);
        if !program.is_file() {
            return Ok(None);
        }
        let [address] = free_addresses()?;
        let upstream: SocketAddr = uri.trim_start_matches("http://").parse()?;
        let (descriptors, config) = (folder.join("descriptors.bin"), folder.join("envoy.json"));
        fs::write(&descriptors, proto::DESCRIPTOR_SET)?;
        fs::write(&config, configuration(address, upstream, &descriptors).to_string())?;
        let cores = std::thread::available_parallelism()?;
        let log = fs::File::create(folder.join("envoy.log"))?;
        let mut process = Command::new(program.canonicalize()?)
            .arg("--config-path")
            .arg(&config)
            .args(["--log-level", "error", "--disable-hot-restart", "--concurrency"])
            .arg(cores.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("Envoy cannot be started")?;
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            if process.try_wait()?.is_some() || Instant::now() >= deadline {
                let log = fs::read_to_string(folder.join("envoy.log")).unwrap_or_default();
                bail!("Envoy does not listen: {}", log.trim());
            }
            sleep(POLL).await;
        }
        Ok(Some(Self { address, _process: process }))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The transcoder for the booking service and nothing else: no access log, no statistics of its own, no retries.
fn configuration(listen: SocketAddr, upstream: SocketAddr, descriptors: &Path) -> Value {
    let socket = |at: SocketAddr| json!({"socket_address": {"address": at.ip().to_string(), "port_value": at.port()}});
    let extension = |name: &str| format!("type.googleapis.com/envoy.extensions.{name}");
    let transcoder = json!({
        "@type": extension("filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"),
        "proto_descriptor": descriptors.display().to_string(),
        "services": ["meridian.booking.v1.BookingService"],
        "convert_grpc_status": true,
    });
    let router = json!({"@type": extension("filters.http.router.v3.Router")});
    let route = json!({"match": {"prefix": "/"}, "route": {"cluster": "booking", "timeout": "15s"}});
    let manager = json!({
        "@type": extension("filters.network.http_connection_manager.v3.HttpConnectionManager"),
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {"name": "envoy.filters.http.grpc_json_transcoder", "typed_config": transcoder},
            {"name": "envoy.filters.http.router", "typed_config": router},
        ],
    });
    let http2 = json!({
        "@type": extension("upstreams.http.v3.HttpProtocolOptions"),
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    json!({"static_resources": {
        "listeners": [{
            "address": socket(listen),
            "filter_chains": [{"filters": [
                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
            ]}],
        }],
        "clusters": [{
            "name": "booking",
            "connect_timeout": "2s",
            "type": "STATIC",
            "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2},
            "load_assignment": {
                "cluster_name": "booking",
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket(upstream)}}]}],
            },
        }],
    }})
}
