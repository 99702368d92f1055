//! What comes out: a table for people, JSON for programs.

use std::{fmt, fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use serde::Serialize;

use super::machine::Machine;
use crate::say;

/// How much of an error is told, in characters: one may hold a whole answer.
const LONGEST_REASON: usize = 1_000;

/// What was found out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// On what.
    machine: Machine,
    /// The figures mean little.
    quick: bool,
    figures: Vec<Figure>,
    /// What was left out, and why.
    skipped: Vec<Note>,
    /// What could not be measured, and why.
    failed: Vec<Note>,
}

/// One figure.
#[derive(Debug, Serialize)]
pub struct Figure {
    /// Of what.
    name: &'static str,
    /// How much.
    value: f64,
    /// Of which unit.
    unit: &'static str,
    /// What is promised, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
    /// Whether the promise is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    passed: Option<bool>,
    /// Percentiles of the times behind it, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<Times>,
    /// Under which circumstances.
    note: String,
}

/// Percentiles of times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// Half of them took at most so long.
    pub p50: f64,
    /// All but one in a hundred took at most so long.
    pub p99: f64,
    /// How many there are.
    pub count: usize,
}

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Not less.
    AtLeast(f64),
    /// More.
    Above(f64),
    /// Not more.
    AtMost(f64),
}

#[derive(Debug, Serialize)]
struct Note {
    part: String,
    why: String,
}

impl Figure {
    /// A figure for which nothing is promised.
    pub fn new(name: &'static str, value: f64, unit: &'static str, note: impl Into<String>) -> Self {
        Self { name, value, unit, limit: None, passed: None, times: None, note: note.into() }
    }

    /// With the times behind it.
    #[must_use]
    pub fn times(self, times: Times) -> Self {
        Self { times: Some(times), ..self }
    }

    /// With a promise.
    #[must_use]
    pub fn limit(self, limit: Limit) -> Self {
        let passed = match limit {
            Limit::AtLeast(least) => self.value >= least,
            Limit::Above(bound) => self.value > bound,
            Limit::AtMost(most) => self.value <= most,
        };
        Self { limit: Some(limit), passed: Some(passed), ..self }
    }
}

impl Report {
    /// Nothing yet.
    pub fn new(machine: Machine, quick: bool) -> Self {
        Self { machine, quick, figures: Vec::new(), skipped: Vec::new(), failed: Vec::new() }
    }

    /// One more figure.
    pub fn add(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Something optional is not there.
    pub fn skipped(&mut self, part: &str, why: impl Into<String>) {
        self.skipped.push(Note { part: part.to_owned(), why: why.into() });
    }

    /// Something went wrong.
    pub fn failed(&mut self, part: &str, error: &anyhow::Error) {
        let why: String = format!("{error:#}").chars().take(LONGEST_REASON).collect();
        self.failed.push(Note { part: part.to_owned(), why });
    }

    /// The table.
    pub fn print(&self) {
        say::line("");
        say::line(self.machine.to_string());
        if self.quick {
            say::line("a quick run: the figures mean little");
        }
        say::line("");
        say::line(row("figure", "value", "limit", "", ""));
        for figure in &self.figures {
            let mark = figure.passed.map_or("", |passed| if passed { "ok" } else { "MISSED" });
            let limit = figure.limit.map_or_else(String::new, |limit| limit.text(figure.unit));
            let times = figure.times.map(|times| times.to_string());
            let note = times.into_iter().chain([figure.note.clone()]).filter(|text| !text.is_empty());
            let note = note.collect::<Vec<_>>().join("; ");
            say::line(row(figure.name, &amount(figure.value, figure.unit), &limit, mark, &note));
        }
        for note in &self.skipped {
            say::line(format!("skipped: {} ({})", note.part, note.why));
        }
        for note in &self.failed {
            say::error(&format!("{}: {}", note.part, note.why));
        }
        say::line("");
    }

    /// Writes all of it to a file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))
    }

    /// Bad if something could not be measured or, when `strict`, a promise is broken.
    pub fn exit_code(&self, strict: bool) -> ExitCode {
        let broken = self.figures.iter().any(|figure| figure.passed == Some(false));
        if !self.failed.is_empty() || (strict && broken) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, count } = self;
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms of {count}")
    }
}

impl Limit {
    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", amount(least, unit)),
            Self::Above(bound) => format!("> {}", amount(bound, unit)),
            Self::AtMost(most) => format!("≤ {}", amount(most, unit)),
        }
    }
}

fn amount(value: f64, unit: &str) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$} {unit}")
}

fn row(name: &str, value: &str, limit: &str, mark: &str, note: &str) -> String {
    format!("{name:<38} {value:>13} {limit:>13}  {mark:<6}  {note}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_up_to_its_limit() {
        let passed = |limit| Figure::new("x", 5.0, "ms", "").limit(limit).passed;
        assert_eq!(
            [Limit::AtLeast(5.0), Limit::AtMost(5.0), Limit::Above(5.0)].map(passed),
            [Some(true), Some(true), Some(false)]
        );
        assert_eq!(Figure::new("x", f64::NAN, "ms", "").limit(Limit::AtMost(1.0)).passed, Some(false));
    }

    #[test]
    fn amounts_have_three_digits_or_more() {
        assert_eq!(amount(1.234, "ms"), "1.23 ms");
        assert_eq!(amount(1_234.5, "/s"), "1234 /s");
    }
}
