//! Wire ↔ domain.

use kernel::{Result, ids::StoreId};
use proto::{access::v1 as access, membership::v1 as pb};
use rpc::convert::{to_money, to_timestamp};

use crate::domain::{
    member::Profile,
    points::{Entry, EntryKind},
    staff::Staff,
    tier::Tier,
};

/// How much of a phone number a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All of it: the member himself.
    Clear,
    /// The last four digits.
    Masked,
}

/// Reads a text that may be missing.
pub fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

/// A member for the wire; name and phone are empty if they were erased.
pub fn to_member(profile: &Profile, sight: Sight) -> pb::Member {
    let Profile { member, person, points, rolling_spend } = profile;
    let phone = person.as_ref().map(|person| match sight {
        Sight::Clear => person.phone.as_str().to_owned(),
        Sight::Masked => person.phone.masked(),
    });
    pb::Member {
        name: member.id.name(),
        display_name: person.as_ref().map(|person| person.display_name.clone()).unwrap_or_default(),
        phone: phone.unwrap_or_default(),
        tier: to_tier(member.tier).into(),
        points: *points,
        rolling_spend: Some(to_money(*rolling_spend)),
        store: member.store.map(StoreId::name).unwrap_or_default(),
        create_time: Some(to_timestamp(member.create_time)),
    }
}

/// A tier for the wire.
pub fn to_tier(tier: Tier) -> pb::Tier {
    match tier {
        Tier::Member => pb::Tier::Member,
        Tier::Silver => pb::Tier::Silver,
        Tier::Gold => pb::Tier::Gold,
        Tier::Platinum => pb::Tier::Platinum,
    }
}

/// A change of points for the wire.
pub fn to_entry(entry: &Entry) -> pb::PointsEntry {
    use pb::points_entry::Kind;
    let kind = match entry.kind {
        EntryKind::Earned => Kind::Earned,
        EntryKind::Revoked => Kind::Revoked,
        EntryKind::Expired => Kind::Expired,
        EntryKind::Spent => Kind::Spent,
        EntryKind::Returned => Kind::Returned,
    };
    pb::PointsEntry {
        points: entry.points,
        kind: kind.into(),
        source: entry.order.name(),
        create_time: Some(to_timestamp(entry.create_time)),
        expire_time: entry.expire_time.map(to_timestamp),
    }
}

/// An account for the wire.
pub fn to_staff(staff: &Staff) -> pb::Staff {
    pb::Staff {
        name: staff.id.name(),
        user_name: staff.user_name.clone(),
        display_name: staff.display_name.clone(),
        roles: staff.roles.iter().map(|role| access::Role::from(*role).into()).collect(),
        store: staff.store.map(StoreId::name).unwrap_or_default(),
        create_time: Some(to_timestamp(staff.create_time)),
    }
}
