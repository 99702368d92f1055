//! What the figures are made of. Pure: no storage, no transport.

pub mod fact;
pub mod feed;
pub mod figures;
pub mod period;

pub use fact::Pseudonym;
pub use feed::Feed;
pub use figures::{DailyFigures, FeedPosition};
pub use period::Period;
