//! A server in the process of the test.

use kernel::ids::{BookingId, MemberId};
use proto::booking::v1::{GetBookingRequest, booking_service_client::BookingServiceClient};
use testkit::{START, keys, serve, with_token};
use tonic::{Code, Request, service::Routes};
use tonic_health::{pb::health_client::HealthClient, server::health_reporter};

#[tokio::test]
async fn it_answers_behind_the_real_layer() {
    let (_reporter, health) = health_reporter();
    let channel = serve(Routes::new(health)).await;
    HealthClient::new(channel.clone()).check(Request::new(Default::default())).await.expect("health is open to all");

    let id = MemberId::new(START);
    let ask = async |token: String| {
        let request = GetBookingRequest { name: BookingId::new(START).name() };
        let answer = BookingServiceClient::new(channel.clone()).get_booking(with_token(request, &token)).await;
        answer.expect_err("nobody serves it").code()
    };
    assert_eq!(ask(keys().expired_token(id)).await, Code::Unauthenticated);
    assert_eq!(ask(keys().member_token(id)).await, Code::Unimplemented, "the token is good, the method isn't there");
}
