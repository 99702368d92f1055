//! A script for pgbench out of the statements of one hold.
//!
//! The texts stay as they are. Each parameter becomes a variable: what belongs to a time that is sold and each id that
//! the hold made up come from a row of the table `bench_slot`, so that every transaction has its own; all else stays as
//! it was. The script asks for that row first, by the one statement that a hold does not have.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use kernel::Uuid;

use super::capture::{Statement, shape};

/// The variable that is never defined, which pgbench sends as null.
const NULL: &str = "nothing";
/// The variable that is an empty text, which pgbench can't be given as a constant.
const EMPTY: &str = "blank";

/// What belongs to a time that is sold: names of columns and their values.
pub type Row = Vec<(&'static str, String)>;

/// A script for pgbench.
#[derive(Debug)]
pub struct Script {
    /// Its text.
    pub text: String,
    /// Its first statement alone.
    pub asking: String,
    /// Variables that are the same in every transaction.
    pub constants: Vec<(String, String)>,
    /// How many ids a row of `bench_slot` needs, in columns `id0` …
    pub ids: usize,
    /// The shape of each statement but the first.
    pub shapes: Vec<String>,
}

impl Script {
    /// Out of the statements of a hold of the time that is `row`; `known` are ids that others have too.
    ///
    /// # Errors
    /// When a column of `row` is nowhere used: then the flow has changed, and this must follow.
    pub fn write(statements: &[Statement], row: &Row, known: &[Uuid]) -> Result<Self> {
        let mut variables = Variables {
            row,
            known,
            ids: Vec::new(),
            lists: BTreeSet::new(),
            constants: BTreeMap::new(),
            used: Vec::new(),
        };
        let mut body = String::new();
        for statement in statements {
            body.push_str(&variables.fill(statement)?);
            body.push_str(";\n");
        }
        let unused: Vec<&str> =
            row.iter().map(|(name, _)| *name).filter(|name| !variables.used.contains(&(*name).to_owned())).collect();
        ensure!(unused.is_empty(), "no statement of a hold has the parameters {unused:?} any more");
        let asking = |sequence| asking(sequence, row, variables.ids.len(), &variables.lists);
        Ok(Self {
            text: format!("{}{body}", asking("bench_next")),
            asking: asking("bench_probe"),
            ids: variables.ids.len(),
            constants: variables.constants.into_iter().map(|(value, name)| (name, value)).collect(),
            shapes: statements.iter().map(|statement| shape(&statement.text)).collect(),
        })
    }

    /// Names and types of the columns of `bench_slot`.
    pub fn columns(&self, row: &Row) -> Vec<String> {
        row.iter().map(|(name, _)| (*name).to_owned()).chain((0..self.ids).map(id)).collect()
    }
}

/// The statement that fetches a row of `bench_slot`.
fn asking(sequence: &str, row: &Row, ids: usize, lists: &BTreeSet<(usize, usize)>) -> String {
    let columns = row.iter().map(|(name, _)| (*name).to_owned());
    let lists = lists.iter().map(|&(n, times)| {
        let elements = vec![id(n); times].join(" || ',' || ");
        format!("'{{' || {elements} || '}}' as {}", list(n, times))
    });
    let columns: Vec<String> = columns.chain((0..ids).map(id)).chain(lists).chain([format!("'' as {EMPTY}")]).collect();
    format!("select {} from bench_slot where n = (select nextval('{sequence}')) \\gset\n", columns.join(", "))
}

fn id(n: usize) -> String {
    format!("id{n}")
}

/// An array that holds nothing but an id, so many times.
fn list(n: usize, times: usize) -> String {
    format!("list{n}x{times}")
}

struct Variables<'a> {
    row: &'a Row,
    known: &'a [Uuid],
    ids: Vec<Uuid>,
    /// Arrays of ids: which, and how often.
    lists: BTreeSet<(usize, usize)>,
    /// Names by value.
    constants: BTreeMap<String, String>,
    used: Vec<String>,
}

impl Variables<'_> {
    /// The text with variables in place of parameters.
    fn fill(&mut self, statement: &Statement) -> Result<String> {
        let (mut filled, mut rest) = (String::new(), statement.text.trim_end_matches(';'));
        while let Some((before, after)) = rest.split_once('$') {
            filled.push_str(before);
            let end = after.find(|next: char| !next.is_ascii_digit()).unwrap_or(after.len());
            let number: usize = after[..end].parse()?;
            let value = statement.parameters.get(number.wrapping_sub(1));
            ensure!(value.is_some(), "{} has no parameter {number}", statement.text);
            let name = self.name(value.and_then(Option::as_deref));
            filled.push(':');
            filled.push_str(&name);
            self.used.push(name);
            rest = &after[end..];
        }
        Ok(filled + rest)
    }

    fn name(&mut self, value: Option<&str>) -> String {
        let Some(value) = value else { return NULL.to_owned() };
        if value.is_empty() {
            return EMPTY.to_owned();
        }
        if let Some((name, _)) = self.row.iter().find(|(_, text)| text == value) {
            return (*name).to_owned();
        }
        if let Some(n) = self.made_up(value) {
            return id(n);
        }
        let elements = value.strip_prefix('{').and_then(|value| value.strip_suffix('}'));
        let elements: Vec<&str> = elements.into_iter().flat_map(|elements| elements.split(',')).collect();
        if let Some(n) =
            elements.first().filter(|first| elements.iter().all(|one| one == *first)).and_then(|id| self.made_up(id))
        {
            self.lists.insert((n, elements.len()));
            return list(n, elements.len());
        }
        let next = format!("constant{}", self.constants.len());
        self.constants.entry(value.to_owned()).or_insert(next).clone()
    }

    fn made_up(&mut self, value: &str) -> Option<usize> {
        // The other forms that a UUID can have are not those that Postgres writes.
        let id: Uuid = value.parse().ok().filter(|_| value.len() == 36)?;
        if self.known.contains(&id) {
            return None;
        }
        Some(self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str, parameters: &[Option<&str>]) -> Statement {
        let parameters = parameters.iter().map(|value| value.map(str::to_owned)).collect();
        Statement { text: text.to_owned(), parameters }
    }

    #[test]
    fn each_parameter_becomes_the_variable_that_it_means() {
        let (made, known) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let (made_text, list_text, known_text) = (made.to_string(), format!("{{{made},{made}}}"), known.to_string());
        let statements = [
            statement("BEGIN", &[]),
            statement(
                "insert into t values ($1, $2::uuid, $3, $4)",
                &[Some("here"), Some(&made_text), None, Some(&known_text)],
            ),
            statement("select * from t where id = any($1)", &[Some(&list_text)]),
        ];
        let row = vec![("store", "here".to_owned())];
        let script = Script::write(&statements, &row, &[known]).unwrap();
        assert_eq!(
            script.text,
            "select store, id0, '{' || id0 || ',' || id0 || '}' as list0x2, '' as blank from bench_slot where n = \
             (select nextval('bench_next')) \\gset\nBEGIN;\ninsert into t values (:store, :id0::uuid, :nothing, :constant0);\n\
             select * from t where id = any(:list0x2);\n"
        );
        assert_eq!(script.constants, [("constant0".to_owned(), known_text)]);
        assert_eq!(script.columns(&row), ["store", "id0"]);
    }

    #[test]
    fn a_column_that_no_statement_has_is_an_error() {
        let row = vec![("store", "here".to_owned())];
        let error = Script::write(&[statement("BEGIN", &[])], &row, &[]).unwrap_err().to_string();
        assert!(error.contains("store"), "{error}");
    }
}
