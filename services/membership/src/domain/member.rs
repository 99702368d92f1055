//! Members.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{MemberId, StoreId},
};

use super::{phone::Phone, tier::Tier};

/// Who a member is. It is empty once his personal data was erased.
#[derive(Debug, Clone)]
pub struct Person {
    /// His phone.
    pub phone: Phone,
    /// How to address him.
    pub display_name: String,
}

/// What is kept of a member beside who he is.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// The store through which he came.
    pub store: Option<StoreId>,
    /// How he ranks.
    pub tier: Tier,
    /// Since when his spend has been too low for the tier.
    pub tier_low_since: Option<Timestamp>,
    /// When the tier is looked at again.
    pub tier_review_time: Option<Timestamp>,
    /// When he registered.
    pub create_time: Timestamp,
    /// The version of the newest event about him.
    pub version: i64,
}

/// A member with all that a reader sees.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The member.
    pub member: Member,
    /// Who he is, unless that was erased.
    pub person: Option<Person>,
    /// Points that he can spend.
    pub points: i64,
    /// What he spent in the last 365 days.
    pub rolling_spend: Money,
}

/// The form of address that came in as `field`, without spaces around it.
pub fn display_name(field: &str, text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "must have a letter or another visible sign, and no control characters"));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_visible() {
        assert_eq!(display_name("display_name", " 王 芳 ").ok().as_deref(), Some("王 芳"));
        assert!(display_name("display_name", " \t").is_err());
        assert!(display_name("display_name", "a\0b").is_err());
    }
}
