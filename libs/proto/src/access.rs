//! Who may call which RPC.

use std::fmt;
use std::str::FromStr;

pub use crate::generated::meridian::access::v1;

include!("gen/access.rs");

/// The rule of an RPC by its path, such as `/meridian.booking.v1.BookingService/GetBooking`; none for a path that is not
/// an RPC of the suite (health, reflection, and what does not exist).
pub fn rule(path: &str) -> Option<&'static Rule> {
    let index = ALL.binary_search_by_key(&path, |(path, _)| path).ok()?;
    ALL.get(index).map(|(_, rule)| rule)
}

/// Who may call an RPC, and on whose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Anybody may call, signed in or not; then `roles` is empty.
    pub public: bool,
    /// Who may call; one of these is enough.
    pub roles: &'static [Role],
    /// Whose data the caller reaches.
    pub scope: Scope,
}

impl Rule {
    /// Whether a caller with these roles may call.
    pub fn admits(&self, roles: &[Role]) -> bool {
        self.public || self.roles.iter().any(|role| roles.contains(role))
    }
}

/// Whose data a caller reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The data belong to nobody in particular.
    None,
    /// A member reaches his own data only; staff bound to a store reach that store's only.
    Own,
}

/// What a caller is; see `meridian/access/v1/access.proto` for what each does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A customer who is signed in.
    Member,
    /// Gives treatments.
    Therapist,
    /// Receives customers and sits at the till.
    FrontDesk,
    /// Runs one store.
    StoreManager,
    /// Runs several stores.
    RegionalManager,
    /// Plans campaigns.
    Marketing,
    /// Looks after money.
    Finance,
    /// Answers customers.
    Support,
    /// May do everything that staff may do.
    Administrator,
    /// Reads everything, changes nothing.
    Auditor,
    /// Another service of the suite.
    Service,
    /// A partner platform.
    Partner,
}

impl Role {
    /// Every role.
    pub const ALL: &[Role] = &[
        Role::Member,
        Role::Therapist,
        Role::FrontDesk,
        Role::StoreManager,
        Role::RegionalManager,
        Role::Marketing,
        Role::Finance,
        Role::Support,
        Role::Administrator,
        Role::Auditor,
        Role::Service,
        Role::Partner,
    ];

    /// The role as tokens and protos write it (there with the prefix `ROLE_`), such as `FRONT_DESK`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Member => "MEMBER",
            Role::Therapist => "THERAPIST",
            Role::FrontDesk => "FRONT_DESK",
            Role::StoreManager => "STORE_MANAGER",
            Role::RegionalManager => "REGIONAL_MANAGER",
            Role::Marketing => "MARKETING",
            Role::Finance => "FINANCE",
            Role::Support => "SUPPORT",
            Role::Administrator => "ADMINISTRATOR",
            Role::Auditor => "AUDITOR",
            Role::Service => "SERVICE",
            Role::Partner => "PARTNER",
        }
    }
}

/// The role as a message carries it.
impl From<Role> for v1::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => v1::Role::Member,
            Role::Therapist => v1::Role::Therapist,
            Role::FrontDesk => v1::Role::FrontDesk,
            Role::StoreManager => v1::Role::StoreManager,
            Role::RegionalManager => v1::Role::RegionalManager,
            Role::Marketing => v1::Role::Marketing,
            Role::Finance => v1::Role::Finance,
            Role::Support => v1::Role::Support,
            Role::Administrator => v1::Role::Administrator,
            Role::Auditor => v1::Role::Auditor,
            Role::Service => v1::Role::Service,
            Role::Partner => v1::Role::Partner,
        }
    }
}

/// The role in a message; an error for `ROLE_UNSPECIFIED`.
impl TryFrom<v1::Role> for Role {
    type Error = UnknownRole;

    fn try_from(role: v1::Role) -> Result<Self, UnknownRole> {
        Role::ALL.iter().copied().find(|known| v1::Role::from(*known) == role).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Role::ALL.iter().copied().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// A text names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRole;

impl fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a role")
    }
}

impl std::error::Error for UnknownRole {}
