//! The rules of each kind of value, as calls of the run-time library.

use anyhow::{Context, Result, bail};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, Value};

use super::Generator;

impl Generator<'_> {
    /// The statement that checks the rules `name` of a value.
    pub(super) fn typed(
        &mut self,
        kind: &Kind,
        name: &str,
        rules: &DynamicMessage,
        place: &str,
        reference: &str,
        value: &str,
    ) -> Result<String> {
        if rules.unknown_fields().next().is_some() || rules.extensions().next().is_some() {
            bail!("a rule in {name} is not known to the generator");
        }
        if kind_of_rules(kind) != Some(name) {
            bail!("{name} rules do not fit a field of type {kind:?}");
        }
        let (method, argument, checks) = match kind {
            Kind::String => ("text", reference.to_owned(), self.text(rules)?),
            Kind::Bytes => ("bytes", reference.to_owned(), bytes(rules)?),
            Kind::Bool => ("flag", value.to_owned(), flag(rules)?),
            Kind::Float | Kind::Double => ("number", format!("f64::from({value})"), number(rules, name)?),
            Kind::Enum(choices) => return choice(rules, choices, place, value),
            Kind::Message(message) if message.full_name() == "google.protobuf.Timestamp" => {
                ("instant", reference.to_owned(), moment(rules, name, "Instant", "::prost_types::Timestamp")?)
            }
            Kind::Message(_) => ("span", reference.to_owned(), moment(rules, name, "Span", "::prost_types::Duration")?),
            _ => ("integer", format!("i128::from({value})"), integer(rules, name)?),
        };
        Ok(match checks.is_empty() {
            true => String::new(),
            false => format!("report.{method}({place}, {argument}, &[{}]);\n", checks.join(", ")),
        })
    }

    fn text(&mut self, rules: &DynamicMessage) -> Result<Vec<String>> {
        let mut checks = Vec::new();
        for (rule, value) in rules.fields() {
            checks.push(match (rule.name(), value) {
                ("example", _) | (_, Value::Bool(false)) => continue,
                ("len", Value::U64(length)) => format!("Text::Len({length})"),
                ("min_len", Value::U64(length)) => format!("Text::MinLen({length})"),
                ("max_len", Value::U64(length)) => format!("Text::MaxLen({length})"),
                ("pattern", Value::String(pattern)) => {
                    format!("Text::Pattern(&PATTERN_{})", self.pattern(pattern)?)
                }
                ("prefix", Value::String(prefix)) => format!("Text::Prefix({prefix:?})"),
                ("const", Value::String(text)) => format!("Text::OneOf(&[{text:?}])"),
                ("in", Value::List(texts)) => {
                    let texts: Vec<String> =
                        texts.iter().filter_map(Value::as_str).map(|text| format!("{text:?}")).collect();
                    format!("Text::OneOf(&[{}])", texts.join(", "))
                }
                ("uuid", Value::Bool(true)) => "Text::Uuid".to_owned(),
                ("email", Value::Bool(true)) => "Text::Email".to_owned(),
                (name, _) => return unknown("string", name),
            });
        }
        Ok(checks)
    }

    /// The number of the static that holds a pattern.
    fn pattern(&mut self, pattern: &str) -> Result<usize> {
        regex_lite::Regex::new(pattern).with_context(|| format!("the pattern {pattern:?} cannot be used"))?;
        if let Some(index) = self.patterns.iter().position(|known| known == pattern) {
            return Ok(index);
        }
        self.patterns.push(pattern.to_owned());
        Ok(self.patterns.len() - 1)
    }
}

fn bytes(rules: &DynamicMessage) -> Result<Vec<String>> {
    let mut checks = Vec::new();
    for (rule, value) in rules.fields() {
        checks.push(match (rule.name(), value) {
            ("example", _) => continue,
            ("len", Value::U64(length)) => format!("Bytes::Len({length})"),
            ("min_len", Value::U64(length)) => format!("Bytes::MinLen({length})"),
            ("max_len", Value::U64(length)) => format!("Bytes::MaxLen({length})"),
            (name, _) => return unknown("bytes", name),
        });
    }
    Ok(checks)
}

fn flag(rules: &DynamicMessage) -> Result<Vec<String>> {
    let mut checks = Vec::new();
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("example", _) => {}
            ("const", Value::Bool(expected)) => checks.push(format!("{expected}")),
            (name, _) => return unknown("bool", name),
        }
    }
    Ok(checks)
}

fn integer(rules: &DynamicMessage, kind: &str) -> Result<Vec<String>> {
    let mut checks = Vec::new();
    let mut range = Range::default();
    for (rule, value) in rules.fields() {
        let name = rule.name();
        checks.push(match (name, value) {
            ("example", _) => continue,
            ("gt" | "gte" | "lt" | "lte", value) => {
                let limit = whole(value)?;
                range.add(name, limit as f64);
                format!("Integer::{}({limit})", comparison(name))
            }
            ("const", value) => format!("Integer::OneOf(&[{}])", whole(value)?),
            ("in" | "not_in", Value::List(values)) => {
                let values: Vec<String> =
                    values.iter().map(|value| Ok(whole(value)?.to_string())).collect::<Result<_>>()?;
                let variant = if name == "in" { "OneOf" } else { "NoneOf" };
                format!("Integer::{variant}(&[{}])", values.join(", "))
            }
            (name, _) => return unknown(kind, name),
        });
    }
    range.check()?;
    Ok(checks)
}

fn number(rules: &DynamicMessage, kind: &str) -> Result<Vec<String>> {
    let mut checks = Vec::new();
    let mut range = Range::default();
    for (rule, value) in rules.fields() {
        let name = rule.name();
        let value = value.as_f64().or(value.as_f32().map(f64::from));
        checks.push(match (name, value) {
            ("example", _) => continue,
            ("gt" | "gte" | "lt" | "lte", Some(limit)) => {
                range.add(name, limit);
                format!("Number::{}({limit:?})", comparison(name))
            }
            ("finite", _) => "Number::Finite".to_owned(),
            (name, _) => return unknown(kind, name),
        });
    }
    range.check()?;
    Ok(checks)
}

/// Rules of a timestamp or duration against constants.
fn moment(rules: &DynamicMessage, kind: &str, variants: &str, rust: &str) -> Result<Vec<String>> {
    let mut checks = Vec::new();
    let mut range = Range::default();
    for (rule, value) in rules.fields() {
        let name = rule.name();
        checks.push(match (name, value) {
            ("example", _) => continue,
            ("gt" | "gte" | "lt" | "lte", Value::Message(limit)) => {
                let seconds = limit.get_field_by_name("seconds").and_then(|value| value.as_i64()).unwrap_or_default();
                let nanos = limit.get_field_by_name("nanos").and_then(|value| value.as_i32()).unwrap_or_default();
                range.add(name, seconds as f64 + f64::from(nanos) / 1e9);
                format!("{variants}::{}({rust} {{ seconds: {seconds}, nanos: {nanos} }})", comparison(name))
            }
            (name, _) => return unknown(kind, name),
        });
    }
    range.check()?;
    Ok(checks)
}

/// Closed choices are listed with what is left of them, so that the answer can name what may be chosen.
fn choice(rules: &DynamicMessage, choices: &EnumDescriptor, place: &str, value: &str) -> Result<String> {
    let mut closed = false;
    let mut only: Option<Vec<i32>> = None;
    let mut never = Vec::new();
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("example", _) => {}
            ("defined_only", Value::Bool(defined_only)) => closed = *defined_only,
            ("const", Value::I32(number)) => only = Some(vec![*number]),
            ("in", Value::List(numbers)) => only = Some(numbers.iter().filter_map(Value::as_i32).collect()),
            ("not_in", Value::List(numbers)) => never.extend(numbers.iter().filter_map(Value::as_i32)),
            (name, _) => return unknown("enum", name),
        }
    }
    let listed = |wanted: &dyn Fn(i32) -> bool| -> Vec<String> {
        let values = choices.values().filter(|value| wanted(value.number()));
        values.map(|value| format!("({}, {:?})", value.number(), value.name())).collect()
    };
    let known = |number: &i32| choices.get_value(*number).is_some();
    if let Some(number) = only.iter().flatten().chain(&never).find(|number| !known(number)) {
        bail!("an enum rule names {number}, which {} does not have", choices.full_name());
    }
    if closed || only.is_some() {
        let allowed =
            listed(&|number| !never.contains(&number) && only.as_ref().is_none_or(|numbers| numbers.contains(&number)));
        if allowed.is_empty() {
            bail!("the enum rules leave no value to choose");
        }
        return Ok(format!("report.choice({place}, {value}, &[{}]);\n", allowed.join(", ")));
    }
    if never.is_empty() {
        return Ok(String::new());
    }
    let forbidden = listed(&|number| never.contains(&number));
    Ok(format!("report.not_choice({place}, {value}, &[{}]);\n", forbidden.join(", ")))
}

/// The limits of a value, to find a pair that nothing can satisfy. (The specification reads `gt: 5, lt: 3` as "outside
/// of 3 to 5"; nobody would guess that, so it is refused.)
#[derive(Default)]
struct Range {
    lower: Option<f64>,
    upper: Option<f64>,
}

impl Range {
    fn add(&mut self, name: &str, limit: f64) {
        if name.starts_with('g') { self.lower = Some(limit) } else { self.upper = Some(limit) }
    }

    fn check(&self) -> Result<()> {
        match (self.lower, self.upper) {
            (Some(lower), Some(upper)) if lower > upper => bail!("the lower limit is above the upper limit"),
            _ => Ok(()),
        }
    }
}

fn comparison(rule: &str) -> &'static str {
    match rule {
        "gt" => "Above",
        "gte" => "AtLeast",
        "lt" => "Below",
        _ => "AtMost",
    }
}

fn whole(value: &Value) -> Result<i128> {
    match value {
        Value::I32(number) => Ok(i128::from(*number)),
        Value::I64(number) => Ok(i128::from(*number)),
        Value::U32(number) => Ok(i128::from(*number)),
        Value::U64(number) => Ok(i128::from(*number)),
        _ => bail!("{value:?} is not an integer"),
    }
}

/// The member of `FieldRules` that is for a kind of value.
fn kind_of_rules(kind: &Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Double => "double",
        Kind::Float => "float",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Uint32 => "uint32",
        Kind::Uint64 => "uint64",
        Kind::Sint32 => "sint32",
        Kind::Sint64 => "sint64",
        Kind::Fixed32 => "fixed32",
        Kind::Fixed64 => "fixed64",
        Kind::Sfixed32 => "sfixed32",
        Kind::Sfixed64 => "sfixed64",
        Kind::Bool => "bool",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Enum(_) => "enum",
        Kind::Message(message) => match message.full_name() {
            "google.protobuf.Timestamp" => "timestamp",
            "google.protobuf.Duration" => "duration",
            _ => return None,
        },
    })
}

fn unknown<T>(kind: &str, rule: &str) -> Result<T> {
    bail!("the rule {kind}.{rule} is not known to the generator")
}
