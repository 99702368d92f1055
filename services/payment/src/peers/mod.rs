//! Systems that are not ours: payment providers.

pub mod provider;
pub mod sandbox;
pub mod signature;

pub use provider::{ChargeReport, ChargeState, Envelope, NewCharge, NewRefund, Notice, Provider, RefundState};
pub use sandbox::{SandboxClient, SandboxClientConfig};
