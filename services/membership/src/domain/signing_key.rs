//! When keys that sign access tokens come and go.

use jiff::SignedDuration;
use kernel::Timestamp;

/// How long a key is published before it signs, so that every verifier has fetched it by then.
pub const LEAD: SignedDuration = SignedDuration::from_mins(15);

/// How long a key is published beyond its last token, for clocks that differ and verifiers that remember.
pub const LAG: SignedDuration = SignedDuration::from_mins(5);

/// What is kept of a key beside its halves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLife {
    /// Its id in tokens.
    pub kid: String,
    /// From when on it signs.
    pub activate_time: Timestamp,
    /// From when on its tokens are refused.
    pub retire_time: Option<Timestamp>,
}

/// When the next key is to sign, if it is to be made now: at once if there is none, else when the newest has been at it
/// for `lifetime`.
pub fn next_activation(newest: Option<&KeyLife>, lifetime: SignedDuration, now: Timestamp) -> Option<Timestamp> {
    let Some(newest) = newest else { return Some(now) };
    (newest.activate_time + lifetime <= now + LEAD).then(|| now + LEAD)
}

/// When the last token of a key is out that signs until `until`.
pub fn retire_time(until: Timestamp, token_lifetime: SignedDuration) -> Timestamp {
    until + token_lifetime + LAG
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_key_is_published_before_it_signs() {
        let at = |minute: i64| Timestamp::from_second(minute * 60).expect("in range");
        let lifetime = SignedDuration::from_mins(1_000);
        assert_eq!(next_activation(None, lifetime, at(0)), Some(at(0)));
        let key = KeyLife { kid: "a".to_owned(), activate_time: at(0), retire_time: None };
        assert_eq!(next_activation(Some(&key), lifetime, at(984)), None);
        assert_eq!(next_activation(Some(&key), lifetime, at(985)), Some(at(1_000)));
        assert_eq!(retire_time(at(1_000), SignedDuration::from_mins(15)), at(1_020));
    }
}
