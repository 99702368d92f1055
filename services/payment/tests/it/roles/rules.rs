//! Who may call which RPC.

use proto::access::Role;

const EVERYBODY: &[Role] = Role::ALL;
pub const READERS: &[Role] = &[
    Role::Member,
    Role::FrontDesk,
    Role::StoreManager,
    Role::RegionalManager,
    Role::Finance,
    Role::Support,
    Role::Administrator,
    Role::Auditor,
];

const ORDER_READERS: &[Role] = &[
    Role::Member,
    Role::FrontDesk,
    Role::StoreManager,
    Role::RegionalManager,
    Role::Finance,
    Role::Support,
    Role::Administrator,
    Role::Auditor,
    Role::Service,
];

const HOLDERS: &[Role] = &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Administrator];

const LEDGER_READERS: &[Role] = &[Role::Finance, Role::Administrator, Role::Auditor];
pub const SHEET_READERS: &[Role] =
    &[Role::StoreManager, Role::RegionalManager, Role::Finance, Role::Administrator, Role::Auditor];
const ACCRUAL_READERS: &[Role] =
    &[Role::Therapist, Role::StoreManager, Role::RegionalManager, Role::Finance, Role::Administrator, Role::Auditor];

const INVOICE_READERS: &[Role] = &[
    Role::Member,
    Role::FrontDesk,
    Role::StoreManager,
    Role::RegionalManager,
    Role::Finance,
    Role::Administrator,
    Role::Auditor,
];

const CARD_READERS: &[Role] = READERS;
const CARD_SELLERS: &[Role] = &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Administrator];
const CARD_STOPPERS: &[Role] = &[Role::StoreManager, Role::Finance, Role::Support, Role::Administrator];
const CARD_CHANGERS: &[Role] = &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Support, Role::Administrator];
const CARD_QUOTED: &[Role] = &[
    Role::Member,
    Role::FrontDesk,
    Role::StoreManager,
    Role::Finance,
    Role::Support,
    Role::Administrator,
    Role::Auditor,
];
const CAMPAIGN_READERS: &[Role] = &[
    Role::Member,
    Role::FrontDesk,
    Role::StoreManager,
    Role::RegionalManager,
    Role::Marketing,
    Role::Finance,
    Role::Support,
    Role::Administrator,
    Role::Auditor,
];

const DESK: &[Role] = &[Role::FrontDesk, Role::StoreManager, Role::Administrator];
const DRAWER_READERS: &[Role] =
    &[Role::FrontDesk, Role::StoreManager, Role::RegionalManager, Role::Finance, Role::Administrator, Role::Auditor];

/// Who is let in. `NotifyPayment` is open to all, as its signature is the proof.
pub const RULES: &[(&str, &[Role])] = &[
    ("CreateOrder", &[Role::Service]),
    ("GetOrder", ORDER_READERS),
    ("ListOrders", READERS),
    ("CreateCommissionRule", &[Role::Administrator]),
    ("RetireCommissionRule", &[Role::Administrator]),
    ("GetCommissionRule", SHEET_READERS),
    ("ListCommissionRules", SHEET_READERS),
    ("PreviewCommission", SHEET_READERS),
    ("LinkTherapist", &[Role::Administrator]),
    ("ListAccruals", ACCRUAL_READERS),
    ("PayOrder", &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Administrator]),
    ("AmendOrder", &[Role::Service]),
    ("CloseOrder", &[Role::Service]),
    ("StartCheckout", &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Administrator]),
    ("GetCheckout", READERS),
    ("CancelCheckout", &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Administrator]),
    ("RefundOrder", &[Role::StoreManager, Role::Finance, Role::Administrator]),
    ("PreviewRefund", &[Role::FrontDesk, Role::StoreManager, Role::Finance, Role::Support, Role::Administrator]),
    ("NotifyPayment", EVERYBODY),
    ("ListLedgerAccounts", &[Role::Finance, Role::Administrator, Role::Auditor]),
    ("ListAccounts", SHEET_READERS),
    ("GetBalanceSheet", SHEET_READERS),
    ("GetStatement", LEDGER_READERS),
    ("GetTransfer", LEDGER_READERS),
    ("VerifyChain", LEDGER_READERS),
    ("ExportEntries", LEDGER_READERS),
    ("QuoteRefundByLaw", ORDER_READERS),
    ("CreateContract", &[Role::FrontDesk, Role::StoreManager, Role::Administrator, Role::Service]),
    ("GetContract", ORDER_READERS),
    ("ListContracts", ORDER_READERS),
    ("ReserveUse", &[Role::Service]),
    ("CommitUse", &[Role::Service]),
    ("VoidUse", &[Role::Service]),
    ("FreezeContract", HOLDERS),
    ("UnfreezeContract", HOLDERS),
    ("ExtendContract", &[Role::FrontDesk, Role::StoreManager, Role::Administrator]),
    ("TransferContract", HOLDERS),
    ("PreviewContractRefund", ORDER_READERS),
    ("RefundContract", &[Role::StoreManager, Role::Finance, Role::Administrator]),
    ("RequestInvoice", &[Role::Member, Role::FrontDesk, Role::StoreManager, Role::Finance, Role::Administrator]),
    ("GetInvoice", INVOICE_READERS),
    ("ListInvoices", INVOICE_READERS),
    ("ReverseInvoice", &[Role::StoreManager, Role::Finance, Role::Administrator]),
    ("DownloadInvoice", INVOICE_READERS),
    ("CreateTopUpCampaign", &[Role::Marketing, Role::Administrator]),
    ("UpdateTopUpCampaign", &[Role::Marketing, Role::Administrator]),
    ("ListTopUpCampaigns", CAMPAIGN_READERS),
    ("SetLiabilityLimit", &[Role::Finance, Role::Administrator]),
    ("ListLiabilityLimits", SHEET_READERS),
    ("IssueCard", CARD_SELLERS),
    ("GetCard", CARD_READERS),
    ("ListCards", CARD_READERS),
    ("ListCardLots", CARD_READERS),
    ("GetCardStatement", CARD_READERS),
    ("TopUpCard", CARD_SELLERS),
    ("ReportCardLost", CARD_CHANGERS),
    ("FreezeCard", CARD_STOPPERS),
    ("UnfreezeCard", CARD_STOPPERS),
    ("ReissueCard", &[Role::FrontDesk, Role::StoreManager, Role::Support, Role::Administrator]),
    ("TransferCard", CARD_CHANGERS),
    ("ReconcileDay", &[Role::Finance, Role::Administrator]),
    ("ImportBill", &[Role::Finance, Role::Administrator]),
    ("GetDayProof", LEDGER_READERS),
    ("ListBreaks", LEDGER_READERS),
    ("ResolveBreak", &[Role::Finance, Role::Administrator]),
    ("PreviewCardRefund", CARD_QUOTED),
    ("RefundCard", CARD_STOPPERS),
    ("ListPayouts", READERS),
    ("MakePayout", &[Role::FrontDesk, Role::StoreManager, Role::Finance, Role::Administrator]),
    ("DraftSettlement", &[Role::StoreManager, Role::Finance, Role::Administrator]),
    ("ConfirmSettlement", &[Role::Finance, Role::Administrator]),
    ("PaySettlement", &[Role::Finance, Role::Administrator]),
    ("GetSettlement", SHEET_READERS),
    ("ListSettlements", SHEET_READERS),
    ("ExportSettlement", SHEET_READERS),
    ("GetDrawerPolicy", DRAWER_READERS),
    ("UpdateDrawerPolicy", &[Role::StoreManager, Role::Administrator]),
    ("OpenDrawer", DESK),
    ("GetDrawer", DRAWER_READERS),
    ("ListDrawers", DRAWER_READERS),
    ("PayInOut", DESK),
    ("CountDrawer", DESK),
    ("CloseDrawer", DESK),
    ("GetDrawerReport", DRAWER_READERS),
    ("CreateRiskRule", &[Role::Finance, Role::Administrator]),
    ("UpdateRiskRule", &[Role::Finance, Role::Administrator]),
    ("GetRiskRule", LEDGER_READERS),
    ("ListRiskRules", LEDGER_READERS),
    ("ListReviews", LEDGER_READERS),
    ("GetReview", LEDGER_READERS),
    ("ResolveReview", &[Role::Finance, Role::Administrator]),
    (
        "SearchPayments",
        &[
            Role::Member,
            Role::StoreManager,
            Role::RegionalManager,
            Role::Finance,
            Role::Support,
            Role::Administrator,
            Role::Auditor,
        ],
    ),
    ("ExportPayments", LEDGER_READERS),
    ("AddTip", CARD_SELLERS),
    ("GetTipBalance", SHEET_READERS),
    ("PayOutTips", &[Role::StoreManager, Role::Finance, Role::Administrator]),
    ("Subscribe", &[Role::Service]),
];
