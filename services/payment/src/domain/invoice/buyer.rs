//! To whom an invoice is made out.

use std::fmt;

use kernel::{Error, Result};

use super::TaxId;

/// To whom an invoice is made out. Personal data: it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Buyer {
    /// A person's name, or the name under which an organisation is registered.
    pub title: String,
    /// Of an organisation; `None` for a person.
    pub tax_id: Option<TaxId>,
    /// Where the provider sends it.
    pub email: Option<String>,
}

impl Buyer {
    /// Reads what was given; the fields that are empty are absent.
    ///
    /// # Errors
    /// `InvalidArgument` naming the field.
    pub fn try_new(title: &str, tax_id: &str, email: &str) -> Result<Self> {
        let title = title.trim();
        if title.is_empty() || title.chars().any(char::is_control) {
            return Err(Error::invalid("buyer.title", "must be a name in one line"));
        }
        let given = |text: &str| !text.is_empty();
        let tax_id = given(tax_id).then(|| TaxId::try_new("buyer.tax_id", tax_id)).transpose()?;
        let email = given(email).then(|| read_email(email)).transpose()?;
        Ok(Self { title: title.to_owned(), tax_id, email })
    }
}

impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Buyer([REDACTED])")
    }
}

/// Not whether the address is allowed by all standards, but whether it can have been meant as one.
fn read_email(text: &str) -> Result<String> {
    let text = text.trim();
    let parts = text.split_once('@').filter(|(name, host)| {
        let host_is_one = host.contains('.') && !host.starts_with('.') && !host.ends_with('.') && !host.contains('@');
        !name.is_empty() && host_is_one && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
    });
    parts.map(|_| text.to_owned()).ok_or_else(|| Error::invalid("buyer.email", "must be an e-mail address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_is_a_person_or_an_organisation() {
        let person = Buyer::try_new(" 王芳 ", "", "").expect("a person");
        assert_eq!((person.title.as_str(), person.tax_id.is_none(), person.email), ("王芳", true, None));
        let firm = Buyer::try_new("深圳市某某公司", "91350100M000100Y43", "a@b.example").expect("a firm");
        assert_eq!(firm.email.as_deref(), Some("a@b.example"));
        assert_eq!(format!("{firm:?}"), "Buyer([REDACTED])");
        for (title, tax_id, email, field) in [
            (" ", "", "", "buyer.title"),
            ("a\nb", "", "", "buyer.title"),
            ("a", "91350100M000100Y44", "", "buyer.tax_id"),
            ("a", "", "nobody", "buyer.email"),
            ("a", "", "a@b", "buyer.email"),
            ("a", "", "a@b@c.example", "buyer.email"),
            ("a", "", "a b@c.example", "buyer.email"),
        ] {
            let error = Buyer::try_new(title, tax_id, email).expect_err("refused");
            assert_eq!(error.violations()[0].field, field);
        }
    }
}
