//! One-time codes.

use jiff::SignedDuration;
use kernel::{Error, ErrorKind, Result, Timestamp, Uuid};

/// How often a code may be tried.
pub const MAX_TRIES: i32 = 5;

/// The shortest time between two codes for one phone.
pub const PAUSE: SignedDuration = SignedDuration::from_mins(1);

/// How many codes one phone gets in [`WINDOW`].
pub const MAX_IN_WINDOW: usize = 5;

/// See [`MAX_IN_WINDOW`].
pub const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// A code that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// Its id; the request to the message service is derived from it.
    pub id: Uuid,
    /// What its digits are derived from, together with the master key.
    pub salt: [u8; 32],
    /// Until when it is good.
    pub expire_time: Timestamp,
    /// When the message service took it; it is void before.
    pub send_time: Option<Timestamp>,
    /// When it was used.
    pub use_time: Option<Timestamp>,
    /// How often it was tried in vain.
    pub try_count: i32,
}

impl Code {
    /// Whether it may still be tried.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.send_time.is_some() && self.use_time.is_none() && now < self.expire_time && self.try_count < MAX_TRIES
    }
}

/// The six digits that a keyed digest stands for. The bias of the remainder is below 2^-44.
pub fn digits(digest: [u8; 32]) -> String {
    let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{:06}", number % 1_000_000)
}

/// Compares in a time that does not tell how much is right.
pub fn same(expected: &str, given: &str) -> bool {
    expected.len() == given.len()
        && expected.bytes().zip(given.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// Refuses another code for a phone that got codes at these times within [`WINDOW`]. It says when to come back.
pub fn check_rate(sent: &[Timestamp], now: Timestamp) -> Result<()> {
    let newest = sent.iter().max().map(|at| *at + PAUSE);
    let full = if sent.len() >= MAX_IN_WINDOW { sent.iter().min().map(|at| *at + WINDOW) } else { None };
    let Some(again) = newest.into_iter().chain(full).max().filter(|again| *again > now) else { return Ok(()) };
    let wait = again.duration_since(now).as_secs().max(1);
    Err(Error::new(
        ErrorKind::ResourceExhausted,
        "TOO_MANY_CODES",
        "a phone gets one code a minute and five an hour: use the last one, or wait",
    )
    .with("retry_after_seconds", wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("in range")
    }

    fn wait(sent: &[i64], now: i64) -> Option<String> {
        let sent: Vec<_> = sent.iter().map(|second| at(*second)).collect();
        check_rate(&sent, at(now)).err().map(|error| error.metadata()[0].1.clone())
    }

    #[test]
    fn one_a_minute_and_five_an_hour() {
        assert_eq!(wait(&[], 0), None);
        assert_eq!(wait(&[0], 59), Some("1".to_owned()));
        assert_eq!(wait(&[0], 60), None);
        let five = [0, 60, 120, 180, 240];
        assert_eq!(wait(&five[..4], 240), None);
        assert_eq!(wait(&five, 300), Some("3300".to_owned()));
        assert_eq!(wait(&five[1..], 3_600), None);
    }

    #[test]
    fn a_code_is_open_while_it_is_sent_fresh_unused_and_little_tried() {
        let code = Code {
            id: Uuid::nil(),
            salt: [0; 32],
            expire_time: at(300),
            send_time: Some(at(0)),
            use_time: None,
            try_count: 4,
        };
        assert!(code.is_open(at(299)));
        assert!(!code.is_open(at(300)));
        assert!(!Code { send_time: None, ..code.clone() }.is_open(at(1)));
        assert!(!Code { use_time: Some(at(1)), ..code.clone() }.is_open(at(1)));
        assert!(!Code { try_count: 5, ..code }.is_open(at(1)));
    }

    #[test]
    fn there_are_always_six_digits() {
        assert_eq!(digits([0; 32]), "000000");
        assert_eq!(digits([255; 32]), (u64::MAX % 1_000_000).to_string());
        assert!(same("012345", "012345"));
        assert!(!same("012345", "012346") && !same("012345", "01234"));
    }
}
