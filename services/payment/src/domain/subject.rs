//! What an order is for.

use kernel::{
    Error, Result, Uuid,
    ids::{BookingId, CardId, ContractId, StoreId, TipId},
};

use super::ledger::{Account, Kind, Party, SubAccount};

/// What an order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A visit.
    Visit(BookingId),
    /// Money for a stored-value card.
    TopUp(CardId),
    /// A prepaid contract.
    Contract(ContractId),
    /// A tip; its lines are its therapists'.
    Tip(TipId),
}

impl Subject {
    /// The word that is stored.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Visit(_) => "visit",
            Self::TopUp(_) => "top_up",
            Self::Contract(_) => "contract",
            Self::Tip(_) => "tip",
        }
    }

    /// The id of the thing.
    pub const fn id(self) -> Uuid {
        match self {
            Self::Visit(id) => id.uuid(),
            Self::TopUp(id) => id.uuid(),
            Self::Contract(id) => id.uuid(),
            Self::Tip(id) => id.uuid(),
        }
    }

    /// Its resource name.
    pub fn name(self) -> String {
        match self {
            Self::Visit(id) => id.name(),
            Self::TopUp(id) => id.name(),
            Self::Contract(id) => id.name(),
            Self::Tip(id) => id.name(),
        }
    }

    /// The visit, if it is one.
    pub const fn visit(self) -> Option<BookingId> {
        match self {
            Self::Visit(id) => Some(id),
            Self::TopUp(_) | Self::Contract(_) | Self::Tip(_) => None,
        }
    }

    /// Reads what is stored; `None` if no code of ours can have stored it.
    pub fn from_stored(kind: &str, id: Uuid) -> Option<Self> {
        Some(match kind {
            "visit" => Self::Visit(BookingId::from_uuid(id)),
            "top_up" => Self::TopUp(CardId::from_uuid(id)),
            "contract" => Self::Contract(ContractId::from_uuid(id)),
            "tip" => Self::Tip(TipId::from_uuid(id)),
            _ => return None,
        })
    }

    /// Where the money of an order lies that is paid in full: what a visit costs is earned; what is paid ahead is owed to
    /// its card or contract until it is spent. That of a tip is owed to a therapist for each line, who is the party.
    pub fn account(self, store: StoreId) -> SubAccount {
        match self {
            Self::Visit(_) => Account::Takings.at(store),
            Self::TopUp(id) => Account::StoredValuePrincipal.at(store).of(Party::from(id)),
            Self::Contract(id) => Account::PrepaidLiability.at(store).of(Party::from(id)),
            Self::Tip(_) => Account::TipsPayable.at(store),
        }
    }

    /// Why the money of an order moves there.
    pub const fn settled_as(self) -> Kind {
        match self {
            Self::Visit(_) => Kind::Recognise,
            Self::TopUp(_) | Self::Contract(_) => Kind::PaidAhead,
            Self::Tip(_) => Kind::Tip,
        }
    }

    /// That something of it can be given back though it goes on: what is paid ahead has rules of its own.
    ///
    /// # Errors
    /// `NOT_A_VISIT`.
    pub fn must_give_back(self) -> Result<()> {
        if let Self::Tip(_) = self { Ok(()) } else { self.must_be_visit() }
    }

    /// That it is a visit, to which things can be added, and which can be paid by what was paid ahead.
    ///
    /// # Errors
    /// `NOT_A_VISIT`.
    pub fn must_be_visit(self) -> Result<()> {
        match self {
            Self::Visit(_) => Ok(()),
            Self::TopUp(_) | Self::Contract(_) | Self::Tip(_) => {
                Err(Error::precondition("NOT_A_VISIT", "the order is not for a visit").with("subject", self.name()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_reads_back() {
        let id = Uuid::from_u128(7);
        for kind in ["visit", "top_up", "contract", "tip"] {
            let subject = Subject::from_stored(kind, id).expect("known");
            assert_eq!((subject.kind(), subject.id()), (kind, id));
            assert!(subject.name().ends_with(&id.to_string()));
            assert_eq!(subject.visit().is_some(), subject.must_be_visit().is_ok());
        }
        assert_eq!(Subject::from_stored("gift", id), None);
    }

    #[test]
    fn only_a_visit_is_earned_when_it_is_paid() {
        let (id, store) = (Uuid::from_u128(7), StoreId::from_uuid(Uuid::from_u128(8)));
        let accounts = ["visit", "top_up", "contract", "tip"]
            .map(|kind| Subject::from_stored(kind, id).map(|subject| subject.account(store).account));
        let expected =
            [Account::Takings, Account::StoredValuePrincipal, Account::PrepaidLiability, Account::TipsPayable];
        assert_eq!(accounts, expected.map(Some));
    }
}
