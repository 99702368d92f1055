//! Messages and enums as JSON Schema, in the canonical JSON mapping of protobuf.

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::{EXAMPLE_UUID, comments::Comments, rules::Rules};

/// Collects the schemas that operations refer to.
#[derive(Debug)]
pub struct Schemas<'a> {
    /// The comments, also for what isn't a schema.
    pub comments: &'a Comments,
    /// The rules, also for parameters.
    pub rules: Rules,
    known: BTreeSet<String>,
    written: Map<String, Value>,
}

impl<'a> Schemas<'a> {
    /// None so far.
    pub fn new(pool: &DescriptorPool, comments: &'a Comments) -> Self {
        Self { comments, rules: Rules::new(pool), known: BTreeSet::new(), written: Map::new() }
    }

    /// All that were referred to, by the full names of their messages and enums.
    pub fn into_components(self) -> Map<String, Value> {
        self.written
    }

    /// The schema of a message: a reference, or its own form for one that JSON writes in a special way.
    pub fn message(&mut self, message: &MessageDescriptor) -> Map<String, Value> {
        if let Some(special) = special(message.full_name()) {
            return object(special);
        }
        let name = message.full_name().to_owned();
        if self.known.insert(name.clone()) {
            let schema = self.object_without(message, &[]);
            self.written.insert(name.clone(), schema.into());
        }
        reference(&name)
    }

    /// The schema of a message written out, without the fields of these numbers.
    pub fn object_without(&mut self, message: &MessageDescriptor, left_out: &[u32]) -> Map<String, Value> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| !left_out.contains(&field.number())) {
            if self.rules.is_required(&field) {
                required.push(json!(field.json_name()));
            }
            properties.insert(field.json_name().to_owned(), self.field(&field).into());
        }
        let mut schema = object(json!({ "type": "object", "properties": properties }));
        if !required.is_empty() {
            schema.insert("required".to_owned(), required.into());
        }
        if let Some(text) = self.comments.of(&message.parent_file(), message.path()) {
            schema.insert("description".to_owned(), json!(text));
        }
        if message.full_name() == "google.type.Money" {
            schema.insert("example".to_owned(), json!({ "currencyCode": "CNY", "units": "128", "nanos": 0 }));
        }
        schema
    }

    /// The schema of a field with its text and its rules.
    pub fn field(&mut self, field: &FieldDescriptor) -> Map<String, Value> {
        let mut schema = match field.kind() {
            Kind::Message(entry) if entry.is_map_entry() => {
                let values = self.kind(&entry.map_entry_value_field().kind());
                object(json!({ "type": "object", "additionalProperties": values }))
            }
            kind if field.is_list() => object(json!({ "type": "array", "items": self.kind(&kind) })),
            kind => self.kind(&kind),
        };
        let text = self.comments.of(&field.parent_file(), field.path()).map(str::to_owned);
        if let Some(text) = &text {
            schema.insert("description".to_owned(), json!(text));
        }
        self.rules.apply(field, &mut schema);
        if let Some(example) = example(&schema, text.as_deref().unwrap_or_default()) {
            schema.insert("example".to_owned(), example);
        }
        if self.rules.is_output_only(field) {
            schema.insert("readOnly".to_owned(), json!(true));
        }
        if self.rules.is_input_only(field) {
            schema.insert("writeOnly".to_owned(), json!(true));
        }
        if field.field_descriptor_proto().options.as_ref().is_some_and(|options| options.deprecated()) {
            schema.insert("deprecated".to_owned(), json!(true));
        }
        schema
    }

    fn kind(&mut self, kind: &Kind) -> Map<String, Value> {
        object(match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "minimum": 0 }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({ "type": "string", "format": "int64" }),
            Kind::Uint64 | Kind::Fixed64 => json!({ "type": "string", "format": "uint64" }),
            Kind::Float => json!({ "type": "number", "format": "float" }),
            Kind::Double => json!({ "type": "number", "format": "double" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Enum(kind) => return self.enumeration(kind),
            Kind::Message(message) => return self.message(message),
        })
    }

    fn enumeration(&mut self, kind: &EnumDescriptor) -> Map<String, Value> {
        let name = kind.full_name().to_owned();
        if self.known.insert(name.clone()) {
            let file = kind.parent_file();
            let mut text = self.comments.of(&file, kind.path()).unwrap_or_default().to_owned();
            let mut names = Vec::new();
            for value in kind.values() {
                names.push(json!(value.name()));
                let meaning = self.comments.of(&file, value.path()).unwrap_or_default();
                text.push_str(&format!("\n- `{}`: {meaning}", value.name()));
            }
            self.written.insert(name.clone(), json!({ "type": "string", "enum": names, "description": text }));
        }
        reference(&name)
    }
}

fn reference(name: &str) -> Map<String, Value> {
    object(json!({ "$ref": format!("#/components/schemas/{name}") }))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// An example for texts: the resource name that the comment shows, or a UUID where the rule asks for one.
fn example(schema: &Map<String, Value>, text: &str) -> Option<Value> {
    if schema.get("format") == Some(&json!("uuid")) {
        return Some(json!(EXAMPLE_UUID));
    }
    if schema.get("type") != Some(&json!("string")) {
        return None;
    }
    let mut quoted = text.split('`').skip(1).step_by(2);
    quoted.find(|part| part.contains("<uuid>")).map(|name| json!(name.replace("<uuid>", EXAMPLE_UUID)))
}

/// Messages that JSON writes in a form of their own.
fn special(full_name: &str) -> Option<Value> {
    Some(match full_name {
        "google.protobuf.Timestamp" => {
            json!({ "type": "string", "format": "date-time", "example": "2026-05-01T10:00:00Z" })
        }
        "google.protobuf.Duration" => {
            json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$", "example": "3600s" })
        }
        "google.protobuf.FieldMask" => {
            json!({ "type": "string", "description": "Field names, separated by commas.", "example": "displayName" })
        }
        "google.protobuf.Empty" => json!({ "type": "object", "properties": {} }),
        "google.protobuf.Struct" => json!({ "type": "object", "additionalProperties": true }),
        "google.protobuf.Value" => json!({ "description": "Any JSON." }),
        "google.protobuf.ListValue" => json!({ "type": "array", "items": {} }),
        "google.protobuf.Any" => json!({
            "type": "object", "properties": { "@type": { "type": "string" } },
            "required": ["@type"], "additionalProperties": true,
        }),
        "google.protobuf.BoolValue" => json!({ "type": ["boolean", "null"] }),
        "google.protobuf.StringValue" => json!({ "type": ["string", "null"] }),
        "google.protobuf.BytesValue" => json!({ "type": ["string", "null"], "contentEncoding": "base64" }),
        "google.protobuf.Int32Value" | "google.protobuf.UInt32Value" => json!({ "type": ["integer", "null"] }),
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" => json!({ "type": ["string", "null"] }),
        "google.protobuf.FloatValue" | "google.protobuf.DoubleValue" => json!({ "type": ["number", "null"] }),
        _ => return None,
    })
}
