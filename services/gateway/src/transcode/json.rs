//! JSON → message in the canonical mapping, with errors that name the field or the place.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::error::Category;
use tonic::Code;

use crate::errors::Failure;

/// Reads a message.
pub fn message(descriptor: MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    DynamicMessage::deserialize(descriptor.clone(), &mut json)
        .and_then(|message| json.end().map(|()| message))
        .map_err(|error| explain(descriptor, bytes, &error))
}

/// Reads the value of one field of `message` and sets it.
pub fn field(message: &mut DynamicMessage, field: &FieldDescriptor, bytes: &[u8]) -> Result<(), Failure> {
    if let (Kind::Message(inner), false, false) = (field.kind(), field.is_list(), field.is_map()) {
        let inner = self::message(inner, bytes)?;
        message.set_field(field, prost_reflect::Value::Message(inner));
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    let object = serde_json::json!({ field.json_name(): value });
    let mut parent = DynamicMessage::deserialize(field.parent_message().clone(), object)
        .map_err(|error| Failure::invalid(field.name(), error.to_string()))?;
    if let Some(value) = parent.take_field(field) {
        message.set_field(field, value);
    }
    Ok(())
}

fn malformed(error: &serde_json::Error) -> Failure {
    Failure::new(Code::InvalidArgument, "MALFORMED_JSON", format!("the request body is not valid JSON: {error}"))
}

/// Reads a second time, now keeping track of the path, to say where it went wrong.
fn explain(descriptor: MessageDescriptor, bytes: &[u8], error: &serde_json::Error) -> Failure {
    if error.classify() != Category::Data {
        return malformed(error);
    }
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
    drop(DynamicMessage::deserialize(descriptor, tracked));
    let path = match track.path().to_string() {
        root if root == "." => String::new(),
        path => path,
    };
    let place = format!("line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" at {place}")).unwrap_or(&text);
    match text.strip_prefix("unrecognized field name '").and_then(|rest| rest.strip_suffix('\'')) {
        Some(name) if path.is_empty() => Failure::invalid(name, format!("there is no such field ({place})")),
        Some(name) => Failure::invalid(format!("{path}.{name}"), format!("there is no such field ({place})")),
        None => Failure::invalid(path, format!("{text} ({place})")),
    }
}
