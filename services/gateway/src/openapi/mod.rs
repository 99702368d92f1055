//! The OpenAPI 3.1 document, written once at the start from the descriptors: paths from the HTTP annotations, texts from
//! the comments, bounds from the validation rules, security from the access rules.
//!
//! | module | holds |
//! |---|---|
//! | [`path`] | path templates in OpenAPI's notation |
//! | [`operation`] | one operation: parameters, body, answers |
//! | [`schema`] | messages and enums as JSON Schema |
//! | [`rules`] | validation rules and field behaviour |
//! | [`comments`] | the comments of the protos |

pub mod comments;
pub mod operation;
pub mod path;
pub mod rules;
pub mod schema;

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, MethodDescriptor};
use serde_json::{Map, Value, json};

use self::{comments::Comments, operation::Operations, schema::Schemas};
use crate::routes::Routes;

/// The id in examples.
pub const EXAMPLE_UUID: &str = "0192f3c4-7d9e-7000-8000-3f2a51c0ffee";

/// Writes the document. `public_url` may be empty; `is_public` says which RPCs need no token.
pub fn document(
    pool: &DescriptorPool,
    routes: &Routes,
    public_url: &str,
    is_public: &dyn Fn(&MethodDescriptor) -> bool,
) -> Value {
    let comments = Comments::read(pool);
    let mut operations = Operations::new(Schemas::new(pool, &comments), is_public);
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    for binding in routes.bindings() {
        let path = path::Path::of(binding);
        let operation = operations.describe(binding, &path);
        let verb = binding.http_method.as_str().to_ascii_lowercase();
        paths.entry(path.text).or_default().insert(verb, operation);
    }
    let mut schemas = operations.into_schemas().into_components();
    schemas.insert("google.rpc.Status".to_owned(), status_schema());
    let server = if public_url.is_empty() { "/" } else { public_url };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Meridian",
            "version": "1",
            "description": "Bookings, members, payments, marketing and figures of a chain of stores. \
                Names of things are resource names such as `bookings/<uuid>`. Requests that change something carry a \
                `requestId` (a UUID) and are safe to repeat with the same one. \
                Every error is a `google.rpc.Status`.",
        },
        "servers": [{ "url": server }],
        "tags": tags(routes, &comments),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Error": error_response() },
            "securitySchemes": { "bearer": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "An access token. It ends after 15 minutes; get a new one with the refresh token.",
            } },
        },
    })
}

fn tags(routes: &Routes, comments: &Comments) -> Value {
    let mut seen = BTreeSet::new();
    let services = routes.bindings().iter().map(|binding| binding.method.parent_service().clone());
    services
        .filter(|service| seen.insert(service.full_name().to_owned()))
        .map(|service| {
            let text = comments.of(&service.parent_file(), service.path());
            json!({ "name": service.name(), "description": text.unwrap_or_default() })
        })
        .collect()
}

fn status_schema() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong. Programs go by the `reason` of the ErrorInfo detail; people read `message`.",
        "properties": {
            "code": { "type": "integer", "format": "int32", "description": "The gRPC code." },
            "message": { "type": "string", "description": "A sentence for people." },
            "details": {
                "type": "array",
                "description": "Typed facts: google.rpc.ErrorInfo always, google.rpc.BadRequest for wrong fields.",
                "items": {
                    "type": "object",
                    "properties": { "@type": { "type": "string" } },
                    "required": ["@type"],
                    "additionalProperties": true,
                },
            },
        },
        "required": ["code", "message", "details"],
    })
}

fn error_response() -> Value {
    json!({
        "description": "The request failed. The `x-request-id` header finds it in the logs.",
        "headers": { "x-request-id": { "schema": { "type": "string" } } },
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/google.rpc.Status" },
            "example": {
                "code": 9,
                "message": "this time was just taken",
                "details": [{
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "SLOT_TAKEN", "domain": crate::errors::DOMAIN, "metadata": {},
                }],
            },
        } },
    })
}
