//! What a request must look like.
//!
//! The rules stand in the protos as `buf.validate` options; `make proto` makes an [`impl Validate`](Validate) from them,
//! which calls the checks of [`Report`]. A check does no I/O and knows no time: what depends on the state of the suite
//! ("a start that is past") is the domain's.

mod rules;
mod text;

pub use rules::{Bytes, Count, Instant, Integer, Number, Span};
pub use text::{Pattern, Text};

/// A message that knows what it must look like.
pub trait Validate {
    /// Reports what is wrong, at paths below that of the report. Generated code implements this; call
    /// [`Validate::validate`].
    fn check(&self, report: &mut Report);

    /// Checks every rule.
    ///
    /// # Errors
    /// What is wrong, at most [`Report::LIMIT`] entries; never empty.
    fn validate(&self) -> Result<(), Vec<Violation>> {
        let mut report = Report::default();
        self.check(&mut report);
        report.finish()
    }

    /// Checks every rule as of the message that the field `name` of a request holds: paths start with it.
    ///
    /// # Errors
    /// As [`Validate::validate`].
    fn validate_as(&self, name: &'static str) -> Result<(), Vec<Violation>>
    where
        Self: Sized,
    {
        let mut report = Report::default();
        report.nested(Place::Field(name), self);
        report.finish()
    }
}

impl<M: Validate + ?Sized> Validate for Box<M> {
    fn check(&self, report: &mut Report) {
        (**self).check(report);
    }
}

/// What is absent breaks no rule; that it must be there is the rule of the field that holds it.
impl<M: Validate> Validate for Option<M> {
    fn check(&self, report: &mut Report) {
        if let Some(message) = self {
            message.check(report);
        }
    }
}

/// `google.protobuf.Empty`.
impl Validate for () {
    fn check(&self, _: &mut Report) {}
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field in names of the proto, such as `store.opening_hours[2].day`.
    pub field: String,
    /// What it must be, and what it is, for people.
    pub description: String,
}

/// Where a value stands in its message.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// A field.
    Field(&'static str),
    /// An item of a repeated field.
    Item(&'static str, usize),
}

/// Collects what is wrong with a message.
#[derive(Debug, Default)]
pub struct Report {
    /// The path of the message that is being checked; empty for the outermost.
    path: String,
    violations: Vec<Violation>,
}

impl Report {
    /// So many violations are kept. A status travels in headers, whose size peers limit, and nobody reads more.
    pub const LIMIT: usize = 20;

    /// Notes that the value at `place` is wrong.
    pub fn add(&mut self, place: Place, description: impl FnOnce() -> String) {
        if self.violations.len() < Self::LIMIT {
            self.violations.push(Violation { field: self.path(place), description: description() });
        }
    }

    /// Checks a message inside of this one.
    pub fn nested(&mut self, place: Place, message: &impl Validate) {
        if self.violations.len() == Self::LIMIT {
            return;
        }
        let inner = self.path(place);
        let outer = std::mem::replace(&mut self.path, inner);
        message.check(self);
        self.path = outer;
    }

    /// Checks that a value is there, and answers whether it is.
    pub fn required(&mut self, place: Place, present: bool) -> bool {
        if !present {
            self.add(place, || "must be given".to_owned());
        }
        present
    }

    /// Checks that one member of a oneof is there.
    pub fn one_of(&mut self, place: Place, present: bool, members: &[&str]) {
        if !present {
            self.add(place, || format!("one of {} must be given", members.join(", ")));
        }
    }

    fn finish(self) -> Result<(), Vec<Violation>> {
        if self.violations.is_empty() { Ok(()) } else { Err(self.violations) }
    }

    fn path(&self, place: Place) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        match place {
            Place::Field(name) => format!("{}{dot}{name}", self.path),
            Place::Item(name, index) => format!("{}{dot}{name}[{index}]", self.path),
        }
    }
}
