//! What happens to the ledger by itself, and what can be read of it.

pub mod chain;
pub mod close_days;
pub mod expire_transfers;
pub mod get_balance_sheet;
pub mod get_statement;
pub mod get_transfer;
pub mod list_accounts;
pub mod seal;
