//! One operation: parameters, body and answers.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor, ReflectMessage};
use serde_json::{Map, Value, json};

use super::{
    EXAMPLE_UUID,
    comments::summary,
    path::{Parameter, Path},
    schema::Schemas,
};
use crate::{
    routes::{Binding, BodyRule},
    transcode::{request, response, text},
};

/// How deep query parameters go into nested messages.
const MAX_DEPTH: usize = 4;

/// Describes operations and collects what they refer to.
pub struct Operations<'a> {
    schemas: Schemas<'a>,
    is_public: &'a dyn Fn(&MethodDescriptor) -> bool,
    ids: BTreeSet<String>,
}

impl<'a> Operations<'a> {
    /// None so far.
    pub fn new(schemas: Schemas<'a>, is_public: &'a dyn Fn(&MethodDescriptor) -> bool) -> Self {
        Self { schemas, is_public, ids: BTreeSet::new() }
    }

    /// The schemas that the operations refer to.
    pub fn into_schemas(self) -> Schemas<'a> {
        self.schemas
    }

    /// Describes one binding.
    pub fn describe(&mut self, binding: &Binding, path: &Path) -> Value {
        let method = &binding.method;
        let comments = self.schemas.comments;
        let text = comments.of(&method.parent_file(), method.path()).unwrap_or_default();
        let mut parameters: Vec<Value> =
            path.parameters.iter().map(|parameter| self.path_parameter(binding, parameter)).collect();
        if !matches!(binding.body, BodyRule::Whole) {
            self.query_parameters(binding, &method.input(), &mut Vec::new(), &mut parameters);
        }
        let public = (self.is_public)(method);
        let mut operation = json!({
            "operationId": self.operation_id(binding),
            "tags": [method.parent_service().name()],
            "summary": summary(text),
            "description": description(text, method),
            "parameters": parameters,
            "responses": { "200": self.answer(binding), "default": { "$ref": "#/components/responses/Error" } },
            "security": if public { json!([]) } else { json!([{ "bearer": [] }]) },
            "x-grpc-method": binding.grpc_path.path(),
        });
        if let (Some(body), Some(operation)) = (self.request_body(binding), operation.as_object_mut()) {
            operation.insert("requestBody".to_owned(), body);
        }
        operation
    }

    fn operation_id(&mut self, binding: &Binding) -> String {
        let method = &binding.method;
        let suffix = if binding.ordinal == 0 { String::new() } else { format!("_{}", binding.ordinal + 1) };
        let short = format!("{}_{}{suffix}", method.parent_service().name(), method.name());
        let id =
            if self.ids.contains(&short) { format!("{}{suffix}", method.full_name().replace('.', "_")) } else { short };
        self.ids.insert(id.clone());
        id
    }

    fn path_parameter(&mut self, binding: &Binding, parameter: &Parameter) -> Value {
        let field = parameter.variable.and_then(|at| binding.variables[at].fields.last());
        let mut schema = match (field, &parameter.pattern) {
            (Some(field), None) => self.schemas.field(field),
            _ => Map::new(),
        };
        let comment = field.and_then(|field| self.schemas.comments.of(&field.parent_file(), field.path()));
        let text = match &parameter.pattern {
            Some(pattern) => format!("The id in `{pattern}`. {}", comment.unwrap_or_default()).trim_end().to_owned(),
            None => comment.unwrap_or_default().to_owned(),
        };
        if parameter.pattern.is_some() {
            schema.insert("type".to_owned(), json!("string"));
            schema.insert("example".to_owned(), json!(EXAMPLE_UUID));
        }
        schema.remove("description");
        json!({ "name": parameter.name, "in": "path", "required": true, "description": text, "schema": schema })
    }

    fn query_parameters(
        &mut self,
        binding: &Binding,
        message: &MessageDescriptor,
        outer: &mut Vec<FieldDescriptor>,
        parameters: &mut Vec<Value>,
    ) {
        for field in message.fields() {
            outer.push(field.clone());
            if !is_given_elsewhere(binding, outer) && !field.is_map() {
                match field.kind() {
                    Kind::Message(inner) if !text::is_scalar_message(&inner) => {
                        if !field.is_list() && outer.len() < MAX_DEPTH {
                            self.query_parameters(binding, &inner, outer, parameters);
                        }
                    }
                    _ => parameters.push(self.query_parameter(&field, outer)),
                }
            }
            outer.pop();
        }
    }

    fn query_parameter(&mut self, field: &FieldDescriptor, path: &[FieldDescriptor]) -> Value {
        let name = path.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>().join(".");
        let mut schema = self.schemas.field(field);
        let text = schema.remove("description").unwrap_or_else(|| json!(""));
        let required = path.iter().all(|field| self.schemas.rules.is_required(field));
        json!({ "name": name, "in": "query", "required": required, "description": text, "schema": schema })
    }

    fn request_body(&mut self, binding: &Binding) -> Option<Value> {
        if request::takes_raw_body(binding) {
            return Some(json!({ "required": true, "content": raw_content() }));
        }
        let (schema, required) = match &binding.body {
            BodyRule::None => return None,
            BodyRule::Field(field) => (self.schemas.field(field), self.schemas.rules.is_required(field)),
            BodyRule::Whole => {
                let input = binding.method.input();
                // What the path gives needn't be written again; inside a message it may.
                let single = binding.variables.iter().filter(|variable| variable.fields.len() == 1);
                let in_path: Vec<u32> = single.map(|variable| variable.fields[0].number()).collect();
                let schema = if in_path.is_empty() {
                    self.schemas.message(&input)
                } else {
                    self.schemas.object_without(&input, &in_path)
                };
                let rules = &self.schemas.rules;
                let left = |field: &FieldDescriptor| !in_path.contains(&field.number()) && rules.is_required(field);
                (schema, input.fields().any(|field| left(&field)))
            }
        };
        Some(json!({ "required": required, "content": { "application/json": { "schema": schema } } }))
    }

    fn answer(&mut self, binding: &Binding) -> Value {
        if response::is_raw(binding) {
            let text = "The document as it is; its content type is in the header.";
            return json!({ "description": text, "content": raw_content() });
        }
        let schema = match &binding.response_body {
            None => self.schemas.message(&binding.method.output()),
            Some(field) => self.schemas.field(field),
        };
        if binding.method.is_server_streaming() {
            let text = "One JSON document on each line; an error is the last line, as `{\"error\": {…}}`.";
            return json!({ "description": text, "content": { "application/x-ndjson": { "schema": schema } } });
        }
        json!({ "description": "Done.", "content": { "application/json": { "schema": schema } } })
    }
}

/// A raw body, of whatever type.
fn raw_content() -> Value {
    json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } })
}

/// Whether the path or the body gives the field at the end of `path`.
fn is_given_elsewhere(binding: &Binding, path: &[FieldDescriptor]) -> bool {
    let numbers = |fields: &[FieldDescriptor]| fields.iter().map(FieldDescriptor::number).collect::<Vec<_>>();
    let in_body = matches!(&binding.body, BodyRule::Field(field) if path[0].number() == field.number());
    in_body || binding.variables.iter().any(|variable| numbers(&variable.fields) == numbers(path))
}

/// The comment, and who may call.
fn description(text: &str, method: &MethodDescriptor) -> String {
    let roles = roles(method).unwrap_or_default();
    match (text.is_empty(), roles.is_empty()) {
        (_, true) => text.to_owned(),
        (true, false) => format!("For: {}.", roles.join(", ")),
        (false, false) => format!("{text}\n\nFor: {}.", roles.join(", ")),
    }
}

/// The roles of the RPC's access rule, such as `front desk`.
fn roles(method: &MethodDescriptor) -> Option<Vec<String>> {
    let extension = method.parent_pool().get_extension_by_name("meridian.access.v1.rule")?;
    let options = method.options();
    let rule = options.get_extension(&extension);
    let rule: &DynamicMessage = rule.as_message()?;
    let field = rule.descriptor().get_field_by_name("roles")?;
    let Kind::Enum(kind) = field.kind() else { return None };
    let roles = rule.get_field(&field);
    let names = roles.as_list()?.iter().filter_map(|role| kind.get_value(role.as_enum_number()?));
    Some(names.map(|value| value.name().trim_start_matches("ROLE_").replace('_', " ").to_ascii_lowercase()).collect())
}
