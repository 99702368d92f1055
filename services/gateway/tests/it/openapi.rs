//! The OpenAPI document.

use std::collections::BTreeSet;

use gateway::{Config, openapi::EXAMPLE_UUID};
use serde_json::Value;

use crate::{booking, echo};

fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let each = paths.iter().flat_map(|(path, methods)| {
        methods.as_object().expect("methods").iter().map(move |(method, operation)| (&**path, &**method, operation))
    });
    each.collect()
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[track_caller]
fn holds_together(document: &Value) {
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(document);
    let ids: BTreeSet<&str> = operations.iter().map(|(.., op)| op["operationId"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), operations.len(), "operation ids are unique");

    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("references stay inside");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }

    // `/v1/{a}:cancel` → `/v1/{}:cancel`
    let shape = |path: &str| {
        let parts = path.split('{').map(|part| part.split_once('}').map_or(part, |(_, rest)| rest).to_owned());
        parts.collect::<Vec<String>>()
    };
    let paths: Vec<&String> = document["paths"].as_object().expect("paths").keys().collect();
    let shapes: BTreeSet<Vec<String>> = paths.iter().map(|path| shape(path)).collect();
    assert_eq!(shapes.len(), paths.len(), "no two paths are the same to OpenAPI");

    for (path, method, operation) in operations {
        let parameters = operation["parameters"].as_array().expect("parameters");
        let names: BTreeSet<String> = parameters.iter().map(|p| format!("{}{}", p["in"], p["name"])).collect();
        assert_eq!(names.len(), parameters.len(), "{method} {path}");
        let declared: BTreeSet<&str> =
            parameters.iter().filter(|p| p["in"] == "path").filter_map(|p| p["name"].as_str()).collect();
        let used: BTreeSet<&str> = path.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        assert_eq!(declared, used, "{method} {path}");
        assert!(operation["responses"]["200"].is_object() && operation["responses"]["default"].is_object());
        assert!(["get", "put", "post", "delete", "patch"].contains(&method));
    }
}

#[tokio::test]
async fn the_document_of_the_suite_holds_together() {
    let (gateway, _) = booking::gateway(Config::default()).await;
    let document = gateway.get("/openapi.json").await.json();
    holds_together(&document);
    let get = &document["paths"]["/v1/bookings/{booking}"]["get"];
    assert_eq!(get["operationId"], "BookingService_GetBooking");
    assert_eq!(get["summary"], "Reads a booking with its history");
    assert!(
        get["description"].as_str().is_some_and(|text| text.contains("For: member, therapist, front desk")),
        "{get}"
    );
    assert_eq!(get["parameters"][0]["schema"]["example"], EXAMPLE_UUID);
    assert!(get["security"][0]["bearer"].is_array());
    assert_eq!(document["paths"]["/v1/stores"]["get"]["security"], serde_json::json!([]));

    let hold = &document["components"]["schemas"]["meridian.booking.v1.HoldSlotRequest"];
    let required = hold["required"].as_array().expect("required");
    assert!(required.contains(&"startTime".into()) && required.contains(&"requestId".into()), "{hold}");
    assert_eq!(hold["properties"]["requestId"]["format"], "uuid");
    assert_eq!(hold["properties"]["store"]["example"], format!("stores/{EXAMPLE_UUID}"));

    let cancel = &document["paths"]["/v1/bookings/{booking}:cancel"]["post"]["requestBody"];
    let properties = &cancel["content"]["application/json"]["schema"]["properties"];
    assert!(properties["name"].is_null() && properties["reason"].is_object(), "the path gives the name: {properties}");
    let item = &document["components"]["schemas"]["meridian.booking.v1.Item"]["properties"];
    assert_eq!(item["description"]["maxLength"], 2000);

    let booking = &document["components"]["schemas"]["meridian.booking.v1.Booking"]["properties"];
    assert_eq!((&booking["state"]["readOnly"], &booking["version"]["format"]), (&true.into(), &"int64".into()));
}

#[tokio::test]
async fn the_document_of_odd_annotations_holds_together() {
    let (gateway, _) = echo::gateway(Config::default()).await;
    let document = gateway.get("/openapi.json").await.json();
    holds_together(&document);
    assert!(document["paths"]["/v1/files/{name}"]["get"].is_object());
    let watch = &document["paths"]["/v1/things/{thing}:watch"]["get"]["responses"]["200"]["content"];
    assert!(watch["application/x-ndjson"].is_object(), "{watch}");
    let raw = serde_json::json!({ "*/*": { "schema": { "type": "string", "format": "binary" } } });
    let upload = &document["paths"]["/v1/raw"]["post"];
    assert_eq!((&upload["requestBody"]["content"], &upload["responses"]["200"]["content"]), (&raw, &raw));
    let download = &document["paths"]["/v1/things/{thing}:download"]["get"];
    assert_eq!(download["responses"]["200"]["content"], raw);
    assert_eq!(download["responses"]["default"]["$ref"], "#/components/responses/Error");
    let list = &document["paths"]["/v1/parcels"]["post"];
    assert_eq!(list["requestBody"]["content"]["application/json"]["schema"]["type"], "array");
    assert_eq!(list["responses"]["200"]["content"]["application/json"]["schema"]["type"], "array");
}
