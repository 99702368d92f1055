//! Membership: who is a customer, how members and staff sign in, and what members earn.
//!
//! # States
//!
//! A one-time code is void until the message service has taken it, then open until it is used, outlived (5 minutes) or
//! tried in vain 5 times ([`domain::code`]). A session lives as long as its refresh tokens are exchanged in time; it ends
//! when its owner signs out or a used token comes again ([`domain::session`]). A signing key is published, signs, is
//! published on until its last token is out, and is then forgotten ([`domain::signing_key`]). A tier rises at once and
//! falls after a time of grace ([`domain::tier`]). A redemption sets points aside; it is committed, voided, or expires by
//! itself ([`domain::redemption`]).
//!
//! # Invariants
//!
//! * A phone belongs to one member. Phone and name are sealed under the member's own key; deleting that key shreds them.
//!   Neither they nor any code, password or token stands in the database, the log, an event or the audit log in clear.
//! * An answer tells whether a phone is known only to whoever has its code. A refused call uses nothing up, but that a
//!   wrong code or password is counted.
//! * Of each family of refresh tokens one is good; one that comes twice ends the session. Only a repeat with the same
//!   request id gets the same answer again, as long as the session lives.
//! * Points earned = points open + set aside + spent + revoked + expired, for each member; no balance is below 0, and no lot
//!   gives more than came of its order.
//! * A redemption is decided once: its points are spent, or free again. Of what was spent no more comes back than was
//!   taken, to the very lots from which it was. Held by [`domain::redemption`] and again by checks and a trigger.
//! * Every event about a member has the next version of his one counter, without gaps.
//! * Access tokens are signed by a key that verifiers could have fetched before, and verified until they are out.
//!
//! # Decisions
//!
//! * The one-time code is derived from random salt by the master key, so nothing that is stored reveals it and a repeated
//!   request sends the very same message under the same request id. It is sent inline, outside any transaction: a task
//!   would come too late for somebody who waits, and would hold the code.
//! * The answers of sign-ins hold tokens and personal data: they are stored under the owner's key ([`flows::once`]) and
//!   deleted with the session. What a repeat is told apart by is a keyed digest, since a plain digest of a request with a
//!   phone number, code or password in it could be guessed. A repeated SendCode is known for a day, which is far longer
//!   than its code is good.
//! * An access token is good until it ends by itself, also after its session has ended: it is short for that reason.
//! * A partial refund leaves the points of what was paid in the end, as if the order had been that small
//!   ([`domain::points::Purchase::points_due`]).
//! * Points pay a part of an order ([`flows::redeem`]) at a rate and up to a share that are the chain's. Payment asks for them
//!   and tells what became of them; the id is that of the payment, so each call may be repeated. A redemption that is voided
//!   before it is known stays void: a reservation that was on its way takes nothing.
//! * What comes back goes to the lots from which it came, and those live on for some days at least, with all that is in
//!   them. Points that pay earn points like money.
//! * Rolling spend counts the net of each order at the time of its payment, in the currency of the policy only.
//! * A member belongs to the chain, not to a store: staff bound to a store see every member, and are recorded. Reads by
//!   other services are not recorded: they act for somebody who is, or send what he is to get.
//!
//! # Tables
//!
//! `member`, `one_time_code`, `session`, `refresh_token`, `sealed_reply`, `signing_key`, `staff`, `sign_in_failure`,
//! `purchase`, `points_lot`, `points_entry` (append-only), `points_redemption`, `points_redemption_share`, `points_return`
//! (append-only). The platform's tables (outbox, audit, vault, feed cursor) come
//! from `pg`.
//!
//! # Where SendCode may be interrupted
//!
//! | step | if the process dies after it |
//! |---|---|
//! | code committed (`membership.send_code.committed`) | it is void; the same request id sends it |
//! | message taken (`membership.send_code.called`) | the same request id sends it again, which marketing knows; it counts |
//!
//! Everything else is one transaction. OrderPaid and RefundSucceeded of payment's feed are applied with
//! the cursor (`membership.points.applied` lies between effect and commit). After the commit of what payment asks for lie
//! `membership.points.reserved`, `membership.points.committed`, `membership.points.voided` and
//! `membership.points.returned`: whoever gets no answer asks again.
//!
//! # Map
//!
//! | module | holds |
//! |---|---|
//! | [`app`] | the only wiring |
//! | [`config`] | the rules of a chain |
//! | [`keys`] | the service's own keys, for verifying tokens without a call to itself |
//! | [`passwords`] | hashing passwords |
//! | [`secrets`] | randomness, and digests under the master key |
//! | [`rpc`](mod@rpc) | decode → flow → encode |
//! | [`domain`] | the rules, pure |
//! | [`flows`] | one use case a file |
//! | [`db`] | all SQL |
//! | [`peers`] | the message service |
//! | [`worker`] | what goes on without anybody asking |

pub mod app;
pub mod config;
pub mod db;
pub mod domain;
pub mod flows;
pub mod keys;
pub mod passwords;
pub mod peers;
pub mod rpc;
pub mod secrets;
pub mod worker;

pub use app::App;
pub use config::Policy;
pub use keys::OwnKeys;

/// The service's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
