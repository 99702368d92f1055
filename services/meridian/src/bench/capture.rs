//! What statements a database was sent, from the server's log.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use anyhow::{Context, Result};

/// A statement that was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, with parameters as `$1`.
    pub text: String,
    /// Its parameters as Postgres writes them; `None` for null.
    pub parameters: Vec<Option<String>>,
}

/// The log of a server for which `log_statement` is `all` where it matters.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    read: u64,
}

impl Log {
    /// From its present end on.
    pub fn from_now(path: PathBuf) -> Result<Self> {
        let read = path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
        Ok(Self { path, read })
    }

    /// What was executed since the last look. A server writes a statement down before it executes it, so what was
    /// answered is there.
    pub fn statements(&mut self) -> Result<Vec<Statement>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        self.read += text.len() as u64;
        Ok(parse(&text))
    }
}

/// Text without the names of its parameters and without a difference of white space.
pub fn shape(text: &str) -> String {
    let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
    let (mut shape, mut rest) = (String::new(), words.join(" "));
    while let Some(at) = rest.find('$') {
        shape.push_str(&rest[..at]);
        let after = rest[at + 1..].trim_start_matches(|next: char| next.is_ascii_digit());
        shape.push_str(if after.len() < rest.len() - at - 1 { "?" } else { "$" });
        rest = after.to_owned();
    }
    shape + &rest
}

/// Lines that begin with a tab go on with the one before.
fn parse(log: &str) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    for entry in log.replace("\n\t", "\u{0}").lines() {
        let entry = entry.replace('\u{0}', "\n");
        if let Some((_, said)) = entry.split_once("] LOG:  ") {
            let executed = said.strip_prefix("execute ").and_then(|said| said.split_once(": ")).map(|(_, text)| text);
            if let Some(text) = executed.or_else(|| said.strip_prefix("statement: ")) {
                statements.push(Statement { text: text.to_owned(), parameters: Vec::new() });
            }
        } else if let Some((_, detail)) = entry.split_once("] DETAIL:  ")
            && let Some((title, list)) = detail.split_once(": ")
            && title.eq_ignore_ascii_case("parameters")
            && let Some(last) = statements.last_mut()
        {
            last.parameters = parameters(list);
        }
    }
    statements
}

/// Reads `$1 = 'it''s', $2 = NULL`.
fn parameters(mut list: &str) -> Vec<Option<String>> {
    let mut found = Vec::new();
    while let Some((_, value)) = list.split_once(" = ") {
        let Some(mut rest) = value.strip_prefix('\'') else {
            found.push(None);
            list = value;
            continue;
        };
        let mut text = String::new();
        while let Some((part, after)) = rest.split_once('\'') {
            text.push_str(part);
            rest = after;
            match rest.strip_prefix('\'') {
                Some(more) => rest = more,
                None => break,
            }
            text.push('\'');
        }
        found.push(Some(text));
        list = rest;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_read_with_their_parameters() {
        let log = "2026-11-22 17:00:00.1 UTC [7] LOG:  statement: BEGIN\n\
                   2026-11-22 17:00:00.2 UTC [7] LOG:  execute sqlx_s_4: insert into t (a, b)\n\t values ($1, $2)\n\
                   2026-11-22 17:00:00.2 UTC [7] DETAIL:  parameters: $1 = 'it''s = ', $2 = NULL, $3 = '{\"a b\",c}'\n\
                   2026-11-22 17:00:00.3 UTC [9] LOG:  checkpoint starting: time\n\
                   2026-11-22 17:00:00.3 UTC [7] LOG:  execute <unnamed>: COMMIT\n";
        let statement = |text: &str, parameters: Vec<Option<&str>>| Statement {
            text: text.to_owned(),
            parameters: parameters.into_iter().map(|value| value.map(str::to_owned)).collect(),
        };
        assert_eq!(
            parse(log),
            [
                statement("BEGIN", vec![]),
                statement("insert into t (a, b)\n values ($1, $2)", vec![Some("it's = "), None, Some("{\"a b\",c}")]),
                statement("COMMIT", vec![]),
            ]
        );
    }

    #[test]
    fn a_shape_has_no_names() {
        assert_eq!(shape("select $1::uuid,\n  '$' where a = $12;"), "select ?::uuid, '$' where a = ?");
    }
}
