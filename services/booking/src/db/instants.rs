//! Arrays of instants as minutes. A search reads tens of thousands of them, and making a timestamp of each costs more than
//! all that is done with it.

use sqlx::{
    Decode, Postgres, Type,
    error::BoxDynError,
    postgres::{PgHasArrayType as _, PgTypeInfo, PgValueFormat, PgValueRef},
};

use crate::domain::span::{Minute, Span};

/// From 1970, where minutes are counted from, to 2000, where Postgres counts its microseconds from.
const EPOCH: Minute = 15_778_080;

const MICROSECONDS: i64 = 60_000_000;

/// Dimensions, whether there are nulls, the type of the elements; then how many there are, and where their numbers begin.
const HEAD: usize = 20;

/// A `timestamptz[]` without nulls.
#[derive(Debug)]
pub(super) struct Instants(Vec<i64>);

impl Instants {
    /// Spans that start at these instants and end at those; parts of a minute count as whole ones.
    pub fn to(&self, ends: &Self) -> impl Iterator<Item = Span> {
        let pairs = self.0.iter().zip(&ends.0);
        pairs.map(|(start, end)| Span::new(minute(*start), minute(end + MICROSECONDS - 1)))
    }
}

/// The minute in which an instant lies.
fn minute(microseconds: i64) -> Minute {
    microseconds.div_euclid(MICROSECONDS) + EPOCH
}

impl Type<Postgres> for Instants {
    fn type_info() -> PgTypeInfo {
        jiff_sqlx::Timestamp::array_type_info()
    }
}

impl Decode<'_, Postgres> for Instants {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("instants are read from prepared statements only".into());
        }
        let bytes = value.as_bytes()?;
        // An empty array has no dimension.
        let elements = bytes.get(HEAD..).unwrap_or_default();
        let (elements, rest) = elements.as_chunks::<12>();
        if !rest.is_empty() {
            return Err("an array of instants has a null or more than one dimension".into());
        }
        let instants = elements.iter().map(|[_, _, _, _, a, b, c, d, e, f, g, h]| {
            // After its length, which is always eight.
            i64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])
        });
        Ok(Self(instants.collect()))
    }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;
    use crate::domain::span::{minute as minute_of, minute_after};

    #[test]
    fn minutes_are_those_of_timestamps() {
        for text in ["1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00Z", "2026-11-23T02:00:00.000001Z"] {
            let at: Timestamp = text.parse().expect(text);
            let of_postgres = at.as_microsecond() - EPOCH * MICROSECONDS;
            let span = Instants(vec![of_postgres]).to(&Instants(vec![of_postgres])).next();
            assert_eq!(span, Some(Span::new(minute_of(at), minute_after(at))), "{text}");
        }
    }
}
