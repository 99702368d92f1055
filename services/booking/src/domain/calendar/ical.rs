//! Writes iCalendar: content lines (RFC 5545 §3.1), texts (§3.3.11), parameter values (§3.2, RFC 6868) and instants
//! (§3.3.5).
//!
//! The crate `icalendar` does this too, but writes parameter values as they come, so that a name with a quotation mark
//! could end its parameter, and brings a second library for time.

use kernel::Timestamp;

/// The longest content line in octets, its end not counted.
const LINE: usize = 75;

/// An iCalendar object being written.
#[derive(Debug, Default)]
pub struct Writer(String);

impl Writer {
    /// Opens a component such as `VEVENT`.
    pub fn begin(&mut self, component: &str) {
        self.line(&format!("BEGIN:{component}"));
    }

    /// Closes a component.
    pub fn end(&mut self, component: &str) {
        self.line(&format!("END:{component}"));
    }

    /// A property whose value is no text: a word, number, duration or address. `property` may have parameters.
    pub fn value(&mut self, property: &str, value: &str) {
        self.line(&format!("{property}:{value}"));
    }

    /// A property whose value is text, whatever is in it.
    pub fn text(&mut self, property: &str, text: &str) {
        self.line(&format!("{property}:{}", escaped(text)));
    }

    /// A property whose value is an instant, in UTC. What is below a second is cut off.
    pub fn instant(&mut self, property: &str, at: Timestamp) {
        self.line(&format!("{property}:{}", at.strftime("%Y%m%dT%H%M%SZ")));
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.0
    }

    /// Writes a content line, folded between characters so that no piece is longer than [`LINE`].
    fn line(&mut self, line: &str) {
        let mut length = 0;
        for c in line.chars() {
            if length + c.len_utf8() > LINE {
                self.0.push_str("\r\n ");
                length = 1;
            }
            self.0.push(c);
            length += c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A text as a value. Line ends of any sort become one sort; other control characters are not allowed and left out.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => value.extend(['\\', c]),
            '\n' | '\r' => value.push_str("\\n"),
            '\t' => value.push(c),
            _ if c.is_control() => {}
            _ => value.push(c),
        }
    }
    value
}

/// A text as the value of a parameter, in quotation marks.
pub fn quoted(text: &str) -> String {
    let mut value = String::with_capacity(text.len() + 2);
    value.push('"');
    for c in text.replace("\r\n", "\n").chars() {
        match c {
            '^' => value.push_str("^^"),
            '"' => value.push_str("^'"),
            '\n' | '\r' => value.push_str("^n"),
            _ if c.is_control() => {}
            _ => value.push(c),
        }
    }
    value.push('"');
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Undoes folding and escaping as a reader does.
    fn read(written: &str) -> String {
        let mut text = String::new();
        let unfolded = written.replace("\r\n ", "");
        let mut chars = unfolded.trim_end_matches("\r\n").strip_prefix("SUMMARY:").expect("the property").chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next().expect("something is escaped") {
                    'n' => text.push('\n'),
                    c => text.push(c),
                },
                c => text.push(c),
            }
        }
        text
    }

    fn summary(text: &str) -> String {
        let mut writer = Writer::default();
        writer.text("SUMMARY", text);
        writer.finish()
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(summary("a;b,c\\d\r\ne\u{7}:\"f\""), "SUMMARY:a\\;b\\,c\\\\d\\ne:\"f\"\r\n");
        // No text can end its line and begin a property of its own.
        assert_eq!(summary("x\r\nEND:VEVENT"), "SUMMARY:x\\nEND:VEVENT\r\n");
    }

    #[test]
    fn a_line_of_75_octets_stays_and_one_of_76_is_folded() {
        let name = "SUMMARY:".len();
        assert_eq!(summary(&"x".repeat(LINE - name)).lines().count(), 1);
        let folded = summary(&"x".repeat(LINE - name + 1));
        assert_eq!(folded.lines().map(str::len).collect::<Vec<_>>(), [LINE, 2]);
        assert!(folded.ends_with("\r\n x\r\n"));
    }

    #[test]
    fn characters_are_not_torn() {
        // 8 octets of the name and 22 characters of 3 make 74; the next would end at 77.
        let folded = summary(&"推".repeat(50));
        assert_eq!(folded.lines().map(str::len).collect::<Vec<_>>(), [74, 73, 13]);
    }

    #[test]
    fn parameters_are_quoted() {
        assert_eq!(quoted("Jing'an: 1, 2; \"3\" ^\n"), "\"Jing'an: 1, 2; ^'3^' ^^^n\"");
    }

    #[test]
    fn instants_are_in_utc() {
        let mut writer = Writer::default();
        writer.instant("DTSTART", "2027-03-01T18:30:00.9+08:00".parse().expect("an instant"));
        assert_eq!(writer.finish(), "DTSTART:20270301T103000Z\r\n");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(text in "\\PC{0,200}|[\\\\;,\\n\"字x ]{0,200}") {
            let written = summary(&text);
            prop_assert!(written.split("\r\n").all(|line| line.len() <= LINE && !line.contains(['\r', '\n'])));
            prop_assert_eq!(read(&written), text);
        }
    }
}
