//! Marketing: what a visit costs this customer, and what he is told about it.
//!
//! # What it owns
//! * **Quotes**: list price, then tier price, then the best coupon, with a sentence for every reduction that was looked at.
//! * **Coupons**: `AVAILABLE → RESERVED (for one quote) → REDEEMED`, and back to `AVAILABLE` when the booking is given
//!   up. An available one whose time is over, or whose owner has visited since, reads as `EXPIRED`.
//! * **Cash coupons** (代金券): an amount given by staff; `AVAILABLE → RESERVED (for one payment) → REDEEMED`, back to
//!   `AVAILABLE` when the payment comes to nothing or all of it was refunded. Payment asks for them and tells what became of
//!   them, each by the payment's id, so each call may be repeated. No change is given: what of its worth is not used is
//!   forfeited, and of a part that was refunded nothing is turned into money.
//! * **Messages**: `SCHEDULED → SENT | CANCELLED | FAILED`, through a [channel](peers::ChannelPort).
//! * Projections of other services' facts: tiers (membership) and the newest state of each booking (booking).
//!
//! # Invariants
//! * The reductions of a quote add up to list price − price exactly, and a price is never below zero.
//! * A member has at most one coupon of a sort, and it is behind at most one quote at a time. A confirmed booking never
//!   fails for want of a coupon: its price is kept and the shortfall is recorded in `coupon_overrun`.
//! * A cash coupon pays one order at a time, and each redemption is decided once. Held by [`domain::cash_coupon`] under the
//!   coupon's lock, and again by a unique index and a trigger. Each of its versions has exactly one event.
//! * What a booking means for coupons and messages follows from its newest known version alone, so events may arrive
//!   swapped. There is at most one message for each booking, kind and start, and no reminder unless the booking is
//!   confirmed for that very start when it goes out.
//! * Bodies and phone numbers are never stored, logged or published in clear. A one-time code is in no reply.
//!
//! # Tables
//! `member_profile`, `visit` (projections); `coupon`, `quote`, `quote_adjustment`, `coupon_overrun`; `cash_coupon`,
//! `coupon_redemption`; `message`,
//! `mailbox` (the demo channel).
//!
//! # RPCs
//! | RPC | flow | fails with |
//! |---|---|---|
//! | `CreateQuote` | [`flows::create_quote`] | `REQUEST_ID_REUSED`, bad amounts |
//! | `PreviewQuote` | [`flows::preview_quote`] | the data rule |
//! | `GetQuote` | [`flows::get_quote`] | `NOT_FOUND` |
//! | `ListCoupons` | [`flows::list_coupons`] | the data rule, bad pages |
//! | `IssueCoupon` | [`flows::cash_coupon::issue`] | bad amounts |
//! | `ListCashCoupons` | [`flows::cash_coupon::list`] | the data rule, bad pages |
//! | `ReserveCoupon` | [`flows::cash_coupon::reserve`] | `COUPON_NOT_AVAILABLE`, `COUPON_EXPIRED`, `COUPON_MIN_SPEND`, `COUPON_WORTH_EXCEEDED`, `REDEMPTION_ENDED` |
//! | `CommitCoupon`, `VoidCoupon`, `ReturnCoupon` | [`flows::cash_coupon::decide`] | `REDEMPTION_ENDED`, `REDEMPTION_COMMITTED`, `REDEMPTION_NOT_COMMITTED` |
//! | `SendMessage` | [`flows::send_message`] | bad phone, unknown or missing variables, `UNAVAILABLE` channel |
//! | `ListMessages` | [`flows::list_messages`] | the data rule, bad pages |
//! | `ListMailboxMessages` | [`flows::list_mailbox`] | `DEMO_MAILBOX_OFF` |
//!
//! # Module map
//! [`app`] wiring · [`config`] the chain's rules · [`domain`] pure rules · [`flows`] use cases and feed consumers · [`db`]
//! all SQL · [`peers`] booking, membership, channels · [`rpc`] the wire · [`worker`] what goes on without being asked.
//!
//! # Crash points
//! `marketing.quote.committed`, `marketing.visit.applied`, `marketing.release.committed`, `marketing.message.ready`,
//! `marketing.message.sent`, `marketing.message.recorded`, `marketing.code.sent`, `marketing.code.recorded`, `marketing.coupon.issued`, `marketing.coupon.reserved`,
//! `marketing.coupon.committed`, `marketing.coupon.voided`, `marketing.coupon.returned`.

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod flows;
pub mod peers;
pub mod rpc;
pub mod worker;

pub use app::App;
pub use config::Policy;

/// The tables of this service; `pg::migrator` joins them with the platform's.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
