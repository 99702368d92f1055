//! The rules of texts. Lengths count characters, not bytes, as the specification of `buf.validate` says.

use std::sync::OnceLock;

use regex_lite::Regex;

use super::{Place, Report};

/// A rule of a text.
#[derive(Debug)]
pub enum Text {
    /// Exactly so many characters.
    Len(usize),
    /// So many characters or more.
    MinLen(usize),
    /// So many characters or fewer.
    MaxLen(usize),
    /// Matches a regular expression.
    Pattern(&'static Pattern),
    /// Begins with this.
    Prefix(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A UUID in its usual form: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12.
    Uuid,
    /// An e-mail address.
    Email,
}

/// A regular expression that is compiled when it is first used; matching takes time linear in the text.
#[derive(Debug)]
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// A pattern from its source, which the generator has tried.
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// Whether the pattern is found in `text`; a pattern that is none matches nothing.
    fn is_match(&self, text: &str) -> bool {
        self.compiled.get_or_init(|| Regex::new(self.source).ok()).as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl Report {
    /// Checks a text. What the text is goes never into the description: it may be personal.
    pub fn text(&mut self, place: Place, value: &str, rules: &[Text]) {
        for rule in rules {
            if let Some(description) = wrong(value, rule) {
                self.add(place, || description);
            }
        }
    }
}

/// What is wrong with a text, if it breaks the rule.
fn wrong(value: &str, rule: &Text) -> Option<String> {
    let length = || value.chars().count();
    match rule {
        Text::Len(exact) => {
            let length = length();
            (length != *exact).then(|| format!("must be exactly {}; it has {length}", characters(*exact)))
        }
        Text::MinLen(1) => value.is_empty().then(|| "must not be empty".to_owned()),
        Text::MinLen(min) => {
            let length = length();
            (length < *min).then(|| format!("must be at least {}; it has {length}", characters(*min)))
        }
        // A text has at most as many characters as bytes: most need no counting.
        Text::MaxLen(max) if value.len() <= *max => None,
        Text::MaxLen(max) => {
            let length = length();
            (length > *max).then(|| format!("must be at most {}; it has {length}", characters(*max)))
        }
        Text::Pattern(pattern) => {
            (!pattern.is_match(value)).then(|| format!("must match the pattern {}", pattern.source))
        }
        Text::Prefix(prefix) => (!value.starts_with(prefix)).then(|| format!("must begin with {prefix:?}")),
        Text::OneOf([only]) => (value != *only).then(|| format!("must be {only:?}")),
        Text::OneOf(values) => (!values.contains(&value)).then(|| format!("must be one of {}", values.join(", "))),
        Text::Uuid => {
            (!is_uuid(value)).then(|| "must be a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057".to_owned())
        }
        Text::Email => (!is_email(value)).then(|| "must be an e-mail address such as name@example.com".to_owned()),
    }
}

fn characters(count: usize) -> String {
    if count == 1 { "1 character".to_owned() } else { format!("{count} characters") }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The addresses that a browser's e-mail field takes (HTML standard, "valid e-mail address"), within the lengths of
/// RFC 5321.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=64).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
        && domain.len() <= 255
        && domain.split('.').all(label)
}
