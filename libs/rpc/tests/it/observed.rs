//! What is seen of a call from outside: metrics and traces.

use std::{
    cell::RefCell,
    collections::HashMap,
    sync::{Arc, Mutex, Once},
};

use kernel::{
    Clock, Error,
    ids::{MemberId, StaffId},
};
use opentelemetry::trace::{TraceContextExt, TraceId, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use proto::membership::v1::{GetMemberRequest, member_service_client::MemberServiceClient};
use rpc::{
    Ctx,
    client::{ServiceAuth, peer},
};
use tracing::{Event, Instrument, Level, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::world::{World, get_member, own};

/// How many calls of `GetMember` ended with this code.
fn counted(code: &str) -> u64 {
    let families = prometheus::gather();
    let family = families.iter().find(|family| family.name() == "rpc_server_call_duration_seconds");
    let is = |metric: &prometheus::proto::Metric, name: &str, value: &str| {
        metric.get_label().iter().any(|label| label.name() == name && label.value() == value)
    };
    family
        .into_iter()
        .flat_map(|family| family.get_metric())
        .filter(|metric| is(metric, "method", "GetMember") && is(metric, "code", code))
        .filter(|metric| is(metric, "service", "meridian.membership.v1.MemberService"))
        .map(|metric| metric.get_histogram().get_sample_count())
        .sum()
}

#[tokio::test]
async fn each_call_is_counted_by_its_code() {
    let world = World::new();
    let channel = world.serve(own).await;
    let me = MemberId::new(world.clock.now());
    let (ok, refused, missing) = (counted("OK"), counted("UNAUTHENTICATED"), counted("NOT_FOUND"));
    assert!(get_member(&channel, &world.member_token(me), &me.name()).await.is_ok());
    assert!(get_member(&channel, "abc", &me.name()).await.is_err());
    let other = MemberId::new(world.clock.now()).name();
    assert!(get_member(&channel, &world.member_token(me), &other).await.is_err());
    // Other tests call too: at least these were added.
    assert!(counted("OK") > ok);
    assert!(counted("UNAUTHENTICATED") > refused);
    assert!(counted("NOT_FOUND") > missing);
}

#[tokio::test]
async fn a_caller_who_leaves_is_counted_and_the_flow_is_dropped() {
    let world = World::new();
    let (entered, mut in_flow) = tokio::sync::mpsc::channel::<()>(1);
    let flow = move |_: Ctx, _| {
        let entered = entered.clone();
        async move {
            entered.send(()).await.map_err(kernel::Error::internal)?;
            std::future::pending().await
        }
    };
    let channel = world.serve(flow).await;
    let me = MemberId::new(world.clock.now());
    let before = counted("CANCELLED");
    let token = world.member_token(me);
    let call = tokio::spawn(async move { get_member(&channel, &token, &me.name()).await });
    in_flow.recv().await.expect("the flow runs");
    call.abort();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while counted("CANCELLED") == before {
        assert!(tokio::time::Instant::now() < deadline, "the cancelled call is never counted");
        tokio::task::yield_now().await;
    }
}

/// Installs telemetry for the whole test binary: subscribers of single threads disturb each other.
fn install_telemetry() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let provider = SdkTracerProvider::builder().build();
        let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let all = tracing_subscriber::registry().with(traces).with(Lines);
        tracing::subscriber::set_global_default(all).expect("nobody else sets it");
    });
}

thread_local! {
    /// Each test has a thread to itself, its server included.
    static LINES: RefCell<HashMap<Level, usize>> = RefCell::default();
}

/// Counts log lines by thread and level.
struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("rpc") {
            LINES.with_borrow_mut(|lines| *lines.entry(*event.metadata().level()).or_default() += 1);
        }
    }
}

fn lines(level: Level) -> usize {
    LINES.with_borrow(|lines| lines.get(&level).copied().unwrap_or(0))
}

#[tokio::test]
async fn only_our_own_faults_are_logged_as_errors_and_once() {
    install_telemetry();
    let world = World::new();
    let me = MemberId::new(world.clock.now());
    let token = world.member_token(me);
    let channel = world.serve(own).await;
    for (token, name) in
        [(token.as_str(), "members/1"), ("abc", "members/1"), (&token, &StaffId::derive(me.uuid(), "").name())]
    {
        assert!(get_member(&channel, token, name).await.is_err());
    }
    assert_eq!((lines(Level::ERROR), lines(Level::WARN)), (0, 0));
    assert!(lines(Level::DEBUG) > 0, "refusals are told at debug");

    let broken = world.serve(|_: Ctx, _| async { Err(Error::internal("disk full")) }).await;
    assert!(get_member(&broken, &token, &me.name()).await.is_err());
    assert_eq!((lines(Level::ERROR), lines(Level::WARN)), (1, 0));
}

#[tokio::test]
async fn one_trace_goes_from_the_caller_through_the_service() {
    install_telemetry();
    let world = World::new();
    let seen = Arc::new(Mutex::new(None));
    let writer = Arc::clone(&seen);
    let flow = move |ctx: Ctx, message| {
        let context = tracing::Span::current().context();
        *writer.lock().expect("not poisoned") = Some(context.span().span_context().trace_id());
        own(ctx, message)
    };
    let peer = peer(world.serve(flow).await, ServiceAuth::new(world.service_tokens("booking")));
    let span = tracing::info_span!("visit");
    let trace = span.context().span().span_context().trace_id();
    assert_ne!(trace, TraceId::INVALID);
    let name = MemberId::new(world.clock.now()).name();
    let mut client = MemberServiceClient::new(peer);
    client.get_member(GetMemberRequest { name }).instrument(span).await.expect("services may");
    assert_eq!(*seen.lock().expect("not poisoned"), Some(trace));
}
