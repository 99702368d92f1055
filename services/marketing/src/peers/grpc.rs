//! The services over gRPC.

use async_trait::async_trait;
use kernel::{
    ErrorKind, Result, Timestamp,
    ids::{BookingId, MemberId},
};
use proto::{
    booking::v1::{self as booking, booking::State, booking_service_client::BookingServiceClient},
    membership::v1::{self as membership, member_service_client::MemberServiceClient},
};
use rpc::{client::Peer, convert::timestamp, from_status};

use super::{Booking, Membership};
use crate::domain::phone::Phone;

/// Booking.
#[derive(Debug, Clone)]
pub struct GrpcBooking(BookingServiceClient<Peer>);

impl GrpcBooking {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(BookingServiceClient::new(peer))
    }
}

#[async_trait]
impl Booking for GrpcBooking {
    async fn confirmed_start(&self, booking: BookingId) -> Result<Option<Timestamp>> {
        let request = booking::GetBookingRequest { name: booking.name() };
        let booking = match self.0.clone().get_booking(request).await {
            Ok(reply) => reply.into_inner(),
            Err(status) => {
                let error = from_status(status, "booking");
                return if error.kind() == ErrorKind::NotFound { Ok(None) } else { Err(error) };
            }
        };
        if booking.state() != State::Confirmed {
            return Ok(None);
        }
        timestamp("start_time", booking.start_time.as_ref()).map(Some)
    }
}

/// Membership.
#[derive(Debug, Clone)]
pub struct GrpcMembership(MemberServiceClient<Peer>);

impl GrpcMembership {
    /// Over this channel.
    pub fn new(peer: Peer) -> Self {
        Self(MemberServiceClient::new(peer))
    }
}

#[async_trait]
impl Membership for GrpcMembership {
    async fn phone(&self, member: MemberId) -> Result<Phone> {
        let request = membership::GetContactRequest { member: member.name() };
        let contact = self.0.clone().get_contact(request).await.map_err(|status| from_status(status, "membership"))?;
        Phone::parse("phone", &contact.into_inner().phone)
    }
}
