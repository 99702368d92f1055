//! The feeds that are read.

/// The feed of one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Feed {
    /// Stores and visits.
    Booking,
    /// Members and points.
    Membership,
    /// Money.
    Payment,
    /// Coupons and messages.
    Marketing,
}

impl Feed {
    /// Every feed that is read.
    pub const ALL: [Self; 4] = [Self::Booking, Self::Membership, Self::Payment, Self::Marketing];

    /// The name of the service.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Membership => "membership",
            Self::Payment => "payment",
            Self::Marketing => "marketing",
        }
    }
}
