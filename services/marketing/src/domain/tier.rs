//! How a member ranks.

/// How a member ranks, as membership tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tier {
    /// From the start, and as long as nothing else was heard.
    #[default]
    Member,
    /// The second tier.
    Silver,
    /// The third tier.
    Gold,
    /// The highest tier.
    Platinum,
}

impl Tier {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Member, Self::Silver, Self::Gold, Self::Platinum];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "MEMBER",
            Self::Silver => "SILVER",
            Self::Gold => "GOLD",
            Self::Platinum => "PLATINUM",
        }
    }

    /// Reads [`Tier::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == word)
    }

    /// What its members are called in a sentence that begins with it.
    pub const fn people(self) -> &'static str {
        match self {
            Self::Member => "Members",
            Self::Silver => "Silver members",
            Self::Gold => "Gold members",
            Self::Platinum => "Platinum members",
        }
    }
}
