//! The double-entry ledger: the one book to which everything posts that moves money.
//!
//! A [`Transaction`] moves amounts between accounts; per store and currency its debits equal its credits, so every
//! store's sheet balances by itself. Nothing is ever changed or removed: a mistake is mended by a further transaction. A
//! balance is the sum of an account's entries, debits above zero, so all balances of one currency add up to 0. There is at
//! most one transaction of a kind about a source: posting twice is refused.
//!
//! An entry is on a [`SubAccount`]: an account of the chart, the store where it happened (none: the head office), and,
//! where the chart says so, the party whose money it is. What a customer is owed is the sum over all stores; what one
//! store's part of it says is what the stores owe each other (`store_clearing` is how they settle it).
//!
//! # Chart of accounts
//!
//! | account | kind | party | its balance is |
//! |---|---|---|---|
//! | `provider_receivable` | asset | provider | what a provider has captured for us and not yet paid out or given back |
//! | `card_terminal` | asset | – | what the terminals at the desks have taken and the bank has not yet paid out |
//! | `cash_drawer` | asset | – | cash taken at the desks, less cash handed back or brought to the bank |
//! | `bank` | asset | – | what providers, terminals and stores have paid in, less what was paid out |
//! | `store_clearing` | asset | – | what a store has to get from the others; over all stores it is 0 |
//! | `suspense` | asset | – | what reconciliation has found and nobody has explained yet |
//! | `customer_deposits` | liability | customer | money of customers whose visit is not fully paid (and money that came too late) |
//! | `refunds_payable` | liability | customer | refunds decided and not yet done |
//! | `stored_value_principal` | liability | card | money on a stored-value card; **checked** |
//! | `stored_value_bonus` | liability | card | what was given on top of it; **checked** |
//! | `prepaid_liability` | liability | contract | what of a prepaid contract is paid and not yet delivered; **checked** |
//! | `commission_payable` | liability | therapist | commission earned and not yet paid |
//! | `tips_payable` | liability | therapist | tips taken for somebody and not yet handed over; **checked** |
//! | `partner_payable` | liability | partner | what partners have to get |
//! | `tax_payable` | liability | – | tax taken and not yet paid |
//! | `takings` | revenue | – | what was delivered, less what was given back of it |
//! | `forfeited_deposits` | revenue | – | what was kept of orders that ended before they were fully paid |
//! | `breakage` | revenue | – | what was paid ahead and will never be asked for |
//! | `promotion_expense` | expense | – | bonus, coupons and points given away |
//! | `provider_fees` | expense | provider | what providers keep for themselves |
//! | `commission_expense` | expense | – | commission earned by others |
//! | `cash_over_short` | expense | – | drawers that were counted and did not hold what they should |
//! | `reconciliation_differences` | expense | – | what providers' bills differed by, and was written off |
//!
//! # Checked accounts
//!
//! A checked account owes something to one party, and must never owe less than nothing. It has a row with what is posted
//! and what is reserved, which a posting updates; what is *available* is the difference, and a check of the database
//! keeps it at zero or above. Rows are locked in the order of their keys (account, party, currency). All other accounts have
//! no row that a posting touches: their balance is rolled up behind the postings, so that the takings of one busy store
//! hold nobody up.
//!
//! # Two phases
//!
//! A [`Transfer`] is a transaction that may come to pass. While it is pending, what it takes from checked accounts is
//! reserved. It is decided once: it is posted, or voided, or it expires at its time.
//!
//! ```text
//! PENDING ──▶ POSTED | VOIDED | EXPIRED
//! ```
//!
//! # What is booked when
//!
//! The kinds are those of [`Kind`].
//!
//! | kind | when | debit | credit |
//! |---|---|---|---|
//! | `capture` | money came, or what was paid ahead is spent | `provider_receivable`, `cash_drawer`, `card_terminal`; or what the card gives; or, by a session, `takings`: what that is worth is earned by `contract_use` | `customer_deposits` |
//! | `recognise` | all of a visit is paid (again, after something was added) | `customer_deposits` | `takings` |
//! | `paid_ahead` | all of an order is paid that is for a card or a contract | `customer_deposits` | `stored_value_principal` or `prepaid_liability` |
//! | `reopen` | something was added to an order that was paid in full | `takings` | `customer_deposits` |
//! | `commission_accrued` | a visit is completed by which somebody earns | `commission_expense` | `commission_payable` or `partner_payable` |
//! | `commission_reversed` | its order is refunded | `commission_payable` or `partner_payable` | `commission_expense` |
//! | `commission_paid` | a settlement list is paid; of who owes by it the other way round | `commission_payable` or `partner_payable` | `bank` |
//! | `refund_decided` | an order is closed, or money came too late | `customer_deposits`, or where `recognise`, `paid_ahead` or `tip` has moved it | `refunds_payable` |
//! | `forfeit` | an order is closed and not all goes back | `customer_deposits` | `forfeited_deposits` |
//! | `refund_done` | money is back | `refunds_payable` | where `capture` took it from |
//! | `contract_use` | a session of a prepaid contract was had; in another store, by way of `store_clearing` | `prepaid_liability` | `takings` |
//! | `contract_time` | days of a prepaid contract for a time have passed | `prepaid_liability` | `takings` |
//! | `contract_settled` | a prepaid contract is ended: what is owed becomes what the law gives; or the other way round, first from `breakage` | `prepaid_liability` | `takings`, and `refunds_payable` for what is paid out by hand |
//! | `breakage` | what is left of a prepaid contract can be asked for no more | `prepaid_liability` | `breakage` |
//! | `bonus_granted` | a top-up gets bonus | `promotion_expense` | `stored_value_bonus` |
//! | `bonus_expired` | the time of bonus is over, or its top-up is given back | `stored_value_bonus` | `promotion_expense` |
//! | `card_replaced` | a new card takes the place of one that was lost or stopped | both, of the old card | both, of the new card |
//! | `set_off` | a top-up is given back, and less (more) than was left of its money | `stored_value_principal` (`promotion_expense`) | `promotion_expense` (`stored_value_principal`) |
//! | `provider_fees` | a bill says what the provider keeps | `provider_fees` | `provider_receivable` |
//! | `breaks_found` | a bill says that there is more at the provider (less: reversed) | `provider_receivable` | `suspense` |
//! | `break_settled` | that is worked off | `suspense` | `provider_receivable`, or `reconciliation_differences` |
//! | `payout_decided` | a top-up is given back, and it can't go back to where it was paid from; or a session whose contract has ended | `stored_value_principal`; `takings` | `refunds_payable` |
//! | `payout_done` | it was handed over at the desk, or sent by bank | `refunds_payable` | `cash_drawer` or `bank` |
//! | `cash_in` | change is brought for a drawer, or cash is put in | `cash_drawer` | `bank` or `suspense` |
//! | `cash_out` | cash is taken out of a drawer, or goes to the bank as it is closed | `bank` or `suspense` | `cash_drawer` |
//! | `cash_difference` | a drawer was counted: less (more) was in it than should be | `cash_over_short` (`cash_drawer`) | `cash_drawer` (`cash_over_short`) |
//! | `use_returned` | what a session has paid for is given back; in another store, by way of `store_clearing` | `takings` | `prepaid_liability` |
//! | `tip` | all of a tip is paid | `customer_deposits` | `tips_payable`, for each therapist |
//! | `tip_payout` | tips are handed over | `tips_payable` | `cash_drawer` or `bank` |

mod chart;
mod day;
mod kind;
pub mod record;
mod sub_account;
mod transaction;
mod transfer;

pub use chart::{Account, AccountKind, PartyKind};
pub use day::{Day, first_id};
pub use kind::Kind;
pub use record::{Record, RecordEntry};
pub use sub_account::{Party, SubAccount};
pub use transaction::{Entry, OwedKey, Transaction};
pub use transfer::{Transfer, TransferState};
