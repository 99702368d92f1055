//! Path templates as `google/api/http.proto` defines them:
//!
//! ```text
//! Template  = "/" Segments [ Verb ] ;
//! Segments  = Segment { "/" Segment } ;
//! Segment   = "*" | "**" | LITERAL | Variable ;
//! Variable  = "{" FieldPath [ "=" Segments ] "}" ;
//! Verb      = ":" LITERAL ;
//! ```

use std::{fmt, sync::Arc};

/// One segment of a path, variables dissolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Exactly this text.
    Literal(Box<str>),
    /// Any one segment that is not empty.
    One,
    /// All that is left; only as the last segment.
    Rest,
}

/// The segments that a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first.
    pub start: usize,
    /// One past the last, as counted in the template.
    pub end: usize,
    /// Whether it runs to the end of the path, however long that is (`**`).
    pub open: bool,
}

impl Span {
    /// Whether it can take more than one segment, so that a `/` inside it must stay distinct from an encoded one.
    pub fn is_multi(self) -> bool {
        self.open || self.end - self.start > 1
    }
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The template as written.
    pub text: Arc<str>,
    /// Its segments.
    pub segments: Vec<Segment>,
    /// Field path and span of each variable.
    pub variables: Vec<(Box<str>, Span)>,
    /// The word after the last colon, if any.
    pub verb: Option<Box<str>>,
}

/// Why a template can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("path template {template:?}: {problem}")]
pub struct TemplateError {
    template: String,
    problem: &'static str,
}

impl Template {
    /// Parses `text`.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let fail = |problem| TemplateError { template: text.to_owned(), problem };
        let path = text.strip_prefix('/').ok_or_else(|| fail("must begin with a slash"))?;
        let (path, verb) = split_verb(path);
        if verb.is_some_and(str::is_empty) {
            return Err(fail("has an empty verb"));
        }
        let mut parsed =
            Self { text: text.into(), segments: Vec::new(), variables: Vec::new(), verb: verb.map(Into::into) };
        let mut rest = path;
        loop {
            rest = parsed.take_segment(rest).map_err(fail)?;
            match rest.strip_prefix('/') {
                Some(more) => rest = more,
                None if rest.is_empty() => break,
                None => return Err(fail("has text between a variable and the next slash")),
            }
        }
        let open = parsed.segments.iter().position(|segment| *segment == Segment::Rest);
        if open.is_some_and(|at| at + 1 != parsed.segments.len()) {
            return Err(fail("has ** before its last segment"));
        }
        Ok(parsed)
    }

    fn take_segment<'a>(&mut self, text: &'a str) -> Result<&'a str, &'static str> {
        let Some(variable) = text.strip_prefix('{') else {
            let (segment, rest) = text.split_at(text.find(['/', '{']).unwrap_or(text.len()));
            self.segments.push(plain_segment(segment)?);
            return Ok(rest);
        };
        let (inner, rest) = variable.split_once('}').ok_or("has an open brace")?;
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        if field.is_empty() || field.split('.').any(str::is_empty) {
            return Err("has a variable without a field");
        }
        if self.variables.iter().any(|(known, _)| **known == *field) {
            return Err("binds a field twice");
        }
        let start = self.segments.len();
        for segment in pattern.split('/') {
            self.segments.push(plain_segment(segment)?);
        }
        let span = Span { start, end: self.segments.len(), open: self.segments.last() == Some(&Segment::Rest) };
        self.variables.push((field.into(), span));
        Ok(rest)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Splits the verb off: the text behind the last colon, if no slash or brace follows it.
fn split_verb(path: &str) -> (&str, Option<&str>) {
    match path.rfind(':') {
        Some(at) if !path[at..].contains(['/', '}']) => (&path[..at], Some(&path[at + 1..])),
        _ => (path, None),
    }
}

fn plain_segment(text: &str) -> Result<Segment, &'static str> {
    match text {
        "" => Err("has an empty segment"),
        "*" => Ok(Segment::One),
        "**" => Ok(Segment::Rest),
        _ if text.contains(['*', '{', '}', '=']) => Err("has a segment that is neither literal nor wildcard"),
        literal => Ok(Segment::Literal(literal.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    #[test]
    fn a_variable_with_a_pattern_and_a_verb() {
        let parsed = Template::parse("/v1/{booking.name=stores/*/bookings/*}:cancel").expect("valid");
        assert_eq!(
            parsed.segments,
            [literal("v1"), literal("stores"), Segment::One, literal("bookings"), Segment::One]
        );
        assert_eq!(parsed.variables, [("booking.name".into(), Span { start: 1, end: 5, open: false })]);
        assert_eq!(parsed.verb.as_deref(), Some("cancel"));
    }

    #[test]
    fn a_colon_before_a_later_slash_is_no_verb() {
        let parsed = Template::parse("/v1/payments:notify/{provider}").expect("valid");
        assert_eq!(parsed.segments, [literal("v1"), literal("payments:notify"), Segment::One]);
        assert_eq!(parsed.verb, None);
        assert!(!parsed.variables[0].1.is_multi());
    }

    #[test]
    fn a_double_star_is_open() {
        let parsed = Template::parse("/v1/{path=files/**}:read").expect("valid");
        assert!(parsed.variables[0].1.open && parsed.variables[0].1.is_multi());
    }

    #[test]
    fn bad_templates_say_what_is_wrong() {
        for (text, problem) in [
            ("v1/bookings", "must begin with a slash"),
            ("/v1/", "has an empty segment"),
            ("/v1//x", "has an empty segment"),
            ("/v1/{name", "has an open brace"),
            ("/v1/{=x}", "has a variable without a field"),
            ("/v1/{a..b}", "has a variable without a field"),
            ("/v1/{a}/{a}", "binds a field twice"),
            ("/v1/{a}b", "has text between a variable and the next slash"),
            ("/v1/{name=bookings/*}.ics", "has text between a variable and the next slash"),
            ("/v1/**/x", "has ** before its last segment"),
            ("/v1/a*", "has a segment that is neither literal nor wildcard"),
            ("/v1/x:", "has an empty verb"),
        ] {
            assert_eq!(Template::parse(text).map_err(|e| e.problem), Err(problem), "{text}");
        }
    }
}
