//! One trace of a visit spans the gateway, the services and those who read their feeds.

use std::{
    collections::{BTreeSet, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use testkit::eventually;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    client::text,
    story::{hold, pay_deposit, reach, register, serve},
    suite::{PATIENCE, Suite},
    world::World,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

/// Keeps the spans of the one trace, each with the service that made it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let service = name.and_then(|name| name.value).map(|value| format!("{value:?}")).unwrap_or_default();
            let service = crate::suite::SERVICES.into_iter().find(|known| service.contains(known)).unwrap_or("?");
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            let spans = spans.filter(|span| hex(&span.trace_id) == TRACE).map(|span| (service.to_owned(), span));
            self.0.lock().expect("not poisoned").extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        address
    }

    fn spans(&self) -> Vec<(String, Span)> {
        self.0.lock().expect("not poisoned").clone()
    }

    /// The spans as a tree by time; with those of the database if `TRACE_DB` is set.
    fn print(&self) {
        let mut children: HashMap<String, Vec<(String, Span)>> = HashMap::new();
        for (service, span) in self.spans() {
            children.entry(hex(&span.parent_span_id)).or_default().push((service, span));
        }
        print_below(&mut children, PARENT, 0);
    }
}

fn print_below(children: &mut HashMap<String, Vec<(String, Span)>>, id: &str, depth: usize) {
    let mut below = children.remove(id).unwrap_or_default();
    below.sort_by_key(|(_, span)| span.start_time_unix_nano);
    for (service, span) in below {
        let shown = !span.name.starts_with("db.") || std::env::var_os("TRACE_DB").is_some();
        if shown {
            let micros = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano) / 1_000;
            println!("{:indent$}{service}: {} {micros} us", "", span.name, indent = depth * 2);
        }
        print_below(children, &hex(&span.span_id), depth + usize::from(shown));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_spans_gateway_services_and_feed_consumers() {
    let collector = Collector::default();
    let address = collector.start().await;
    let suite = Suite::start_tracing(Some(address)).await;
    let world = World::furnish(&suite).await;
    let mut guest = register(&world, "+8613800000501").await;
    guest.client = guest.client.traced(&format!("00-{TRACE}-{PARENT}-01"));
    let traced = World { desk: world.desk.traced(&format!("00-{TRACE}-{PARENT}-01")), ..world };
    let booking = hold(&traced, &guest).await;
    pay_deposit(&guest, &booking, "").await;
    reach(&traced, text(&booking, "name"), "STATE_CONFIRMED").await;
    serve(&traced, &booking).await;
    let everybody: BTreeSet<&str> = crate::suite::SERVICES.into_iter().collect();
    eventually(PATIENCE, || async {
        let spans = collector.spans();
        let seen: BTreeSet<&str> = spans.iter().map(|(service, _)| service.as_str()).collect();
        // Membership and analytics have part in a visit only as readers of feeds.
        seen == everybody
    })
    .await;
    collector.print();
    let spans = collector.spans();
    for reader in ["booking", "membership", "marketing", "analytics"] {
        let applied = spans.iter().any(|(service, span)| service == reader && span.name == "feed.apply");
        assert!(applied, "{reader} applies events within the trace");
    }
}
