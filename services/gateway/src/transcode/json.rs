//! JSON → message in the canonical mapping, with errors that name the field or the place.

use std::{borrow::Cow, collections::HashSet, fmt};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use tonic::Code;

use crate::errors::Failure;

/// Reads a message.
pub fn message(descriptor: MessageDescriptor, bytes: &[u8]) -> Result<DynamicMessage, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let message = DynamicMessage::deserialize(descriptor.clone(), &mut json)
        .and_then(|message| json.end().map(|()| message))
        .map_err(|error| explain(descriptor.clone(), bytes, &error))?;
    refuse_repeated(Some(descriptor), bytes)?;
    Ok(message)
}

/// Reads the value of one field of `message` and sets it.
pub fn field(message: &mut DynamicMessage, field: &FieldDescriptor, bytes: &[u8]) -> Result<(), Failure> {
    if let (Kind::Message(inner), false, false) = (field.kind(), field.is_list(), field.is_map()) {
        let inner = self::message(inner, bytes)?;
        message.set_field(field, prost_reflect::Value::Message(inner));
        return Ok(());
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    refuse_repeated(None, bytes)?;
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

/// Refuses JSON that gives a field, or a key of a map, twice: the parser would take the last and drop the others.
fn refuse_repeated(descriptor: Option<MessageDescriptor>, bytes: &[u8]) -> Result<(), Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Distinct(descriptor).deserialize(&mut json).map_err(|error| Failure::invalid("", error.to_string()))
}

/// Reads a value and keeps nothing of it. Fields of a message are told apart whether written as in the proto or as in
/// JSON; without a message, keys are told apart as they are.
struct Distinct(Option<MessageDescriptor>);

impl<'de> DeserializeSeed<'de> for Distinct {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let known = self.0.as_ref();
            let field = known.and_then(|m| m.get_field_by_json_name(&key).or_else(|| m.get_field_by_name(&key)));
            let name = field.as_ref().map_or_else(|| key.to_string(), |field| field.name().to_owned());
            if !seen.insert(name) {
                return Err(A::Error::custom(format_args!("{key}: is given more than once")));
            }
            let inner = field.filter(|field| !field.is_map()).and_then(|field| match field.kind() {
                Kind::Message(inner) => Some(inner),
                _ => None,
            });
            map.next_value_seed(Distinct(inner))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Distinct(self.0.clone()))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
