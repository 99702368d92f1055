//! Amounts as texts in yuan, exactly: no float ever.

use kernel::{Error, Result};

/// How many of the unit of [`parse_fine`] make a fen.
pub const FINE_PER_FEN: i64 = 1_000;

/// Fen as yuan with two decimals, such as `-0.05`.
pub fn format(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

/// Yuan as fen. There may be fewer or more than two decimals, but what is below a fen must be zero.
///
/// # Errors
/// `InvalidArgument` naming `field`.
pub fn parse(field: &str, text: &str) -> Result<i64> {
    let fine = parse_fine(field, text)?;
    if fine % FINE_PER_FEN == 0 {
        Ok(fine / FINE_PER_FEN)
    } else {
        Err(Error::invalid(field, "must be an amount in yuan without parts of a fen"))
    }
}

/// Yuan as hundred-thousandths of a yuan, which is how finely WeChat Pay's bills state fees.
///
/// # Errors
/// `InvalidArgument` naming `field`.
pub fn parse_fine(field: &str, text: &str) -> Result<i64> {
    read(text).ok_or_else(|| Error::invalid(field, "must be an amount in yuan, such as 12.30"))
}

fn read(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(part) {
        return None;
    }
    // What is finer than the unit must be zero.
    let (kept, rest) = part.split_at_checked(5).unwrap_or((part, ""));
    if rest.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let scale = 10_i64.checked_pow(5_u32.checked_sub(u32::try_from(kept.len()).ok()?)?)?;
    let part = kept.parse::<i64>().ok()?.checked_mul(scale)?;
    let amount = whole.parse::<i64>().ok()?.checked_mul(100_000)?.checked_add(part)?;
    Some(if negative { -amount } else { amount })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn yuan_are_read_exactly_or_not_at_all() {
        let read = |text| parse("amount", text).ok();
        for (text, fen) in [
            ("0.00", 0),
            ("12.30", 1_230),
            ("12.3", 1_230),
            ("45", 4_500),
            ("0.01000", 1),
            ("-0.60", -60),
            ("0.07", 7),
            ("92233720368547.0", 9_223_372_036_854_700),
        ] {
            assert_eq!(read(text), Some(fen), "{text}");
        }
        for text in
            ["", ".", "1.", ".5", "1,000.00", "0.001", "1e3", "+1.00", "--1", " 1.00", "１.00", "NaN", "1.2.3", "0x1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("9223372036854775807.99"), None, "more than fits");
    }

    #[test]
    fn parts_of_a_fen_are_kept_where_they_are_meant() {
        assert_eq!(parse_fine("fee", "0.00600").ok(), Some(600));
        assert_eq!(parse_fine("fee", "-1.23456").ok(), Some(-123_456));
        assert!(parse_fine("fee", "0.000001").is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(fen in -9_000_000_000_000_000..9_000_000_000_000_000_i64) {
            prop_assert_eq!(parse("amount", &format(fen)).ok(), Some(fen));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = parse("amount", &text);
        }
    }
}
