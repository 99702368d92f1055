//! Why the money goes back, and at whose door that is laid.

use super::citation::Source;

/// Whose cause it is. It decides price (Art. 18, 19), interest (Art. 16) and costs (Art. 15 ¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attribution {
    /// The merchant's (因经营者原因).
    Merchant,
    /// The consumer's (因消费者原因).
    Consumer,
    /// Nobody's: not the consumer's (非因消费者原因), but not the merchant's either.
    Neither,
}

/// Why the money goes back.
///
/// A transfer of the contract to another consumer (Art. 11) is no cause: it ends nothing, and whoever holds the
/// contract gets the same refund. A contract that gives the consumer a right to leave at will is [`Self::ConsumerWish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The merchant moved, which is plainly inconvenient for the consumer.
    MerchantMoved,
    /// The merchant handed its duties to somebody else without the consumer's consent.
    MerchantHandedOver,
    /// The merchant promised unlimited service and can't properly give it. Passes only.
    MerchantCannotServe,
    /// Another breach by the merchant that gives a right to end the contract, such as closing down, a higher price or
    /// lower quality (Art. 12).
    MerchantBreach,
    /// The consumer's health no longer allows it.
    ConsumerHealth,
    /// The consumer died. The text does not name it; it is the utmost case of the one before.
    ConsumerDeath,
    /// Another change of what the contract was built upon that nobody could foresee.
    ChangedCircumstances,
    /// Force majeure.
    ForceMajeure,
    /// The consumer had no capacity, or too little, to make the contract, which is void (Art. 10).
    Incapacity,
    /// The consumer no longer wants it.
    ConsumerWish,
    /// The consumer broke the contract.
    ConsumerBreach,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 11] = [
        Self::MerchantMoved,
        Self::MerchantHandedOver,
        Self::MerchantCannotServe,
        Self::MerchantBreach,
        Self::ConsumerHealth,
        Self::ConsumerDeath,
        Self::ChangedCircumstances,
        Self::ForceMajeure,
        Self::Incapacity,
        Self::ConsumerWish,
        Self::ConsumerBreach,
    ];

    /// The word for programs.
    pub const fn key(self) -> &'static str {
        match self {
            Self::MerchantMoved => "merchant_moved",
            Self::MerchantHandedOver => "merchant_handed_over",
            Self::MerchantCannotServe => "merchant_cannot_serve",
            Self::MerchantBreach => "merchant_breach",
            Self::ConsumerHealth => "consumer_health",
            Self::ConsumerDeath => "consumer_death",
            Self::ChangedCircumstances => "changed_circumstances",
            Self::ForceMajeure => "force_majeure",
            Self::Incapacity => "incapacity",
            Self::ConsumerWish => "consumer_wish",
            Self::ConsumerBreach => "consumer_breach",
        }
    }

    /// At whose door it is laid.
    ///
    /// Art. 13 ¶2 treats the consumer's health as a change of what the contract was built upon, not as something that
    /// the consumer answers for; hence it is nobody's.
    pub const fn attribution(self) -> Attribution {
        match self {
            Self::MerchantMoved | Self::MerchantHandedOver | Self::MerchantCannotServe | Self::MerchantBreach => {
                Attribution::Merchant
            }
            Self::ConsumerHealth
            | Self::ConsumerDeath
            | Self::ChangedCircumstances
            | Self::ForceMajeure
            | Self::Incapacity => Attribution::Neither,
            Self::ConsumerWish | Self::ConsumerBreach => Attribution::Consumer,
        }
    }

    /// Where the right to end the contract comes from; for the consumer's own causes the law gives none, and the
    /// parties have to agree.
    pub const fn source(self) -> Source {
        match self {
            Self::MerchantMoved => Source::Art13P1Item1,
            Self::MerchantHandedOver => Source::Art13P1Item2,
            Self::MerchantCannotServe => Source::Art13P1Item3,
            Self::MerchantBreach | Self::ForceMajeure => Source::Art13P1Item4,
            Self::ConsumerHealth | Self::ConsumerDeath | Self::ChangedCircumstances => Source::Art13P2,
            Self::Incapacity => Source::Art10,
            Self::ConsumerWish | Self::ConsumerBreach => Source::CivilCode562,
        }
    }
}
