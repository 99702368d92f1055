//! Phone numbers.

use std::fmt;

use kernel::{Error, Result};

/// How many digits at the end a masked number shows.
const SHOWN: usize = 4;

/// A phone number in its one normal form, E.164: `+`, the country code, and 8 to 15 digits in all. It is personal data:
/// `Debug` shows it masked, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number that came in as `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let valid = text.strip_prefix('+').is_some_and(|digits| {
            (8..=15).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit())
                && !digits.starts_with('0')
        });
        if valid {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid(field, "must be in E.164: + and 8 to 15 digits with the country code, without spaces"))
    }

    /// The number itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number with all but its last four digits hidden.
    pub fn masked(&self) -> String {
        let (hidden, shown) = self.0.split_at(self.0.len() - SHOWN);
        "*".repeat(hidden.len()) + shown
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_normal_form_is_read() {
        for good in ["+8613800138000", "+12345678", "+123456789012345"] {
            assert_eq!(Phone::parse("phone", good).expect("valid").as_str(), good);
        }
        for bad in
            ["", "+", "8613800138000", "+1234567", "+1234567890123456", "+0123456789", "+86 138001380", "+8613８00138"]
        {
            let error = Phone::parse("phone", bad).expect_err(bad);
            assert_eq!(error.violations()[0].field, "phone");
        }
    }

    #[test]
    fn masked_it_shows_four_digits() {
        let phone = Phone::parse("phone", "+8613800138000").expect("valid");
        assert_eq!(phone.masked(), "**********8000");
        assert_eq!(format!("{phone:?}"), "**********8000");
    }
}
