//! What customers owe, pay and get back, and the ledger of all of it.
//!
//! # What it owns
//!
//! The order of a visit, of its tip, or of something that is paid ahead (money for a stored-value card, a prepaid contract),
//! with its payments, refunds, payouts and invoices, the double-entry ledger, stored-value cards, cash drawers, commission and
//! its settlement, rules of risk, and the talk with payment providers, their bills included.
//!
//! ```text
//! order    OPEN ──deposit──▶ DEPOSIT_PAID ──balance──▶ PAID        any ──CloseOrder──▶ CLOSED
//!            ▲──────── AmendOrder: something is added ────────┘ (PAID only)
//! payment  PENDING ──▶ CAPTURED        PENDING ──▶ FAILED
//!          RESERVED ─▶ CAPTURED        RESERVED ─▶ FAILED      (waits for the others of its checkout)
//! checkout OPEN ──▶ CAPTURED           OPEN ──▶ VOIDED
//! refund   PENDING ──▶ SUCCEEDED       (cash is handed back at once)
//! invoice  REQUESTED ──▶ ISSUED ──▶ REVERSING ──▶ REVERSED        REQUESTED ──▶ REFUSED
//! card     ACTIVE ◀──▶ LOST | FROZEN ──ReissueCard──▶ CLOSED        ACTIVE | LOST ──RefundCard──▶ CLOSED
//! payout   DUE ──▶ PAID
//! drawer   OPEN ──▶ CLOSED
//! ```
//!
//! # Invariants
//!
//! * Every ledger transaction balances by store and currency, so all balances of one currency add up to 0; entries are
//!   never changed, by trigger and by privilege. What a checked account owes a party is never below zero, what is set aside
//!   included, and a transfer is decided once. Held by [`domain::ledger`] and again by triggers and checks.
//! * Of a payment no more goes back than was captured, what is on its way included, and of a line no more than it cost; of an
//!   order no more counts as paid than its total, and no more as refunded than was paid. Held by [`domain::order`] and again by checks and a trigger.
//! * The invoices of an order that stand are never more than what was captured less what goes or went back: a refund takes
//!   invoices back in its own transaction. Held by [`flows::invoice`] and again by a trigger.
//! * Whoever changes anything of an order or of its invoices locks the order's row first. State, ledger, events, audit and
//!   stored reply are one transaction; no transaction is open across a call to a provider.
//! * The lines of an order add up to it, reductions included, and no reduction takes a line below zero. What is paid for a
//!   visit is earned when all of it is paid; what is paid ahead is owed to its card or contract instead. Held by
//!   [`domain::order`], [`domain::subject`] and again by checks and a trigger.
//! * The payments of a checkout come to pass together, or not at all, in the transaction of the provider's outcome; until
//!   then what the others pay is set aside, and no other attempt is made. A checkout is decided once. Held by
//!   [`domain::order`] under the order's lock, and again by a unique index and a trigger.
//! * Money and bonus of a top-up are kept apart for ever: of each, what it brought is what is open, spent, refunded and
//!   expired. Lots and ledger agree card by card, what is set aside included, and what comes back goes to the very lots that
//!   bore it. Whoever changes a card or its lots locks its row, after the order's and before the ledger's. Held by
//!   [`domain::stored_value`] and again by checks.
//! * What a visit earns its therapists and its partner is accrued once, by the rules of its day, and booked as owed; a refund
//!   of its order takes back its proportion, never more than was earned, and all of it once all has gone back. Held by
//!   [`domain::commission`] and again by constraints; whoever takes back locks the visit's row, after that of the order.
//! * Points and coupons, which other services keep, are set aside there before the checkout that spends them is stored, and
//!   longer than it can be captured. Their keeper is told what was decided, and what goes back, until he knows; what they are
//!   worth is given away by the store. Held by [`flows::tenders::peer`] and again by a trigger.
//! * What should be in a drawer is what was counted at its opening and what came and went since, and the ledger has the same:
//!   whatever moves through a drawer is one transaction of the ledger, in one drawer, noted with it. A till has one open
//!   drawer; what a closed one says never changes. Whoever moves cash holds the open drawer, after all other rows; whoever
//!   closes it waits for them. Held by [`domain::drawer`], a unique index, a primary key and triggers.
//! * Of payments, refunds and top-ups no more are let through than the rules of risk allow, however many come at once; what is
//!   held happens if, and only if, somebody else has approved it. Held by [`domain::risk`] under locks of those who are counted
//!   together, taken after the order's and before all others, and again by a trigger.
//! * A tip is an order of its own: never taken in, never invoiced, and of no visit for who follows visits. What is paid of it
//!   is owed to its therapists, line by line, until it goes back or is handed over, and never below zero. Held by
//!   [`domain::order`] and again by the ledger's check.
//! * One attempt to pay at a time; a charge is made, and a refund sent, once however often it is tried: our ids are the
//!   provider's idempotency keys.
//! * A provider's bill counts whole or not at all, and once; what it differs by from our books, to the fen, is in breaks,
//!   which are in suspense until somebody works them off. Held by [`domain::reconciliation`] and again by a check.
//! * Money that the provider has captured is never dropped: if it is owed it counts, if the order has ended or it is not
//!   owed it goes back whole.
//! * Each event raises the version of its order, contract or invoice by exactly one.
//! * A session of a prepaid contract is set aside or had once, and decided once; what a contract still owes is what was paid
//!   less what was earned of it, and all its sessions together are worth what was paid. Held by [`domain::prepaid`], a unique
//!   index and the ledger's check. A session pays a line of a visit whole, and earns what it is worth. What its end gives
//!   back is reckoned by [`domain::refund_law`] alone.
//! * What a card or contract gives back at its end is reckoned by the law, top-up by top-up, and stored with its explanation.
//!   It goes back to where it was paid from as far as that can take it, and by hand to whose it is by now otherwise: never
//!   to somebody who has handed the card or contract over. A payout is made once. Held by [`domain::payout`],
//!   [`domain::stored_value::law`], [`domain::prepaid::settlement`] and a trigger.
//! * To whom an invoice is made out is encrypted, by a key of its own, and in no reply that is kept.
//!
//! # What goes wrong, and then
//!
//! | what | then |
//! |---|---|
//! | the provider is down at PayOrder | `UNAVAILABLE`; the pending payment stays, the same `request_id` goes on from there |
//! | nobody repeats the request | the worker finds no charge at the provider and fails the payment (`NOT_STARTED`) |
//! | the provider knows nothing of a charge that it made | asked again until the charge can be paid no more, then failed |
//! | one payment or refund can't be worked on | those behind it are; it is tried again later |
//! | a notice comes twice, late or out of order | it has one effect, or none |
//! | a notice never comes | the worker asks the provider about payments that stay pending |
//! | a notice is forged, old, a probe, or the very sending that was taken in before | `UNAUTHENTICATED`, reason `BAD_SIGNATURE`, `STALE_NOTICE`, `SIGNATURE_PROBE` or `REPLAYED_NOTICE` |
//! | a notice fits no payment, amount or currency | recorded in `notice_break`, acknowledged, never acted upon |
//! | a charge succeeds after the order was closed | captured, and a full refund in the same transaction |
//! | the provider's outcome of a checkout never comes | at its time the checkout is voided, and what was set aside is free |
//! | the provider captures after that, or what is due has sunk | its money is surplus and goes back whole; the others are free |
//! | a checkout is interrupted before its charge is made | the same `request_id` goes on from there; else the worker finds no charge and voids it |
//! | who keeps points or coupons is down at StartCheckout | `UNAVAILABLE`; the same `request_id` goes on; after ten minutes it is given up, and he is told |
//! | who keeps them is down when it is decided what becomes of them | he is told for ever, with growing pauses; what he has set aside stays so for a week more |
//! | who keeps them has lost what was set aside | before it is captured: his refusal, and nothing is captured; after it: the audit names it |
//! | a checkout with points or a coupon was refused, or given up | `CHECKOUT_ENDED` to the same `request_id`; another starts anew |
//! | a part of what a coupon paid goes back | nothing: it comes back whole, when all of it is back, or not at all |
//! | two take from the same card at once | the second sees what the first has left: `INSUFFICIENT_BALANCE` if that is too little |
//! | a card is spent and given back at once | one sees what the other has left, or is told `CARD_IN_USE` or `CARD_CLOSED` |
//! | something comes back to a card that was given back | it is a card again; given back once more, that goes by hand |
//! | a provider takes back no more what was paid long ago | a payout is owed, and made by hand |
//! | a paid top-up's order shall be closed | `TOP_UP_PAID`: only RefundCard gives it back |
//! | a card is lost | its holder reports it, nothing is paid with it any more, and a new one takes over all that is on it |
//! | a top-up is paid after its card was replaced | the money goes on to the card in its place |
//! | a top-up is paid after its time | it goes back whole; what was promised with it is promised to nobody any more |
//! | bonus lapses as it is spent | what is set aside doesn't lapse; what comes back later can be spent for some days more |
//! | a session is used by two visits at once | one has it; the other is told `NO_SESSION_LEFT` |
//! | a visit is given back whose session's contract has ended | what the session is worth is paid out by hand |
//! | more would be owed to cards than the law or the house allows | nothing more is sold: `CARD_LIMIT_EXCEEDED`, `SALE_STOPPED` |
//! | something is posted as its day is closed | it is refused (`DAY_CLOSED`), and tried again with the time of then |
//! | a use and a refund of one contract come at once | one happens, the other is told why not (`CONTRACT_NOT_USABLE`, `USES_RESERVED`) |
//! | a paid contract's order shall be closed | `CONTRACT_PAID`: only RefundContract ends it |
//! | two open a till at once | one does; the other is refused (`DRAWER_OPEN`) |
//! | cash is taken as its drawer is closed | it is in it, or goes to the next one; where a drawer is required it is refused (`DRAWER_NOT_OPEN`) |
//! | cash is taken, or goes back by itself, while no drawer is open | the next one that is opened takes it over |
//! | a count is not what should be there | it is booked at once as over or short, with its reason |
//! | a tip is given back, or handed over twice, after it was handed over | `INSUFFICIENT_BALANCE`: nothing more is owed |
//! | nobody decides a transfer | it expires at its time, and what it set aside is available again |
//! | two give back 60 of 100 at once | one does; the other is refused (`REFUND_EXCEEDS_CAPTURED`), whatever is still on its way |
//! | booking tells twice that a visit is completed | it is accrued once, by the rules of the first time |
//! | an order is refunded before its visit is told to be completed | what is earned is accrued, and its proportion taken back at once |
//! | an order is refunded whose commission is in a confirmed settlement list | that list stays; it goes off what the payee gets by the next one, be that below zero |
//! | two draft, confirm or pay the same settlement at once | one does; the other finds `NOTHING_TO_SETTLE` or `WRONG_STATE` |
//! | a bill was cut, changed or is another merchant's | nothing of it counts; that is noted in `day_proof`, and it is fetched again |
//! | a bill and our books differ | a break of one of twelve kinds; what it is about goes to suspense until it is worked off |
//! | a bill that is sent as a file breaks off | nothing of it is stored; it is sent again |
//! | nobody waits for the matching of a bill that was sent | it goes on; the same `request_id` is answered with what came of it |
//! | two fetch the bill of one day at once | one of them books it, and both answer with its proof |
//! | an operation breaks a rule of risk | it is refused (`RISK_REFUSED`), held (`RISK_HELD`), or queued for a review: see [`domain::risk`] |
//! | a payment or top-up is refused, and the note of it can't be stored | the caller gets that error instead; nothing has happened, and trying again is safe |
//! | two resolve a review at once | one does; the other finds `WRONG_STATE` |
//! | what was held isn't possible any more when it is approved | the approval fails (`REFUND_CHANGED`, `REFUND_EXCEEDS_CAPTURED`), and the review stays open |
//! | the provider is down at a refund, or its answer is lost | asked for, and sent again only if it is not known there; for ever, with growing pauses |
//! | the provider of invoices is down, or its answer is lost | asked about, and asked for again only if it is not known there; for ever, with growing pauses |
//! | an invoice is taken back while it is being issued | it is issued, and then red-lettered |
//! | a refund can't reach the customer's account | recorded in `notice_break`; it stays owed, and is asked about for ever |
//!
//! A crash between any two steps is mended by the next request or worker step. Tests order one at these points:
//! `payment.cash.committed`, `payment.close.committed`, `payment.commission.accrued`, `payment.create.committed`,
//! `payment.invoice.claimed`, `payment.invoice.requested`, `payment.invoice.sent`, `payment.ledger.sealed`,
//! `payment.notice.committed`, `payment.pay.charge_made`, `payment.pay.committed`, `payment.pay.pending_stored`,
//! `payment.peer_tender.asked`, `payment.peer_tender.return_told`, `payment.peer_tender.set_aside`,
//! `payment.peer_tender.told`, `payment.refund.claimed`, `payment.refund.committed`, `payment.refund.sent`,
//! `payment.store.noted`.
//! One can be ordered at these, too, and no test does so yet: `payment.amend.committed`, `payment.bill.booked`,
//! `payment.bill.fetched`, `payment.bill.received`, `payment.break.resolved`, `payment.card.bonus_expired`,
//! `payment.card.committed`, `payment.card.refunded`, `payment.card.top_up_ended`, `payment.checkout.cancelled`,
//! `payment.checkout.charge_closed`, `payment.checkout.charge_made`, `payment.checkout.committed`,
//! `payment.checkout.expired`, `payment.checkout.set_aside`, `payment.commission.paid`, `payment.contract.altered`,
//! `payment.contract.created`, `payment.contract.expired`, `payment.contract.refunded`, `payment.drawer.closed`,
//! `payment.drawer.counted`, `payment.drawer.moved`, `payment.drawer.opened`, `payment.give_back.committed`,
//! `payment.invoice.noted`, `payment.invoice.reversed`, `payment.payout.committed`, `payment.peer_tender.given_up`,
//! `payment.query.answered`, `payment.risk.noted`, `payment.risk.resolved`, `payment.tip.added`,
//! `payment.tip.paid_out`, `payment.use.committed`, `payment.use.reserved`, `payment.use.voided`.
//!
//! # Map
//!
//! | module | holds |
//! |---|---|
//! | [`domain`] | orders, payments, refunds: the rules, without storage |
//! | [`domain::drawer`] | cash drawers: what should be in them, what is over or short |
//! | [`domain::invoice`] | invoices: their life, the tax in them, the check character of tax ids (GB 32100) |
//! | [`domain::commission`] | what therapists and partners earn: rules, the most specific of which wins, and what a refund takes back |
//! | [`domain::ledger`] | the ledger: chart of accounts, transactions, transfers in two phases |
//! | [`domain::payout`] | what goes back by hand |
//! | [`domain::risk`] | rules of risk: what is counted, what is let through, reviewed, held or refused |
//! | [`domain::prepaid`] | prepaid contracts: states, rests, what each session is worth, what their end books |
//! | [`domain::refund_law`] | what the end of a prepaid contract gives back by 法释〔2025〕4号, line by line with its article |
//! | [`domain::stored_value`] | cards: lots, spending order, campaigns, what the authorities allow |
//! | [`domain::reconciliation`] | a provider's bill of a day against our books: kinds of breaks, proofs, what is booked of them |
//! | [`flows`] | one use case a file; [`flows::audit`] looks at every invariant ([`db::invariants`]) of a live database |
//! | [`db`] | all SQL: tables `customer_order`, `order_line`, `order_return*`, `checkout`, `payment`, `peer_tender*`, `refund`, `cash_desk`, `drawer*`, `ledger_*`, `commission_*`, `therapist_link`, `stored_value_*`, `top_up*`, `card_refund*`, `payout`, `store_zone`, `day_proof`, `bill_line`, `reconciliation_break`, `prepaid_*`, `risk_*`, `tip*`, `notice`, `notice_nonce`, `notice_break`, `invoice` |
//! | [`flows::tenders`] | what spends what was paid ahead or given away; [`flows::tenders::peer`] is the frame around points and coupons |
//! | [`peers`] | who keeps points and coupons; payment providers behind one port: WeChat Pay, which also issues invoices, Alipay, the sandbox; what their clients share |
//! | [`rpc`] | `PaymentService`, `CheckoutService`, `DrawerService`, `LedgerService`, `CommissionService`, `InvoiceService`, `StoredValueService`, `PayoutService`, `TipService`, `PrepaidService` (contracts, and what the law gives back, for everybody who asks), `ReconciliationService`, `RiskService`, `RecordsService` (payments found again, and as a table) and the event feed |
//! | [`worker`] | asks about pending payments, sends refunds, tells who keeps points and coupons, sees to invoices, closes days, matches bills, seals ledger and audit trail, forgets old sendings of notices, follows booking's feed |
//! | [`sandbox`] | a provider that takes no money; a foreign system with tables of its own; and two that speak WeChat Pay's and Alipay's protocols |
//! | [`app`], [`config`] | the wiring; what an operator may set |

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod flows;
pub mod peers;
pub mod rpc;
pub mod sandbox;
pub mod worker;

pub use app::{App, Peers};
pub use config::Policy;

/// The service's own migrations; [`pg::migrator`] joins them with the platform's.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
