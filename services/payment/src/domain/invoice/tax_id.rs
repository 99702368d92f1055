//! The tax id of an organisation in China: its unified social credit code (GB 32100-2015).
//!
//! 18 characters: registering authority, kind, six digits of the region, nine characters of the organisation, and a check
//! character, which is 31 less the sum of the others' values times `3^position`, modulo 31.

use std::fmt;

use kernel::{Error, Result};

/// The characters by their values: digits and capitals without I, O, S, V and Z.
const CHARACTERS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// A tax id whose check character fits.
#[derive(Clone, PartialEq, Eq)]
pub struct TaxId(String);

impl TaxId {
    /// Reads one; small letters count as capitals.
    ///
    /// # Errors
    /// `InvalidArgument` naming `field`.
    pub fn try_new(field: &str, text: &str) -> Result<Self> {
        let code = text.trim().to_ascii_uppercase();
        let (body, check) = match code.as_bytes() {
            [body @ .., check] if code.len() == 18 => (body, *check),
            _ => return Err(Error::invalid(field, "must be a unified social credit code of 18 characters")),
        };
        let expected = check_character(body).filter(|_| region(body));
        let expected = expected.ok_or_else(|| {
            Error::invalid(field, "must be of digits and capitals without I, O, S, V and Z; see GB 32100")
        })?;
        if check == expected {
            Ok(Self(code))
        } else {
            Err(Error::invalid(field, "has a check character that does not fit; look for a character typed wrongly"))
        }
    }

    /// Its 18 characters.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TaxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaxId([REDACTED])")
    }
}

/// Whether the third to the eighth are digits.
fn region(body: &[u8]) -> bool {
    body.iter().skip(2).take(6).all(u8::is_ascii_digit)
}

/// The character that makes 17 others whole; `None` if one of them can't be.
fn check_character(body: &[u8]) -> Option<u8> {
    let (mut sum, mut weight) = (0, 1);
    for character in body {
        sum += CHARACTERS.iter().position(|known| known == character)? * weight;
        weight = weight * 3 % 31;
    }
    CHARACTERS.get((31 - sum % 31) % 31).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_known_organisations_are_read() {
        // The standard's own example, and companies that publish theirs.
        for code in ["91350100M000100Y43", "91330100799655058B", "9144030071526726XG", "914403001922038216"] {
            assert_eq!(TaxId::try_new("tax_id", code).expect(code).expose(), code);
        }
        assert_eq!(TaxId::try_new("tax_id", " 9144030071526726xg ").expect("read").expose(), "9144030071526726XG");
    }

    #[test]
    fn every_single_slip_is_found() {
        let code = "9144030071526726XG";
        for at in 0..code.len() {
            for other in CHARACTERS {
                let mut typed = code.as_bytes().to_vec();
                typed[at] = *other;
                let typed = String::from_utf8(typed).expect("ASCII");
                assert_eq!(TaxId::try_new("tax_id", &typed).is_ok(), typed == code, "{typed}");
            }
        }
        for swapped in ["9414030071526726XG", "9144030071526276XG", "9144030071526726GX"] {
            assert!(TaxId::try_new("tax_id", swapped).is_err(), "{swapped}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused_by_its_field() {
        for text in ["", "91440300", "9144030071526726XGG", "I144030071526726XG", "91A4030071526726XG", "税税税税税税"]
        {
            let error = TaxId::try_new("buyer.tax_id", text).expect_err(text);
            assert_eq!(error.violations()[0].field, "buyer.tax_id");
        }
        assert_eq!(format!("{:?}", TaxId::try_new("x", "91350100M000100Y43").expect("read")), "TaxId([REDACTED])");
    }
}
