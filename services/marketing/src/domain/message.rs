//! Texts to single people.

use jiff::SignedDuration;
use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, MemberId, MessageId},
};

/// A text to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which.
    pub id: MessageId,
    /// To whom, if it is a member.
    pub customer: Option<MemberId>,
    /// What it is about.
    pub kind: Kind,
    /// The visit that it is about.
    pub about: Option<About>,
    /// When it goes or went out.
    pub send_time: Timestamp,
    /// Where it is in its life.
    pub state: State,
    /// Whose key seals the text.
    pub key_owner: Uuid,
    /// The text, sealed.
    pub body: Vec<u8>,
}

/// The visit that a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Which.
    pub booking: BookingId,
    /// When it starts.
    pub start_time: Timestamp,
    /// As of which version.
    pub version: i64,
}

impl About {
    /// The id of the one message of `kind` about this version of this visit. Not its start: a visit may come back to a
    /// time that it had before.
    pub fn message(&self, kind: Kind) -> MessageId {
        MessageId::derive(self.booking.uuid(), &format!("{}/{}", kind.as_str(), self.version))
    }
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A one-time code.
    VerificationCode,
    /// A visit is confirmed.
    BookingConfirmed,
    /// A visit is near.
    BookingReminder,
    /// A visit was cancelled.
    BookingCancelled,
    /// A visit has another time or therapist, as the customer wished.
    BookingRescheduled,
    /// A visit has another time or therapist, as the store wished.
    BookingMoved,
    /// A time is held for somebody on the waitlist.
    WaitlistOffer,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::VerificationCode,
        Self::BookingConfirmed,
        Self::BookingReminder,
        Self::BookingCancelled,
        Self::BookingRescheduled,
        Self::BookingMoved,
        Self::WaitlistOffer,
    ];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VerificationCode => "VERIFICATION_CODE",
            Self::BookingConfirmed => "BOOKING_CONFIRMED",
            Self::BookingReminder => "BOOKING_REMINDER",
            Self::BookingCancelled => "BOOKING_CANCELLED",
            Self::BookingRescheduled => "BOOKING_RESCHEDULED",
            Self::BookingMoved => "BOOKING_MOVED",
            Self::WaitlistOffer => "WAITLIST_OFFER",
        }
    }

    /// Reads [`Kind::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Where a message is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It goes out at its time.
    Scheduled,
    /// It is out.
    Sent,
    /// It was called back.
    Cancelled,
    /// It could not be delivered.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Scheduled, Self::Sent, Self::Cancelled, Self::Failed];

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Sent => "SENT",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    /// Reads [`State::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// When the reminder of a visit goes out: `lead` before its start, as time passes and not as clocks show it. `None` if
/// that is past already.
pub fn reminder_time(start: Timestamp, lead: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    Some(start - lead).filter(|time| *time > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_an_hour_ahead_also_across_a_clock_change() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let hour = SignedDuration::from_hours(1);
        // London goes from 01:00 to 02:00 at 01:00 UTC: 02:30 there is an hour after 00:30.
        let start = at("2027-03-28T01:30:00Z");
        assert_eq!(reminder_time(start, hour, at("2027-03-27T12:00:00Z")), Some(at("2027-03-28T00:30:00Z")));
        assert_eq!(reminder_time(start, hour, at("2027-03-28T00:29:59Z")), Some(at("2027-03-28T00:30:00Z")));
        assert_eq!(reminder_time(start, hour, at("2027-03-28T00:30:00Z")), None);
    }

    #[test]
    fn there_is_one_message_for_each_version_and_kind() {
        let booking = BookingId::from_uuid(Uuid::from_u128(1));
        let about = About { booking, start_time: Timestamp::UNIX_EPOCH, version: 3 };
        let later = About { version: 4, ..about };
        assert_eq!(about.message(Kind::BookingReminder), about.message(Kind::BookingReminder));
        assert_ne!(about.message(Kind::BookingReminder), about.message(Kind::BookingConfirmed));
        assert_ne!(about.message(Kind::BookingReminder), later.message(Kind::BookingReminder));
    }
}
