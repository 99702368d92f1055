//! Laying one table of settings over another.

use std::path::Path;

use toml::{Table, Value};

use super::{ConfigError, Settings};

/// Reads TOML text.
pub(super) fn parse(origin: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::new(origin, error.to_string().trim()))
}

/// Lays the file over `base`. The result is known to be readable.
pub(super) fn add_file(base: Table, path: &Path) -> Result<Table, ConfigError> {
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::new(&origin, error))?;
    let merged = merge(base, parse(&origin, &text)?);
    read(&origin, merged.clone())?;
    Ok(merged)
}

/// Lays one value over `base`. The result is known to be readable.
///
/// What the text means depends on what the setting wants: it is tried as a TOML value first, then as plain text.
pub(super) fn add_value(base: Table, origin: &str, path: &[String], text: &str) -> Result<Table, ConfigError> {
    if path.iter().any(String::is_empty) {
        return Err(ConfigError::new(origin, "has an empty part in its key"));
    }
    let literal = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    let literal = literal.map(|value| merge(base.clone(), nest(path, value)));
    if let Some(merged) = literal
        && read(origin, merged.clone()).is_ok()
    {
        return Ok(merged);
    }
    let merged = merge(base, nest(path, Value::String(text.to_owned())));
    read(origin, merged.clone())?;
    Ok(merged)
}

/// Reads the settings out of a table.
pub(super) fn read(origin: &str, table: Table) -> Result<Settings, ConfigError> {
    table.try_into().map_err(|error: toml::de::Error| {
        // The error is several lines: what is wrong, then the section.
        let lines = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
        ConfigError::new(origin, lines.trim())
    })
}

fn nest(path: &[String], value: Value) -> Table {
    let mut table = Table::new();
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            table.insert(first.clone(), Value::Table(nest(rest, value)));
        }
    }
    table
}

fn merge(mut base: Table, over: Table) -> Table {
    for (key, value) in over {
        let merged = match (base.remove(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => Value::Table(merge(below, above)),
            (_, value) => value,
        };
        base.insert(key, merged);
    }
    base
}
