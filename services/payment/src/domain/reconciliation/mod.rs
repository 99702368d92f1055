//! Reconciliation: a provider's bill of a day against what we have.
//!
//! A line of a bill fits if we have captured, or given back, just that. Whatever doesn't fit is a [`Break`]. What a break
//! says that we have more at the provider than we knew (or less: below zero) goes into `suspense` in the transaction that
//! finds it, so that `provider_receivable` is what the provider says; and it leaves `suspense` when somebody works the
//! break off with a [`Resolution`].
//!
//! # Kinds of breaks
//!
//! | kind | it means | difference |
//! |---|---|---|
//! | `missing_there` | we captured or gave back on the day, and neither this bill nor one before has it | all of it, reversed |
//! | `missing_here` | the bill has a sale, or a refund of a sale of ours, that we don't know | all of it |
//! | `amount` | both have it, with different amounts | theirs less ours |
//! | `fee` | the provider keeps another fee than was agreed | none: fees are booked as they are |
//! | `state` | one says that it happened, the other that it didn't | all of it |
//! | `currency` | both have it, in different currencies | ours, reversed; theirs can't be added to it |
//! | `date` | a line is of another day than its bill | none |
//! | `duplicate` | this bill, or one before, has it already | all of it |
//! | `refund_without_sale` | something went back of which we have never had anything | all of it |
//! | `split` | the bill has in parts what we have in one, and they add up | none |
//! | `unknown_merchant` | the bill is that of another merchant: it is refused as a whole | none |
//! | `late` | we learned of it on another day | none |
//!
//! # The proof of a day
//!
//! What the bill moves, less what we moved on that day, is what the breaks say and what fits on other days; a check of the
//! database holds that to the fen:
//!
//! ```text
//! (sales - refunds) - (our_sales - our_refunds) = in_breaks + on_other_days
//! ```

mod name;
mod posting;

use kernel::{Money, Timestamp, Uuid, ids::StoreId};

pub use name::{BreakName, DayName};
pub use posting::{fees, found, settled};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$each])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the stored word.
            pub fn from_stored(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|of| of.as_str() == word)
            }
        }
    };
}

words! {
    /// In what a bill and our books differ; the table above explains it.
    BreakKind {
        /// We have it, the bill has not.
        MissingThere = "missing_there",
        /// The bill has it, we have not.
        MissingHere = "missing_here",
        /// The amount.
        Amount = "amount",
        /// The fee.
        Fee = "fee",
        /// Whether it happened.
        State = "state",
        /// The currency.
        Currency = "currency",
        /// The day of the line and that of its bill.
        Date = "date",
        /// It was on a bill before.
        Duplicate = "duplicate",
        /// Something went back that never came.
        RefundWithoutSale = "refund_without_sale",
        /// It is there in parts.
        Split = "split",
        /// The bill is another merchant's.
        UnknownMerchant = "unknown_merchant",
        /// The day on which we learned of it.
        Late = "late",
    }
}

words! {
    /// How a break is worked off.
    Resolution {
        /// A later bill has it after all.
        Arrived = "arrived",
        /// It was booked here in the usual way meanwhile.
        BookedHere = "booked_here",
        /// The provider has put it right.
        CorrectedThere = "corrected_there",
        /// It is our gain or loss.
        WrittenOff = "written_off",
        /// It is understood, and no money is wrong.
        Explained = "explained",
    }
}

/// Something in which a bill and our books differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// The proof of the day that it was found for.
    pub proof: Uuid,
    /// What it is called.
    pub name: BreakName,
    /// In what they differ.
    pub kind: BreakKind,
    /// The payment, if it is one of ours.
    pub payment: Option<Uuid>,
    /// The refund, if it is about one of ours.
    pub refund: Option<Uuid>,
    /// The merchant's number as the bill states it.
    pub reference: String,
    /// The provider's own id of the payment.
    pub transaction: String,
    /// Whose; `None` is the head office, also if no store is known.
    pub store: Option<StoreId>,
    /// What we have.
    pub ours: Option<Money>,
    /// What the bill has, in minor units; for a fee in hundred-thousandths of the currency's unit.
    pub theirs_minor: Option<i64>,
    /// The code of the bill's currency, if it has a line.
    pub theirs_currency: Option<String>,
    /// What we have more at the provider than we knew.
    pub difference: Money,
    /// How it was worked off, with a note, and when; `None` if it wasn't.
    pub resolved: Option<(Resolution, String, Timestamp)>,
    /// When it was found.
    pub create_time: Timestamp,
}

/// What the bill of a day came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayProof {
    /// Its id.
    pub id: Uuid,
    /// Whose bill of which day.
    pub name: DayName,
    /// Why the last bill was refused; `None` if one was matched.
    pub refusal: Option<String>,
    /// SHA-256 of the bill, in hex; empty if there is none of the day.
    pub sha256: String,
    /// How many lines the bill has.
    pub lines: i64,
    /// How many of them fit.
    pub matched: i64,
    /// The bill's sales.
    pub sales: Money,
    /// The bill's refunds.
    pub refunds: Money,
    /// What the provider keeps.
    pub fees: Money,
    /// What we captured.
    pub our_sales: Money,
    /// What we gave back.
    pub our_refunds: Money,
    /// What the breaks explain of the difference.
    pub in_breaks: Money,
    /// What other days explain of it.
    pub on_other_days: Money,
    /// How many breaks were found.
    pub breaks: i64,
    /// How many of them are open.
    pub open_breaks: i64,
    /// When it was made.
    pub create_time: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_kinds_are_told_apart_and_explained() {
        assert_eq!(BreakKind::ALL.len(), 12);
        let explained = include_str!("mod.rs");
        for kind in BreakKind::ALL {
            assert_eq!(BreakKind::from_stored(kind.as_str()), Some(*kind));
            assert!(explained.contains(&format!("//! | `{}` | ", kind.as_str())), "{kind:?}");
        }
        assert_eq!(Resolution::from_stored("lost"), None);
    }
}
