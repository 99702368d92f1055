//! Phone numbers.

use std::fmt;

use kernel::{Error, Result};

/// A phone number in E.164. It never prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone(String);

impl Phone {
    /// Reads a number that came in as `field`.
    pub fn parse(field: &str, text: &str) -> Result<Self> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if !fits {
            return Err(Error::invalid(field, "must be a phone number in E.164, such as +8613800138000"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The number, for a channel or a blind index.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_number() {
        assert!(Phone::parse("phone", "+8613800138000").is_ok());
        for bad in ["13800138000", "+0123456789", "+861380013800x", "+1234567890123456", "+12", "", "+８６13800138000"]
        {
            let error = Phone::parse("phone", bad).expect_err(bad);
            assert_eq!(error.violations()[0].field, "phone");
        }
    }

    #[test]
    fn it_does_not_print() {
        let phone = Phone::parse("phone", "+8613800138000").expect("a number");
        assert_eq!(format!("{phone:?}"), "Phone");
    }
}
