//! Validation rules (`buf.validate`) and field behaviour (`google.api.field_behavior`) as JSON Schema.

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Value};
use serde_json::{Map, Value as Json, json};

/// The behaviours of `google/api/field_behavior.proto` that a schema can tell.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;
const INPUT_ONLY: i32 = 4;

/// The extensions that rules stand in.
#[derive(Debug)]
pub struct Rules {
    validate: Option<ExtensionDescriptor>,
    behavior: Option<ExtensionDescriptor>,
}

impl Rules {
    /// Finds them; a pool without them has no rules.
    pub fn new(pool: &DescriptorPool) -> Self {
        Self {
            validate: pool.get_extension_by_name("buf.validate.field"),
            behavior: pool.get_extension_by_name("google.api.field_behavior"),
        }
    }

    /// Whether a request must have the field.
    pub fn is_required(&self, field: &FieldDescriptor) -> bool {
        let stated = self.of(field).and_then(|rules| rules.get_field_by_name("required")?.as_bool());
        stated.unwrap_or(false) || self.behaves(field, REQUIRED)
    }

    /// Whether only answers have the field.
    pub fn is_output_only(&self, field: &FieldDescriptor) -> bool {
        self.behaves(field, OUTPUT_ONLY)
    }

    /// Whether only requests have the field.
    pub fn is_input_only(&self, field: &FieldDescriptor) -> bool {
        self.behaves(field, INPUT_ONLY)
    }

    /// Writes the field's rules into its schema.
    pub fn apply(&self, field: &FieldDescriptor, schema: &mut Map<String, Json>) {
        if let Some(rules) = self.of(field) {
            apply(&rules, schema);
        }
    }

    fn of(&self, field: &FieldDescriptor) -> Option<DynamicMessage> {
        let extension = self.validate.as_ref()?;
        let options = field.options();
        if !options.has_extension(extension) {
            return None;
        }
        options.get_extension(extension).as_message().cloned()
    }

    fn behaves(&self, field: &FieldDescriptor, behavior: i32) -> bool {
        let Some(extension) = &self.behavior else { return false };
        let options = field.options();
        let behaviors = options.get_extension(extension);
        let behaviors = behaviors.as_list().unwrap_or_default();
        behaviors.iter().any(|value| value.as_enum_number() == Some(behavior))
    }
}

fn apply(rules: &DynamicMessage, schema: &mut Map<String, Json>) {
    for (kind, value) in rules.fields() {
        let Some(rules) = value.as_message() else { continue };
        for (rule, value) in rules.fields() {
            match kind.name() {
                "string" => string(rule.name(), value, schema),
                "repeated" => repeated(rule.name(), value, schema),
                "map" => pairs(rule.name(), value, schema),
                "bytes" | "enum" | "any" | "bool" | "duration" | "timestamp" | "field_mask" => {}
                _ => number(rule.name(), value, schema),
            }
        }
    }
}

fn string(rule: &str, value: &Value, schema: &mut Map<String, Json>) {
    let keyword = match rule {
        "const" => "const",
        "min_len" => "minLength",
        "max_len" => "maxLength",
        "pattern" => "pattern",
        "in" => "enum",
        "len" => {
            schema.insert("minLength".to_owned(), json_of(value));
            "maxLength"
        }
        "prefix" => {
            if let Some(prefix) = value.as_str() {
                schema.insert("pattern".to_owned(), json!(format!("^{prefix}")));
            }
            return;
        }
        "uuid" | "email" | "uri" | "hostname" | "ipv4" | "ipv6" => {
            if value.as_bool() == Some(true) {
                schema.insert("format".to_owned(), json!(rule));
            }
            return;
        }
        _ => return,
    };
    schema.insert(keyword.to_owned(), json_of(value));
}

fn number(rule: &str, value: &Value, schema: &mut Map<String, Json>) {
    // A 64-bit number is a string in JSON, for which bounds are words only.
    if schema.get("type") == Some(&json!("string")) {
        let words = match rule {
            "gt" => "more than",
            "gte" => "at least",
            "lt" => "less than",
            "lte" => "at most",
            _ => return,
        };
        let text = schema.get("description").and_then(Json::as_str).unwrap_or_default();
        let limit = json_of(value).to_string();
        schema.insert("description".to_owned(), json!(format!("{text} ({words} {})", limit.trim_matches('"')).trim()));
        return;
    }
    let keyword = match rule {
        "const" => "const",
        "gt" => "exclusiveMinimum",
        "gte" => "minimum",
        "lt" => "exclusiveMaximum",
        "lte" => "maximum",
        "in" => "enum",
        _ => return,
    };
    schema.insert(keyword.to_owned(), json_of(value));
}

fn repeated(rule: &str, value: &Value, schema: &mut Map<String, Json>) {
    match (rule, value.as_message()) {
        ("items", Some(rules)) => {
            if let Some(items) = schema.get_mut("items").and_then(Json::as_object_mut) {
                apply(rules, items);
            }
        }
        ("min_items", _) => drop(schema.insert("minItems".to_owned(), json_of(value))),
        ("max_items", _) => drop(schema.insert("maxItems".to_owned(), json_of(value))),
        ("unique", _) => drop(schema.insert("uniqueItems".to_owned(), json_of(value))),
        _ => {}
    }
}

fn pairs(rule: &str, value: &Value, schema: &mut Map<String, Json>) {
    match rule {
        "min_pairs" => drop(schema.insert("minProperties".to_owned(), json_of(value))),
        "max_pairs" => drop(schema.insert("maxProperties".to_owned(), json_of(value))),
        _ => {}
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) | Value::EnumNumber(value) => json!(value),
        Value::I64(value) => json!(value),
        Value::U32(value) => json!(value),
        Value::U64(value) => json!(value),
        Value::F32(value) => json!(value),
        Value::F64(value) => json!(value),
        Value::String(value) => json!(value),
        Value::List(values) => values.iter().map(json_of).collect(),
        Value::Bytes(_) | Value::Message(_) | Value::Map(_) => Json::Null,
    }
}
