//! The checks of one field: presence, its rules, the rules of its items, and the messages in it.

use anyhow::{Result, bail};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, Value};

use super::{Generator, map_value, option};
use crate::names;

/// When the rules of a field apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ignore {
    Never,
    Zero,
    Always,
}

/// The rules of a field, taken apart.
struct FieldRules {
    required: bool,
    ignore: Ignore,
    /// The name of the member of the oneof, such as `string`, with its rules.
    typed: Option<(String, DynamicMessage)>,
}

impl Generator<'_> {
    /// The statements that check a field.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Result<String> {
        let rules = match option(self.pool, "buf.validate.field", &field.options()) {
            Some(rules) => take_apart(&rules)?,
            None => FieldRules { required: false, ignore: Ignore::Never, typed: None },
        };
        if rules.ignore == Ignore::Always {
            return Ok(String::new());
        }
        let place = format!("Field({:?})", field.name());
        let access = format!("self.{}", names::field(field.name()));

        if field.is_map() {
            return self.map(field, &rules, &place, &access);
        }
        if field.is_list() {
            return self.list(field, &rules, &place, &access);
        }
        if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            if rules.required {
                bail!("`required` on a member of a oneof: put (buf.validate.oneof).required on the oneof");
            }
            let body = self.when_not_zero(field, &rules, &place, "value", "*value")?;
            if body.is_empty() {
                return Ok(body);
            }
            let variant = format!("{}::{}", names::oneof(self.root, &oneof), names::variant(field));
            let oneof = names::field(oneof.name());
            return Ok(format!("if let Some({variant}(value)) = &self.{oneof} {{ {body} }}\n"));
        }
        if field.supports_presence() {
            let required = match rules.required {
                true => format!("report.required({place}, {access}.is_some());\n"),
                false => String::new(),
            };
            let body = self.when_not_zero(field, &rules, &place, "value", "*value")?;
            return Ok(match body.is_empty() {
                true => required,
                false => format!("{required}if let Some(value) = &{access} {{ {body} }}\n"),
            });
        }
        let reference = format!("&{access}");
        let body = self.value(&field.kind(), &rules, &place, &reference, &access)?;
        let set = not_zero(&field.kind(), &access);
        Ok(match (rules.required, rules.ignore == Ignore::Zero, body.is_empty()) {
            (true, _, true) => format!("report.required({place}, {set});\n"),
            (true, _, false) => format!("if report.required({place}, {set}) {{ {body} }}\n"),
            (false, true, false) => format!("if {set} {{ {body} }}\n"),
            (false, _, _) => body,
        })
    }

    /// The checks of a value with presence, left out for a zero value where the rules say so.
    fn when_not_zero(
        &mut self,
        field: &FieldDescriptor,
        rules: &FieldRules,
        place: &str,
        reference: &str,
        value: &str,
    ) -> Result<String> {
        let body = self.value(&field.kind(), rules, place, reference, value)?;
        let is_message = matches!(field.kind(), Kind::Message(_));
        Ok(match rules.ignore == Ignore::Zero && !is_message && !body.is_empty() {
            true => format!("if {} {{ {body} }}", not_zero(&field.kind(), value)),
            false => body,
        })
    }

    fn list(&mut self, field: &FieldDescriptor, rules: &FieldRules, place: &str, access: &str) -> Result<String> {
        let (count, items) = match &rules.typed {
            None => (String::new(), None),
            Some((kind, rules)) if kind == "repeated" => self.count(rules, &field.kind(), place, access)?,
            Some((kind, _)) => bail!("{kind} rules on a repeated field: put them into repeated.items"),
        };
        let items = items.unwrap_or(FieldRules { required: false, ignore: Ignore::Never, typed: None });
        if items.required {
            bail!("`required` on items: an item is always there; use min_len or min_items");
        }
        let item = format!("Item({:?}, index)", field.name());
        let mut each = match items.ignore {
            Ignore::Always => String::new(),
            _ => self.value(&field.kind(), &items, &item, "value", "*value")?,
        };
        if items.ignore == Ignore::Zero && !each.is_empty() && !matches!(field.kind(), Kind::Message(_)) {
            each = format!("if {} {{ {each} }}", not_zero(&field.kind(), "*value"));
        }
        let each = match each.is_empty() {
            true => String::new(),
            false => format!("for (index, value) in {access}.iter().enumerate() {{ {each} }}\n"),
        };
        let required = match rules.required {
            true => format!("report.required({place}, !{access}.is_empty());\n"),
            false => String::new(),
        };
        Ok(match rules.ignore == Ignore::Zero && !count.is_empty() {
            true => format!("{required}if !{access}.is_empty() {{ {count} }}\n{each}"),
            false => format!("{required}{count}{each}"),
        })
    }

    fn count(
        &self,
        rules: &DynamicMessage,
        kind: &Kind,
        place: &str,
        access: &str,
    ) -> Result<(String, Option<FieldRules>)> {
        let mut code = String::new();
        let mut limits = Vec::new();
        let mut items = None;
        for (rule, value) in rules.fields() {
            match (rule.name(), value) {
                ("min_items", Value::U64(count)) => limits.push(format!("Count::Min({count})")),
                ("max_items", Value::U64(count)) => limits.push(format!("Count::Max({count})")),
                ("unique", Value::Bool(true)) if matches!(kind, Kind::Message(_) | Kind::Float | Kind::Double) => {
                    bail!("`unique` is known for texts, bytes, integers, bools and enums only")
                }
                ("unique", Value::Bool(true)) => code += &format!("report.unique({place}, &{access});\n"),
                ("unique", Value::Bool(false)) => {}
                ("items", Value::Message(rules)) => items = Some(take_apart(rules)?),
                (name, _) => bail!("the rule repeated.{name} is not known to the generator"),
            }
        }
        if !limits.is_empty() {
            code += &format!("report.count({place}, {access}.len(), &[{}]);\n", limits.join(", "));
        }
        Ok((code, items))
    }

    fn map(&self, field: &FieldDescriptor, rules: &FieldRules, place: &str, access: &str) -> Result<String> {
        if let Some((kind, _)) = &rules.typed {
            bail!("{kind} rules on a map are not known to the generator");
        }
        if matches!(map_value(&field.kind()), Some(Kind::Message(value)) if self.is_validated(&value)) {
            bail!("the values of this map have rules, which would not be checked");
        }
        Ok(match rules.required {
            true => format!("report.required({place}, !{access}.is_empty());\n"),
            false => String::new(),
        })
    }

    /// The checks of one value; `reference` and `value` are expressions for it.
    fn value(&mut self, kind: &Kind, rules: &FieldRules, place: &str, reference: &str, value: &str) -> Result<String> {
        let mut code = match &rules.typed {
            Some((name, rules)) => self.typed(kind, name, rules, place, reference, value)?,
            None => String::new(),
        };
        if let Kind::Message(message) = kind
            && self.is_validated(message)
        {
            code += &format!("report.nested({place}, {reference});\n");
        }
        Ok(code)
    }
}

fn take_apart(rules: &DynamicMessage) -> Result<FieldRules> {
    let mut taken = FieldRules { required: false, ignore: Ignore::Never, typed: None };
    if rules.unknown_fields().next().is_some() {
        bail!("a rule is not known to the validate.proto in use");
    }
    for (field, value) in rules.fields() {
        match (field.name(), value) {
            ("required", Value::Bool(required)) => taken.required = *required,
            ("ignore", Value::EnumNumber(0)) => {}
            ("ignore", Value::EnumNumber(1)) => taken.ignore = Ignore::Zero,
            ("ignore", Value::EnumNumber(3)) => taken.ignore = Ignore::Always,
            (name, Value::Message(rules)) if field.containing_oneof().is_some() => {
                taken.typed = Some((name.to_owned(), rules.clone()));
            }
            (name, _) => bail!("the rule {name} is not known to the generator"),
        }
    }
    Ok(taken)
}

/// The condition under which a value is not its kind's zero.
fn not_zero(kind: &Kind, value: &str) -> String {
    match kind {
        Kind::String | Kind::Bytes => format!("!{}.is_empty()", value.trim_start_matches('*')),
        Kind::Bool => value.to_owned(),
        Kind::Float | Kind::Double => format!("{value} != 0.0"),
        _ => format!("{value} != 0"),
    }
}
