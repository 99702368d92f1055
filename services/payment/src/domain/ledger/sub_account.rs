//! What an entry is on: an account, at a store, about a party.

use std::fmt;

use kernel::{
    Uuid,
    ids::{CardId, ContractId, MemberId, StoreId, TherapistId},
};

use super::Account;

/// Whom money is about: a resource name such as `members/<uuid>`. It carries no personal data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party(String);

impl Party {
    /// Something of `collection`, such as `prepaidContracts`, by its id.
    pub fn new(collection: &'static str, id: Uuid) -> Self {
        Self(format!("{collection}/{id}"))
    }

    /// A payment provider by its short name, such as `sandbox`.
    pub fn provider(name: &'static str) -> Self {
        Self::named_provider(name)
    }

    /// The same by a name that came from elsewhere, of which it is known that there is such a provider.
    pub fn named_provider(name: &str) -> Self {
        Self(format!("providers/{name}"))
    }

    /// Takes over a name that was read back.
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// The resource name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl From<MemberId> for Party {
    fn from(id: MemberId) -> Self {
        Self(id.name())
    }
}

impl From<CardId> for Party {
    fn from(id: CardId) -> Self {
        Self(id.name())
    }
}

impl From<ContractId> for Party {
    fn from(id: ContractId) -> Self {
        Self(id.name())
    }
}

impl From<TherapistId> for Party {
    fn from(id: TherapistId) -> Self {
        Self(id.name())
    }
}

/// What an entry is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubAccount {
    /// The account of the chart.
    pub account: Account,
    /// Where it happened; `None` is the head office.
    pub store: Option<StoreId>,
    /// Whom it is about; given exactly if the chart names a kind of party.
    pub party: Option<Party>,
}

impl Account {
    /// This account at a store.
    pub const fn at(self, store: StoreId) -> SubAccount {
        SubAccount { account: self, store: Some(store), party: None }
    }

    /// This account at the head office.
    pub const fn at_head_office(self) -> SubAccount {
        SubAccount { account: self, store: None, party: None }
    }
}

impl SubAccount {
    /// About `party`.
    #[must_use]
    pub fn of(self, party: impl Into<Party>) -> Self {
        Self { party: Some(party.into()), ..self }
    }
}

impl fmt::Display for SubAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.account.code())?;
        self.party.as_ref().map_or(Ok(()), |party| write!(f, " of {}", party.name()))?;
        self.store.map_or(Ok(()), |store| write!(f, " at {store}"))
    }
}
