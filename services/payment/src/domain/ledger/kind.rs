//! Why something is booked; the table in the documentation of [`ledger`](super) says what on which accounts.

/// Why something is booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Money came.
    Capture,
    /// All of an order is paid.
    Recognise,
    /// All of an order is paid that is for a card or a contract.
    PaidAhead,
    /// Something was added to an order that was paid in full.
    Reopen,
    /// Somebody has earned by a visit.
    CommissionAccrued,
    /// The order of the visit was refunded.
    CommissionReversed,
    /// A settlement list was paid.
    CommissionPaid,
    /// Money shall go back.
    RefundDecided,
    /// Money is kept although the visit doesn't take place.
    Forfeit,
    /// Money is back.
    RefundDone,
    /// A session of a prepaid contract was had.
    ContractUse,
    /// Days of a prepaid contract have passed.
    ContractTime,
    /// A prepaid contract was ended.
    ContractSettled,
    /// What was left of a prepaid contract is written off.
    Breakage,
    /// Bonus is given with a top-up.
    BonusGranted,
    /// Bonus lapses.
    BonusExpired,
    /// All that is on a card moves to another.
    CardReplaced,
    /// What a top-up gives back is not what was left of its money.
    SetOff,
    /// A provider's bill says what it keeps.
    ProviderFees,
    /// A provider's bill differs from what we have.
    BreaksFound,
    /// A difference is worked off.
    BreakSettled,
    /// Money shall go back by hand.
    PayoutDecided,
    /// Money went back by hand.
    PayoutDone,
    /// Cash is put into a drawer.
    CashIn,
    /// Cash is taken out of a drawer.
    CashOut,
    /// A drawer was counted and did not hold what it should.
    CashDifference,
    /// A session of a prepaid contract that was had is given back.
    UseReturned,
    /// All of a tip is paid.
    Tip,
    /// Tips are handed over.
    TipPayout,
}

impl Kind {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Capture,
        Self::Recognise,
        Self::PaidAhead,
        Self::Reopen,
        Self::CommissionAccrued,
        Self::CommissionReversed,
        Self::CommissionPaid,
        Self::RefundDecided,
        Self::Forfeit,
        Self::RefundDone,
        Self::ContractUse,
        Self::ContractTime,
        Self::ContractSettled,
        Self::Breakage,
        Self::BonusGranted,
        Self::BonusExpired,
        Self::CardReplaced,
        Self::SetOff,
        Self::ProviderFees,
        Self::BreaksFound,
        Self::BreakSettled,
        Self::PayoutDecided,
        Self::PayoutDone,
        Self::CashIn,
        Self::CashOut,
        Self::CashDifference,
        Self::UseReturned,
        Self::Tip,
        Self::TipPayout,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Recognise => "recognise",
            Self::PaidAhead => "paid_ahead",
            Self::Reopen => "reopen",
            Self::CommissionAccrued => "commission_accrued",
            Self::CommissionReversed => "commission_reversed",
            Self::CommissionPaid => "commission_paid",
            Self::RefundDecided => "refund_decided",
            Self::Forfeit => "forfeit",
            Self::RefundDone => "refund_done",
            Self::ContractUse => "contract_use",
            Self::ContractTime => "contract_time",
            Self::ContractSettled => "contract_settled",
            Self::Breakage => "breakage",
            Self::BonusGranted => "bonus_granted",
            Self::BonusExpired => "bonus_expired",
            Self::CardReplaced => "card_replaced",
            Self::SetOff => "set_off",
            Self::ProviderFees => "provider_fees",
            Self::BreaksFound => "breaks_found",
            Self::BreakSettled => "break_settled",
            Self::PayoutDecided => "payout_decided",
            Self::PayoutDone => "payout_done",
            Self::CashIn => "cash_in",
            Self::CashOut => "cash_out",
            Self::CashDifference => "cash_difference",
            Self::UseReturned => "use_returned",
            Self::Tip => "tip",
            Self::TipPayout => "tip_payout",
        }
    }

    /// Reads the stored word.
    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}
