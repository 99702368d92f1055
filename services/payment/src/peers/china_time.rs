//! Times as Chinese providers write them: in China Standard Time, which has no summer time.

use jiff::{
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};
use kernel::Timestamp;

const ZONE: Offset = Offset::constant(8);

/// `2026-01-02T03:04:05+08:00`
pub fn rfc3339(at: Timestamp) -> String {
    format!("{}+08:00", local(at).strftime("%Y-%m-%dT%H:%M:%S"))
}

/// `2026-01-02 03:04:05`
pub fn plain(at: Timestamp) -> String {
    local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Reads `2026-01-02 03:04:05`; `None` if it isn't written so.
pub fn read_plain(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    Some(time.to_zoned(TimeZone::fixed(ZONE)).ok()?.timestamp())
}

/// The date and time on clocks in China.
pub fn local(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::fixed(ZONE)).datetime()
}

/// The first instant of a day on clocks in China; `None` at the end of time.
pub fn start_of(day: Date) -> Option<Timestamp> {
    Some(day.to_zoned(TimeZone::fixed(ZONE)).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_clocks_in_china() {
        let at: Timestamp = "2026-01-01T19:04:05Z".parse().expect("a time");
        assert_eq!(rfc3339(at), "2026-01-02T03:04:05+08:00");
        assert_eq!(plain(at), "2026-01-02 03:04:05");
        assert_eq!(read_plain("2026-01-02 03:04:05"), Some(at));
        assert_eq!(start_of(local(at).date()), read_plain("2026-01-02 00:00:00"));
        for bad in ["", "2026-01-02", "2026-13-02 03:04:05", "2026-01-02T03:04:05"] {
            assert_eq!(read_plain(bad), None, "{bad}");
        }
    }
}
