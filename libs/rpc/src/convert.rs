//! Well-known wire types ↔ domain types. Each reader takes the name of the field for its error.

use jiff::SignedDuration;
use kernel::{Currency, Error, Money, Result, Timestamp};
use prost_types::FieldMask;
use proto::google::r#type::Money as PbMoney;

/// Nano units of `google.type.Money` in one major unit.
const NANOS: i64 = 1_000_000_000;

/// 0001-01-01T00:00:00Z in Unix seconds, the earliest instant of `google.protobuf.Timestamp`.
const YEAR_1: i64 = -62_135_596_800;

/// A required instant. It is cut to microseconds, which is what Postgres keeps.
pub fn timestamp(field: &str, value: Option<&prost_types::Timestamp>) -> Result<Timestamp> {
    optional_timestamp(field, value)?.ok_or_else(|| Error::invalid(field, "must be given"))
}

/// An instant that may be missing.
pub fn optional_timestamp(field: &str, value: Option<&prost_types::Timestamp>) -> Result<Option<Timestamp>> {
    let Some(value) = value else { return Ok(None) };
    let valid = (0..1_000_000_000).contains(&value.nanos) && value.seconds >= YEAR_1;
    match valid.then(|| Timestamp::new(value.seconds, value.nanos)) {
        Some(Ok(at)) => Ok(Some(kernel::clock::truncate(at))),
        _ => Err(Error::invalid(field, "must be an RFC 3339 instant of the years 1 to 9999")),
    }
}

/// An instant for the wire.
pub fn to_timestamp(at: Timestamp) -> prost_types::Timestamp {
    // The wire counts nanoseconds forward from the second, also before 1970.
    let nanos = at.as_nanosecond();
    let second = nanos.div_euclid(i128::from(NANOS));
    prost_types::Timestamp {
        seconds: i64::try_from(second).unwrap_or(at.as_second()),
        nanos: i32::try_from(nanos.rem_euclid(i128::from(NANOS))).unwrap_or(0),
    }
}

/// A required length of time, not negative.
pub fn duration(field: &str, value: Option<&prost_types::Duration>) -> Result<SignedDuration> {
    let value = value.ok_or_else(|| Error::invalid(field, "must be given"))?;
    if value.seconds < 0 || !(0..1_000_000_000).contains(&value.nanos) {
        return Err(Error::invalid(field, "must be a length of time that is not negative, such as 3600s"));
    }
    Ok(SignedDuration::new(value.seconds, value.nanos))
}

/// A length of time for the wire.
pub fn to_duration(length: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: length.as_secs(), nanos: length.subsec_nanos() }
}

/// A required amount. Fails on a currency that isn't supported, on units and nanos of opposite sign, on more decimals
/// than the currency has, and on amounts beyond an `i64` of minor units. Nothing is rounded.
pub fn money(field: &str, value: Option<&PbMoney>) -> Result<Money> {
    let value = value.ok_or_else(|| Error::invalid(field, "must be given"))?;
    let currency = Currency::parse(&format!("{field}.currency_code"), &value.currency_code)?;
    let nanos = i64::from(value.nanos);
    if nanos.abs() >= NANOS || value.units.signum() * nanos.signum() < 0 {
        return Err(Error::invalid(format!("{field}.nanos"), "must be below one unit and of the same sign as units"));
    }
    let per_major = currency.minor_per_major();
    let nanos_per_minor = NANOS / per_major;
    if nanos % nanos_per_minor != 0 {
        return Err(Error::invalid(
            format!("{field}.nanos"),
            format!("must have no more than {} decimals in {currency}", currency.exponent()),
        ));
    }
    value
        .units
        .checked_mul(per_major)
        .and_then(|minor| minor.checked_add(nanos / nanos_per_minor))
        .map(|minor| Money::new(minor, currency))
        .ok_or_else(|| Error::invalid(format!("{field}.units"), "is too large"))
}

/// An amount for the wire.
pub fn to_money(amount: Money) -> PbMoney {
    let per_major = amount.currency().minor_per_major();
    PbMoney {
        currency_code: amount.currency().code().to_owned(),
        units: amount.minor() / per_major,
        nanos: i32::try_from(amount.minor() % per_major * (NANOS / per_major)).unwrap_or(0),
    }
}

/// The paths of an update mask that a method knows (AIP-134). A missing or empty mask, or `*`, means all of `known`; a
/// path that isn't known is an error.
pub fn field_mask(field: &str, mask: Option<&FieldMask>, known: &[&'static str]) -> Result<Vec<&'static str>> {
    let paths = mask.map(|mask| mask.paths.as_slice()).unwrap_or_default();
    if paths.is_empty() || paths == ["*"] {
        return Ok(known.to_vec());
    }
    let mut wanted = Vec::with_capacity(paths.len());
    for path in paths {
        match known.iter().find(|known| *known == path) {
            Some(known) if wanted.contains(known) => {}
            Some(known) => wanted.push(*known),
            None => return Err(Error::invalid(field, format!("may only name {}", known.join(", ")))),
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pb(currency: &str, units: i64, nanos: i32) -> PbMoney {
        PbMoney { currency_code: currency.to_owned(), units, nanos }
    }

    fn refused(value: &PbMoney) -> Option<String> {
        money("price", Some(value)).err().and_then(|error| error.violations().first().map(|v| v.field.clone()))
    }

    #[test]
    fn money_reads_back_exactly() {
        for minor in [0, 1, -1, 99, -12_305, i64::MAX, i64::MIN] {
            let amount = Money::new(minor, Currency::CNY);
            assert_eq!(money("price", Some(&to_money(amount))).ok(), Some(amount), "{minor}");
        }
        let yen = money("price", Some(&pb("JPY", 500, 0))).expect("yen");
        assert_eq!((yen.minor(), to_money(yen)), (500, pb("JPY", 500, 0)));
    }

    #[test]
    fn money_that_is_not_exact_is_refused() {
        assert_eq!(refused(&pb("CNY", 1, 125_000_000)), Some("price.nanos".to_owned()), "third decimal");
        assert_eq!(refused(&pb("JPY", 1, 500_000_000)), Some("price.nanos".to_owned()), "yen has no decimals");
        assert_eq!(refused(&pb("CNY", 1, -10_000_000)), Some("price.nanos".to_owned()), "two signs");
        assert_eq!(refused(&pb("CNY", 0, 1_000_000_000)), Some("price.nanos".to_owned()), "a whole unit");
        assert_eq!(refused(&pb("CNY", 0, i32::MIN)), Some("price.nanos".to_owned()));
        assert_eq!(refused(&pb("CNY", i64::MAX, 0)), Some("price.units".to_owned()));
        assert_eq!(refused(&pb("XXX", 1, 0)), Some("price.currency_code".to_owned()));
        assert_eq!(refused(&pb("", 1, 0)), Some("price.currency_code".to_owned()));
        assert!(money("price", None).is_err());
    }

    #[test]
    fn instants_read_back_also_before_1970() {
        for micros in [0, 1, -1, 1_700_000_000_123_456, -5_000_000_000_000_001] {
            let at = Timestamp::from_microsecond(micros).expect("in range");
            let wire = to_timestamp(at);
            assert!(wire.nanos >= 0);
            assert_eq!(timestamp("at", Some(&wire)).ok(), Some(at), "{micros}");
        }
    }

    #[test]
    fn instants_that_are_none_are_refused() {
        let odd = [(0, -1), (0, 1_000_000_000), (i64::MAX, 0), (i64::MIN, 999_999_999), (YEAR_1 - 1, 0)];
        for (seconds, nanos) in odd {
            assert!(timestamp("at", Some(&prost_types::Timestamp { seconds, nanos })).is_err(), "{seconds} {nanos}");
        }
        assert!(timestamp("at", None).is_err());
        assert_eq!(optional_timestamp("at", None).ok(), Some(None));
    }

    #[test]
    fn lengths_of_time_are_not_negative() {
        let hour = SignedDuration::from_hours(1);
        assert_eq!(duration("length", Some(&to_duration(hour))).ok(), Some(hour));
        assert!(duration("length", Some(&prost_types::Duration { seconds: -1, nanos: 0 })).is_err());
        assert!(duration("length", Some(&prost_types::Duration { seconds: 0, nanos: -1 })).is_err());
    }

    #[test]
    fn a_mask_names_only_what_is_known() {
        let mask = |paths: &[&str]| FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let known = ["title", "price"];
        assert_eq!(field_mask("update_mask", None, &known).ok(), Some(vec!["title", "price"]));
        assert_eq!(field_mask("update_mask", Some(&mask(&["*"])), &known).ok(), Some(vec!["title", "price"]));
        assert_eq!(field_mask("update_mask", Some(&mask(&["price", "price"])), &known).ok(), Some(vec!["price"]));
        assert!(field_mask("update_mask", Some(&mask(&["name"])), &known).is_err());
    }
}
