//! What days and breaks are called.

use std::fmt;

use jiff::civil::Date;
use kernel::{Error, Result, Uuid, ids};

/// The longest name of a provider.
const MAX_PROVIDER: usize = 32;

/// A provider's day: `providers/<name>/dayProofs/<date>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayName {
    /// The provider's short name, such as `wechat`.
    pub provider: String,
    /// The day, on the provider's clock.
    pub date: Date,
}

impl DayName {
    /// Reads a name.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`.
    pub fn parse(field: &str, name: &str) -> Result<Self> {
        let form = || Error::invalid(field, "must be of the form providers/<name>/dayProofs/<yyyy-mm-dd>");
        let (provider, date) =
            name.strip_prefix("providers/").and_then(|rest| rest.split_once("/dayProofs/")).ok_or_else(form)?;
        let lower = provider.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if provider.is_empty() || provider.len() > MAX_PROVIDER || !lower {
            return Err(form());
        }
        Ok(Self { provider: provider.to_owned(), date: date.parse().map_err(|_| form())? })
    }

    /// The id of its proof, which follows from the name: there is one.
    pub fn id(&self) -> Uuid {
        ids::derive(Uuid::nil(), &self.to_string())
    }
}

impl fmt::Display for DayName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "providers/{}/dayProofs/{}", self.provider, self.date)
    }
}

/// A break of a day: `providers/<name>/dayProofs/<date>/breaks/<number>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakName {
    /// Of which day.
    pub day: DayName,
    /// Its number, from 1.
    pub number: i32,
}

impl BreakName {
    /// Reads a name.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`.
    pub fn parse(field: &str, name: &str) -> Result<Self> {
        let form =
            || Error::invalid(field, "must be of the form providers/<name>/dayProofs/<yyyy-mm-dd>/breaks/<number>");
        let (day, number) = name.split_once("/breaks/").ok_or_else(form)?;
        let number = number.parse().ok().filter(|number| *number > 0).ok_or_else(form)?;
        Ok(Self { day: DayName::parse(field, day).map_err(|_| form())?, number })
    }

    /// What is booked about it is booked under this id.
    pub fn id(&self) -> Uuid {
        ids::derive(self.day.id(), &format!("breaks/{}", self.number))
    }
}

impl fmt::Display for BreakName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/breaks/{}", self.day, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        let name = "providers/wechat/dayProofs/2026-11-22/breaks/7";
        let read = BreakName::parse("name", name).expect("a name");
        assert_eq!((read.to_string(), read.number, read.day.provider.as_str()), (name.to_owned(), 7, "wechat"));
        assert_eq!(DayName::parse("name", &read.day.to_string()).expect("a name").id(), read.day.id());
        assert_ne!(read.id(), read.day.id());
        for bad in [
            "",
            "providers/wechat/dayProofs/2026-11-22",
            "providers/wechat/dayProofs/2026-11-22/breaks/0",
            "providers/WeChat/dayProofs/2026-11-22/breaks/1",
            "providers//dayProofs/2026-11-22/breaks/1",
            "providers/wechat/dayProofs/2026-02-30/breaks/1",
        ] {
            assert!(BreakName::parse("name", bad).is_err(), "{bad}");
        }
    }
}
