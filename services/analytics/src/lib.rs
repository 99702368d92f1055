//! Figures for the people who run the chain, reckoned from the events of all other services.
//!
//! It owns nothing but conclusions: facts that it draws from the feeds of booking, membership, payment and marketing.
//! They can be thrown away and drawn again from the first event on ([`flows::rebuild`]), with the same figures.
//!
//! Invariants:
//! * Every event is counted once: the facts of an event, its count in `feed_position` and the feed's cursor move in one
//!   transaction. When all is read, the count of a partition is the number of its rows in the publisher's outbox.
//! * Two changes of one thing may arrive swapped: of a booking or store the fact with the greater version stays, and
//!   everything else is a row of its own under the id of what happened.
//! * No personal data, and nobody's id: a customer is a pseudonym (HMAC-SHA256 of the member's id under a key derived
//!   from the master key), the same in all tables, and of no use without the key.
//! * A figure is never a mixture of currencies: it counts what came in the currency that its store charges in.
//! * A day is the day of the store's time zone, however long it is.
//!
//! | table | a row for | from |
//! |---|---|---|
//! | `dim_store` | a store: name, zone, currency | `StoreChanged` |
//! | `fact_booking` | a booking as it stands | every booking event |
//! | `fact_payment`, `fact_refund` | money that came in, went back | `PaymentCaptured`, `RefundSucceeded` |
//! | `fact_member` | somebody who registered | `MemberRegistered` |
//! | `fact_points` | a change of points | `PointsEarned`, `PointsRevoked`, `PointsExpired` |
//! | `fact_coupon` | a change of a coupon | `CouponRedeemed`, `CouponReleased` |
//! | `fact_message` | a message that went out | `MessageSent` |
//! | `feed_position` | a partition of a feed: events counted, newest of them | every event, of unknown types too |
//!
//! RPCs: `ReportService.ListDailyFigures` (a store's days; staff bound to a store see that one only) and
//! `ListFeedPositions` (how far the figures have come), besides the `EventFeedService` that every service has; this one
//! publishes nothing yet.
//!
//! Crash points: `analytics.record_event.applied`, before the commit of the facts.
//!
//! When an event can't be applied its partition waits, the others go on; `feed_lag_seconds` tells. The figures are then
//! old, never wrong. When this service is down nobody waits for it: it catches up from its cursors.
//!
//! | module | holds |
//! |---|---|
//! | [`app`], [`config`] | the wiring, the rules |
//! | [`domain`] | facts, periods, figures |
//! | [`flows`] | an event into facts; the figures; the positions; drawing all facts again |
//! | [`db`] | all SQL |
//! | [`rpc`] | the wire |
//! | [`worker`] | the reading of the feeds |

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod flows;
pub mod rpc;
pub mod worker;

pub use app::App;
pub use config::Policy;

/// The tables of this service; join them with the platform's by `pg::migrator`.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
