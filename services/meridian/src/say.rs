//! Lines for people: what goes on, on standard output; what went wrong, on standard error.

use std::io::{Write as _, stderr, stdout};

/// Says a line. A reader that has gone away is no reason to stop.
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", text.as_ref());
}

/// Says what went wrong.
pub fn error(text: &str) {
    let _ = writeln!(stderr(), "meridian: {text}");
}
