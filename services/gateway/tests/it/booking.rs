//! A booking service with canned answers, behind the real server layer.

use std::sync::{Arc, Mutex};

use gateway::{Backends, Config};
use proto::{
    booking::v1::{
        Booking, CancelBookingRequest, CheckInBookingRequest, CompleteBookingRequest, ExplainSlotsRequest,
        ExplainSlotsResponse, GetBookingRequest, HoldSlotRequest, ListBookingsRequest, ListBookingsResponse,
        SearchSlotsRequest, SearchSlotsResponse, StartBookingRequest,
        booking_service_server::{BookingService, BookingServiceServer},
    },
    google::r#type::Money,
};
use tonic::{Code, Request, Response, Status, metadata::MetadataMap, service::Routes, transport::Channel};
use tonic_types::{ErrorDetails, StatusExt};

use crate::harness::Gateway;

pub const BOOKING: &str = "bookings/0192f3c4-7d9e-7000-8000-3f2a51c0ffee";
pub const PACKAGE: &str = "meridian.booking.v1";

/// What the service was called with.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub metadata: Arc<Mutex<Vec<MetadataMap>>>,
    pub lists: Arc<Mutex<Vec<ListBookingsRequest>>>,
    pub holds: Arc<Mutex<Vec<HoldSlotRequest>>>,
    pub cancels: Arc<Mutex<Vec<CancelBookingRequest>>>,
}

impl Seen {
    pub fn calls(&self) -> usize {
        self.metadata.lock().expect("no panic holds it").len()
    }

    pub fn metadata(&self, name: &str) -> Option<String> {
        let calls = self.metadata.lock().expect("no panic holds it");
        calls.last().and_then(|metadata| metadata.get(name)).map(|value| value.to_str().expect("text").to_owned())
    }
}

/// A gateway in front of the service.
pub async fn gateway(config: Config) -> (Gateway, Seen) {
    let seen = Seen::default();
    let channel = serve(seen.clone()).await;
    let backends = Backends::new().with(PACKAGE, channel);
    let descriptors = gateway::descriptors().expect("the descriptor set is valid");
    (Gateway::start(descriptors, backends, config).await, seen)
}

pub async fn serve(seen: Seen) -> Channel {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("", tonic_health::ServingStatus::Serving).await;
    testkit::serve(Routes::new(health).add_service(BookingServiceServer::new(Canned(seen)))).await
}

struct Canned(Seen);

impl Canned {
    fn note<T>(&self, request: &Request<T>) {
        self.0.metadata.lock().expect("no panic holds it").push(request.metadata().clone());
    }
}

pub fn booking(name: &str) -> Booking {
    Booking {
        name: name.to_owned(),
        start_time: Some(prost_types::Timestamp { seconds: 1_803_866_400, nanos: 0 }),
        state: 3,
        price: Some(Money { currency_code: "CNY".to_owned(), units: 128, nanos: 500_000_000 }),
        version: 9_007_199_254_740_993,
        ..Booking::default()
    }
}

#[tonic::async_trait]
impl BookingService for Canned {
    async fn get_booking(&self, request: Request<GetBookingRequest>) -> Result<Response<Booking>, Status> {
        self.note(&request);
        let name = request.into_inner().name;
        match name.as_str() {
            "bookings/slow" => std::future::pending().await,
            "bookings/taken" => {
                let details = ErrorDetails::with_error_info("SLOT_TAKEN", "meridian", std::collections::HashMap::new());
                Err(Status::with_error_details(Code::FailedPrecondition, "this time was just taken", details))
            }
            "bookings/gone" => {
                let details = ErrorDetails::with_error_info("NOT_FOUND", "meridian", std::collections::HashMap::new());
                Err(Status::with_error_details(Code::NotFound, "there is no such booking", details))
            }
            _ => Ok(Response::new(booking(&name))),
        }
    }

    async fn list_bookings(
        &self,
        request: Request<ListBookingsRequest>,
    ) -> Result<Response<ListBookingsResponse>, Status> {
        self.note(&request);
        self.0.lists.lock().expect("no panic holds it").push(request.into_inner());
        Ok(Response::new(ListBookingsResponse { bookings: vec![booking(BOOKING)], next_page_token: "more".to_owned() }))
    }

    async fn hold_slot(&self, request: Request<HoldSlotRequest>) -> Result<Response<Booking>, Status> {
        self.note(&request);
        self.0.holds.lock().expect("no panic holds it").push(request.into_inner());
        Ok(Response::new(booking(BOOKING)))
    }

    async fn cancel_booking(&self, request: Request<CancelBookingRequest>) -> Result<Response<Booking>, Status> {
        self.note(&request);
        let message = request.into_inner();
        let answer = booking(&message.name);
        self.0.cancels.lock().expect("no panic holds it").push(message);
        Ok(Response::new(answer))
    }

    async fn search_slots(
        &self,
        request: Request<SearchSlotsRequest>,
    ) -> Result<Response<SearchSlotsResponse>, Status> {
        self.note(&request);
        Ok(Response::new(SearchSlotsResponse::default()))
    }

    async fn explain_slots(
        &self,
        request: Request<ExplainSlotsRequest>,
    ) -> Result<Response<ExplainSlotsResponse>, Status> {
        self.note(&request);
        Ok(Response::new(ExplainSlotsResponse::default()))
    }

    async fn check_in_booking(&self, request: Request<CheckInBookingRequest>) -> Result<Response<Booking>, Status> {
        Ok(Response::new(booking(&request.into_inner().name)))
    }

    async fn start_booking(&self, request: Request<StartBookingRequest>) -> Result<Response<Booking>, Status> {
        Ok(Response::new(booking(&request.into_inner().name)))
    }

    async fn complete_booking(&self, request: Request<CompleteBookingRequest>) -> Result<Response<Booking>, Status> {
        Ok(Response::new(booking(&request.into_inner().name)))
    }
}
