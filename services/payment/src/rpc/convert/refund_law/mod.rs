//! Cases and quotes of the law on refunds.

mod case;
mod fields;
mod quote;

pub use case::{cause, contract, costs, demand, gifts, known_service, terms, to_known_service};
pub use fields::at_wire;
pub use quote::{quote, to_cause};
