//! What happens to the ledger by itself, and what can be read of it.

pub mod expire_transfers;
pub mod seal;
