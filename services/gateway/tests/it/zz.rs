use gateway::Config;
use http::Method;
use crate::{booking, harness::{request, signed_in, with}};

#[tokio::test]
async fn zz_cancels() {
    let (gateway, seen) = booking::gateway(Config::default()).await;
    let slow = with(signed_in(request(Method::GET, "/v1/bookings/slow", "")), "grpc-timeout", "5S");
    let attack = async {
        testkit::eventually(std::time::Duration::from_secs(10), || async { seen.calls() == 1 }).await;
        for round in 0..30u64 {
            let calls = (0..200).map(|_| {
                let call = signed_in(request(Method::GET, "/v1/bookings/slow", ""));
                tokio::time::timeout(std::time::Duration::from_micros(200 * round), gateway.send(call))
            });
            let _ = futures_util::future::join_all(calls).await;
        }
        eprintln!("calls seen {}", seen.calls());
    };
    let (slow, ()) = tokio::join!(gateway.send(slow), attack);
    slow.refused(504, "DEADLINE_EXCEEDED");
}
