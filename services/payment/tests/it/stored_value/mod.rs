//! Cards: what is on them, what is paid with them, and who may do what.

mod campaigns;
mod cards;
mod checkouts;
pub mod desk;
mod limits;
mod model;
mod races;
pub mod refunds;
pub mod roles;
mod spending;
mod statement;
mod top_ups;
