//! Booking: what the chain offers, which times are free, and every visit from hold to completion.
//!
//! # States
//!
//! See [`domain::booking`]. A booking starts HELD; its order is made at payment (AWAITING_PAYMENT); the deposit confirms
//! it. It ends COMPLETED, CANCELLED, NO_SHOW or EXPIRED.
//!
//! # Invariants
//!
//! * Two live allocations of one resource never overlap, on any path: the exclusion constraint `allocation_overlap`
//!   decides. Redis only sheds load; the service is right with Redis flushed, stopped or lying.
//! * An allocation exists exactly as long as its booking keeps the time.
//! * Every version of a booking has one step in its history and one event, written in its transaction.
//! * Whoever changes a visit's time gives the old one back and takes the new one in one transaction ([`flows::keep`]).
//!   Only store managers and administrators may let visits overlap, with a reason, on record; those alone are outside of
//!   the constraint.
//! * A time is offered exactly if it can be held ([`domain::availability`]).
//! * A booking is never paid but cancelled: a deposit that comes after its hold ran out brings the same time back if it
//!   is still free, and is returned otherwise.
//! * The visits of a group are kept all at once or not at all; from then on each stands for itself ([`flows::group`]).
//! * One request id has one effect and one answer.
//! * No edit of the roster takes from a live booking what it keeps: see [`flows::roster`].
//! * A time is never offered to two on the waitlist at once, and no offer is lost with the process: see
//!   [`flows::waitlist`].
//! * The queue of walk-ins gets what appointments leave, and never delays one ([`domain::walk_in`]).
//! * No turn of a store is given twice; a turn list is what its log makes ([`domain::assignment`]).
//! * A row that fails holds up nobody: the worker goes on behind it ([`flows::sweep`]), and so does whoever serves a line.
//! * No search keeps others waiting for long: a wide one ends its page early and goes on with the next
//!   ([`flows::search_slots`]).
//!
//! # Tables
//!
//! `store`, `store_opening_hours`, `store_special_day`, `store_licence`, `store_policy`, `cancellation_tier`, `item`,
//! `item_phase`, `item_price`, `item_add_on`, `package`, `package_item`, `therapist`, `therapist_certificate`, `room`: the
//! catalogue. `shift`, `shift_pattern`,
//! `shift_exception`, `block`, `time_off_request`, `calendar_day`: the roster. `booking`, `booking_part`,
//! `booking_history`, `booking_group`: the visits. `allocation`: which resource is kept when. `rotation`,
//! `rotation_log`, `rotation_rule`: the turn lists.
//! `fairness_clock`, `fairness`, `assignment_credit`: what work counts. `therapist_preference`: whom customers like.
//! `waitlist_entry`, `waitlist_offer`, `waitlist_roster`: who waits for a time, and what was offered to whom.
//! `calendar_link`: who may read which feed.
//! `queue_ticket`: who came without a booking and waits.
//! The platform's tables (idempotency, outbox, task, audit, feed cursor) come from `pg`.
//!
//! # The saga of a hold, and where it may be interrupted
//!
//! | step | if the process dies after it |
//! |---|---|
//! | quote at marketing (`booking.hold.quoted`) | the coupon's reservation runs out by itself |
//! | hold committed with task `create_order` (`booking.hold.committed`) | the worker makes the order |
//! | quotes of all guests of a group (`booking.hold_group.quoted`) | the coupons' reservations run out by themselves |
//! | group held, all of it, with a task `create_order` for each visit (`booking.hold_group.committed`) | the worker makes the orders |
//! | order made at payment (`booking.order.created`) | the task is repeated with the same request id |
//! | AWAITING_PAYMENT committed (`booking.order.recorded`) | nothing is lost |
//! | PaymentCaptured applied (`booking.confirm.applied`) | the event is applied again: cursor and effect are one transaction |
//! | cancellation committed with task `close_order` (`booking.cancel.committed`) | the worker closes the order |
//! | group given up with a task `close_order` for each visit (`booking.cancel_group.committed`) | the worker closes the orders |
//! | hold prolonged (`booking.extend_hold.committed`) | nothing is lost |
//! | rescheduled, moved (`booking.reschedule.committed`, `booking.move.committed`) | nothing is lost |
//! | visit lengthened, with task `amend_order` (`booking.extend.committed`) | the worker has the order amended |
//! | no-show committed with task `close_order` (`booking.no_show.committed`) | the worker closes the order |
//! | on the waitlist (`booking.waitlist.joined`), off it (`booking.waitlist.left`) | the worker serves the line |
//! | quote for an offer (`booking.offer.quoted`) | the coupon's reservation runs out by itself |
//! | offer committed with task `create_order` (`booking.offer.committed`) | the worker makes the order, and serves who is next |
//! | offer accepted with task `create_order` (`booking.offer.accepted`) | the worker makes the order |
//! | in the queue (`booking.queue.joined`) | nothing is lost |
//! | quote for a walk-in (`booking.call.quoted`) | the coupon's reservation runs out by itself |
//! | called: visit made with task `create_order` (`booking.call.committed`) | the worker makes the order |
//! | line added to the order (`booking.amend.called`) | the task is repeated with the same request id |
//! | booking given up (`booking.close.given_up`) | the task is repeated |
//! | order closed at payment (`booking.close.called`) | the task is repeated with the same request id |
//!
//! # Map
//!
//! | module | holds |
//! |---|---|
//! | [`app`] | the only wiring |
//! | [`config`] | the rules of a chain |
//! | [`rpc`](mod@rpc) | decode → flow → encode |
//! | [`domain`] | the rules, pure |
//! | [`flows`] | one use case a file |
//! | [`db`] | all SQL |
//! | [`peers`] | membership, marketing, payment |
//! | [`worker`] | what goes on without anybody asking |

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
pub use domain::calendar::link::LinkKey;

/// The service's own tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
