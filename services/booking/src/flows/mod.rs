//! One use case a file. A flow that changes something ends in the reply for the wire, since the reply is part of the
//! effect: it is stored with it, under the request id.

pub mod advance_booking;
pub mod assignment;
pub mod calendar;
pub mod cancel_booking;
pub mod catalog;
pub mod change;
pub mod deposit_paid;
pub mod draft;
pub(crate) mod edit;
pub mod expire_booking;
pub mod explain_slots;
pub mod extend_booking;
pub mod extend_hold;
pub mod group;
pub mod hold_slot;
pub mod keep;
pub mod list_stores;
pub mod move_booking;
pub mod no_show;
pub mod order_tasks;
pub mod present_visit;
pub mod preview_cancel;
pub mod propose_times;
pub mod quoting;
pub mod record;
pub mod reschedule_booking;
pub mod roster;
pub mod rotation;
pub mod search_slots;
pub mod seek;
pub mod set_preference;
pub mod sight;
pub mod stranded;
pub mod sweep;
pub mod tell_licences;
pub mod waitlist;
pub mod walk_in;

use pg::idempotency::Key;

/// A request that must have one effect and one answer, however often it comes.
#[derive(Debug)]
pub struct Once<'a, Q> {
    /// What identifies it.
    pub key: Key<'a>,
    /// The message, whose content must be the same each time.
    pub message: &'a Q,
}
