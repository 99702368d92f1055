//! Query parameters → fields: `page_size=20`, `states=HELD&states=CONFIRMED`, `period.start_time=…`.
//!
//! Names are taken as in the proto or as in JSON. A parameter that is unknown, given twice, or that the path or the
//! body already fills is an error that names it: nothing a caller writes is dropped in silence.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage};

use super::text;
use crate::{
    errors::Failure,
    routes::{Binding, BodyRule},
};

/// Sets the fields of `message` that `query` names.
pub fn apply(message: &mut DynamicMessage, binding: &Binding, query: &str) -> Result<(), Failure> {
    let mut seen: Vec<Vec<u32>> = binding.variables.iter().map(|variable| numbers(&variable.fields)).collect();
    let from_path = seen.len();
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let fields = resolve(message, &key)?;
        let path = numbers(&fields);
        let Some(last) = fields.last() else { continue };
        match seen.iter().position(|known| *known == path) {
            Some(at) if at < from_path => return Err(Failure::invalid(key, "is already given by the path")),
            Some(_) if !last.is_list() => return Err(Failure::invalid(key, "is given more than once")),
            Some(_) => {}
            None => seen.push(path),
        }
        match &binding.body {
            BodyRule::Whole => {
                return Err(Failure::invalid(key, "this operation takes its fields from the body, not from the query"));
            }
            BodyRule::Field(field) if fields[0].number() == field.number() => {
                return Err(Failure::invalid(key, "is given by the body"));
            }
            BodyRule::Field(_) | BodyRule::None => {}
        }
        set(message, &key, &fields, &value)?;
    }
    Ok(())
}

/// The fields that a dotted key walks through.
fn resolve(message: &DynamicMessage, key: &str) -> Result<Vec<FieldDescriptor>, Failure> {
    let mut fields: Vec<FieldDescriptor> = Vec::new();
    for name in key.split('.') {
        let within = match fields.last() {
            None => message.descriptor(),
            Some(field) => match field.kind() {
                Kind::Message(inner) if !field.is_list() && !field.is_map() && !text::is_scalar_message(&inner) => {
                    inner
                }
                _ => return Err(unknown(key)),
            },
        };
        let field = within.get_field_by_name(name).or_else(|| within.get_field_by_json_name(name));
        fields.push(field.ok_or_else(|| unknown(key))?);
    }
    Ok(fields)
}

fn set(message: &mut DynamicMessage, key: &str, fields: &[FieldDescriptor], value: &str) -> Result<(), Failure> {
    let Some((field, outer)) = fields.split_last() else { return Ok(()) };
    let target = descend(message, outer).ok_or_else(|| unknown(key))?;
    if field.is_map() {
        return Err(Failure::invalid(key, "is a map, which can't be a query parameter"));
    }
    if let Some(oneof) = field.containing_oneof()
        && oneof.fields().any(|other| other.number() != field.number() && target.has_field(&other))
    {
        return Err(Failure::invalid(key, format!("only one field of {} can be given", oneof.name())));
    }
    let value = text::parse(&field.kind(), value).map_err(|description| Failure::invalid(key, description))?;
    if field.is_list() {
        target.get_field_mut(field).as_list_mut().ok_or_else(|| unknown(key))?.push(value);
    } else {
        target.set_field(field, value);
    }
    Ok(())
}

/// The message at the end of `fields`, made on the way where it is absent.
pub fn descend<'a>(message: &'a mut DynamicMessage, fields: &[FieldDescriptor]) -> Option<&'a mut DynamicMessage> {
    fields.iter().try_fold(message, |within, field| within.get_field_mut(field).as_message_mut())
}

fn numbers(fields: &[FieldDescriptor]) -> Vec<u32> {
    fields.iter().map(FieldDescriptor::number).collect()
}

fn unknown(key: &str) -> Failure {
    Failure::invalid(key, "there is no such query parameter")
}
