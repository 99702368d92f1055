//! The systems that marketing calls: two services, and the channel by which messages go out.

mod channel;
mod grpc;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{
    Result, Timestamp,
    ids::{BookingId, MemberId},
};

use crate::domain::phone::Phone;

pub use channel::{ChannelPort, DemoMailbox, Outgoing};
pub use grpc::{GrpcBooking, GrpcMembership};

/// All of them.
#[derive(Clone)]
pub struct Peers {
    /// Whether a visit still stands.
    pub booking: Arc<dyn Booking>,
    /// Where to reach a member.
    pub membership: Arc<dyn Membership>,
    /// How messages go out.
    pub channel: Arc<dyn ChannelPort>,
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}

/// Whether a visit still stands. Each call may fail with `Unavailable`.
#[async_trait]
pub trait Booking: Send + Sync {
    /// When a visit starts that is confirmed and has not begun; `None` if it is anything else, or not there.
    async fn confirmed_start(&self, booking: BookingId) -> Result<Option<Timestamp>>;
}

/// Where to reach a member. Each call may fail with `Unavailable`.
#[async_trait]
pub trait Membership: Send + Sync {
    /// A member's phone number. `NotFound` if there is no such member.
    async fn phone(&self, member: MemberId) -> Result<Phone>;
}
