//! Rust names of proto things, as prost gives them.

use heck::{ToSnakeCase, ToUpperCamelCase};
use prost_build::Module;
use prost_reflect::{FieldDescriptor, MessageDescriptor, OneofDescriptor};

/// The path of a message's struct below `root`.
pub fn message(root: &str, message: &MessageDescriptor) -> String {
    let module = match message.parent_message() {
        Some(parent) => inner_module(root, &parent),
        None => format!("{root}::{}", Module::from_protobuf_package_name(message.package_name())),
    };
    format!("{module}::{}", camel(message.name()))
}

/// The path of the enum of a oneof below `root`.
pub fn oneof(root: &str, oneof: &OneofDescriptor) -> String {
    format!("{}::{}", inner_module(root, oneof.parent_message()), camel(oneof.name()))
}

/// The variant of a oneof's enum that holds `field`.
pub fn variant(field: &FieldDescriptor) -> String {
    camel(field.name())
}

/// The name of a struct's field, for a field or a oneof.
pub fn field(name: &str) -> String {
    // prost makes raw identifiers; the same function that names modules knows which.
    Module::from_protobuf_package_name(name).to_string()
}

/// The module in which prost puts what is nested in a message.
fn inner_module(root: &str, message: &MessageDescriptor) -> String {
    let outer = match message.parent_message() {
        Some(parent) => inner_module(root, &parent),
        None => format!("{root}::{}", Module::from_protobuf_package_name(message.package_name())),
    };
    format!("{outer}::{}", field(&message.name().to_snake_case()))
}

fn camel(name: &str) -> String {
    match name.to_upper_camel_case() {
        name if name == "Self" => "Self_".to_owned(),
        name => name,
    }
}
