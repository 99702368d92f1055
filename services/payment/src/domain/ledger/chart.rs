//! The chart of accounts; the table in the documentation of [`ledger`](super) explains it, and `ledger_account` holds it
//! for SQL.

/// What an account is in a balance sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// What we have; normally above zero.
    Asset,
    /// What we owe; normally below zero.
    Liability,
    /// What we have earned; normally below zero.
    Revenue,
    /// What it has cost us; normally above zero.
    Expense,
}

impl AccountKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Revenue => "revenue",
            Self::Expense => "expense",
        }
    }
}

/// Whom the entries of an account are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartyKind {
    /// A payment provider, `providers/<name>`.
    Provider,
    /// A customer, `members/<uuid>`.
    Customer,
    /// A stored-value card.
    Card,
    /// A prepaid contract.
    Contract,
    /// A therapist, `therapists/<uuid>`.
    Therapist,
    /// A partner platform.
    Partner,
}

impl PartyKind {
    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Customer => "customer",
            Self::Card => "card",
            Self::Contract => "contract",
            Self::Therapist => "therapist",
            Self::Partner => "partner",
        }
    }
}

macro_rules! chart {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $kind:ident, $party:expr, checked: $checked:literal;)*) => {
        /// An account of the ledger.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Account {
            $($(#[$doc])* $name,)*
        }

        impl Account {
            /// All of them, in the order of the chart.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code that is stored and shown.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it is in a balance sheet.
            pub const fn kind(self) -> AccountKind {
                match self { $(Self::$name => AccountKind::$kind,)* }
            }

            /// Whom each of its entries names; `None` if they name nobody.
            pub const fn party(self) -> Option<PartyKind> {
                match self { $(Self::$name => $party,)* }
            }

            /// Whether it must never owe its party less than nothing.
            pub const fn is_checked(self) -> bool {
                match self { $(Self::$name => $checked,)* }
            }
        }
    };
}

chart! {
    /// What a provider has captured for us.
    ProviderReceivable = "provider_receivable", Asset, Some(PartyKind::Provider), checked: false;
    /// What the card terminals at the desks have taken.
    CardTerminal = "card_terminal", Asset, None, checked: false;
    /// Cash at the desks.
    CashDrawer = "cash_drawer", Asset, None, checked: false;
    /// Money at the bank.
    Bank = "bank", Asset, None, checked: false;
    /// What stores have to get from each other.
    StoreClearing = "store_clearing", Asset, None, checked: false;
    /// What reconciliation has found and nobody has explained yet.
    Suspense = "suspense", Asset, None, checked: false;
    /// Money of customers whose visit is not fully paid.
    CustomerDeposits = "customer_deposits", Liability, Some(PartyKind::Customer), checked: false;
    /// Refunds decided and not yet done.
    RefundsPayable = "refunds_payable", Liability, Some(PartyKind::Customer), checked: false;
    /// Money on stored-value cards.
    StoredValuePrincipal = "stored_value_principal", Liability, Some(PartyKind::Card), checked: true;
    /// What was given on top of the money on stored-value cards.
    StoredValueBonus = "stored_value_bonus", Liability, Some(PartyKind::Card), checked: true;
    /// What of prepaid contracts is paid and not yet delivered.
    PrepaidLiability = "prepaid_liability", Liability, Some(PartyKind::Contract), checked: true;
    /// Commission earned and not yet paid.
    CommissionPayable = "commission_payable", Liability, Some(PartyKind::Therapist), checked: false;
    /// Tips taken for somebody and not yet handed over.
    TipsPayable = "tips_payable", Liability, Some(PartyKind::Therapist), checked: true;
    /// What partners have to get.
    PartnerPayable = "partner_payable", Liability, Some(PartyKind::Partner), checked: false;
    /// Tax taken and not yet paid.
    TaxPayable = "tax_payable", Liability, None, checked: false;
    /// What was delivered.
    Takings = "takings", Revenue, None, checked: false;
    /// What was kept of orders that ended before they were fully paid.
    ForfeitedDeposits = "forfeited_deposits", Revenue, None, checked: false;
    /// What was paid ahead and will never be asked for.
    Breakage = "breakage", Revenue, None, checked: false;
    /// Bonus, vouchers and points given away.
    PromotionExpense = "promotion_expense", Expense, None, checked: false;
    /// What providers keep for themselves.
    ProviderFees = "provider_fees", Expense, Some(PartyKind::Provider), checked: false;
    /// Commission earned by others.
    CommissionExpense = "commission_expense", Expense, None, checked: false;
    /// Drawers that did not hold what they should.
    CashOverShort = "cash_over_short", Expense, None, checked: false;
    /// What providers' bills differed by, and was written off.
    ReconciliationDifferences = "reconciliation_differences", Expense, None, checked: false;
}

impl Account {
    /// Reads a stored code.
    pub fn from_stored(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|account| account.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checked_account_owes_something_to_somebody() {
        for account in Account::ALL.iter().filter(|account| account.is_checked()) {
            assert!(account.kind() == AccountKind::Liability && account.party().is_some(), "{}", account.code());
        }
    }

    #[test]
    fn every_account_is_explained() {
        let explained = include_str!("mod.rs");
        for account in Account::ALL {
            let row = |party| format!("//! | `{}` | {} | {party} | ", account.code(), account.kind().as_str());
            let row = row(account.party().map_or("–", PartyKind::as_str));
            let line = explained.lines().find(|line| line.starts_with(&row));
            assert!(line.is_some_and(|line| line.contains("**checked**") == account.is_checked()), "{row}");
            assert_eq!(Account::from_stored(account.code()), Some(*account));
        }
    }
}
