//! A span and a log line on their way out of a process.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use runtime::{Settings, config, telemetry};
use tokio::{net::TcpListener, sync::mpsc};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};
use tracing::Instrument;

use crate::{
    child::{Role, plays},
    soon,
};

/// Keeps what it is sent.
struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

fn settings() -> Settings {
    config::load(None, config::environment(), &[]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn child_that_logs() {
    if !plays("traces::child_that_logs") {
        return;
    }
    let guard = telemetry::init(&settings().telemetry, "booking").unwrap();
    assert!(telemetry::init(&settings().telemetry, "booking").is_err(), "it starts once");
    let work = async {
        tracing::warn!(attempt = 2, "slot was \"taken\"");
        tracing::info!("not in the log at level warn");
    };
    work.instrument(tracing::info_span!("hold_slot", slot = 7)).await;
    tracing::warn!("no trace here");
    drop(guard);
}

/// Runs the child; gives its log.
async fn log(variables: &[(&str, &str)]) -> Vec<String> {
    let mut variables = variables.to_vec();
    variables.push(("MERIDIAN__TELEMETRY__FILTER", "warn"));
    let ended = Role::start("traces::child_that_logs", &variables).ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    ended.stderr.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_span_reaches_the_collector_and_the_log_names_its_trace() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, mut received) = mpsc::unbounded_channel();
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));

    let lines =
        log(&[("MERIDIAN__TELEMETRY__OTLP_ENDPOINT", &endpoint), ("MERIDIAN__TELEMETRY__LOG_FORMAT", "json")]).await;
    let sent = soon("the spans", received.recv()).await.unwrap();
    let resource = &sent.resource_spans[0];
    let attributes = &resource.resource.as_ref().unwrap().attributes;
    assert!(format!("{attributes:?}").contains("\"booking\""), "{attributes:?}");
    let span = &resource.scope_spans[0].spans[0];
    assert_eq!(span.name, "hold_slot");

    assert_eq!(lines.len(), 2, "{lines:#?}");
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    let trace = span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(line["trace_id"], trace, "although the log's level hides the span");
    assert_eq!((&line["message"], &line["attempt"]), (&"slot was \"taken\"".into(), &2.into()));
    let line: serde_json::Value = serde_json::from_str(&lines[1]).unwrap();
    assert!(line.get("trace_id").is_none());
}

#[tokio::test]
async fn without_a_collector_log_lines_name_their_trace_too() {
    let lines = log(&[]).await;
    assert_eq!(lines.len(), 2, "{lines:#?}");
    let (_, trace) = lines[0].split_once(" trace_id=").expect(&lines[0]);
    assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{trace}");
    assert!(!lines[1].contains("trace_id"), "{}", lines[1]);
}

#[tokio::test]
async fn a_collector_that_is_away_stops_nothing() {
    let lines = log(&[("MERIDIAN__TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:9")]).await;
    assert!(lines.len() >= 2, "{lines:#?}");
}
