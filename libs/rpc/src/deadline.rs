//! The `grpc-timeout` header: how long the caller will wait.

use std::time::Duration;

use http::HeaderMap;

const HEADER: &str = "grpc-timeout";

/// How long a caller that states nothing is served.
const DEFAULT: Duration = Duration::from_secs(10);

/// How long a call may take whatever its caller states: nothing here takes longer, and a forgotten call must end.
const LONGEST: Duration = Duration::from_secs(60);

/// How long this call may take. A header that can't be read counts as none, as in every gRPC library.
pub(crate) fn allowed(headers: &HeaderMap) -> Duration {
    headers.get(HEADER).and_then(|value| value.to_str().ok()).and_then(parse).unwrap_or(DEFAULT).min(LONGEST)
}

/// At most eight digits and a unit (gRPC over HTTP/2, "Timeout").
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3_600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn units_are_read_and_nonsense_counts_as_none() {
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("99999999n"), Some(Duration::from_nanos(99_999_999)));
        assert_eq!(parse("2H"), Some(Duration::from_secs(7_200)));
        for odd in ["", "S", "-1S", "+1S", "1.5S", "123456789S", "10", "1s", "１S", "S\u{e9}"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn nobody_waits_for_ever() {
        let mut headers = HeaderMap::new();
        assert_eq!(allowed(&headers), DEFAULT);
        headers.insert(HEADER, HeaderValue::from_static("99999999H"));
        assert_eq!(allowed(&headers), LONGEST);
    }
}
