//! The descriptor set that servers reflect, and from which the gateway makes routes, JSON and documents.

use anyhow::{Context, Result};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value};

use crate::is_ours;

/// Encodes every file with its options. Comments are kept for our own files only, and of the source positions only
/// those that carry a comment: the rest would be most of the bytes.
pub fn generate(pool: &DescriptorPool) -> Result<Vec<u8>> {
    let set = pool
        .get_message_by_name("google.protobuf.FileDescriptorSet")
        .context("google/protobuf/descriptor.proto is not among the compiled files")?;
    let mut set = DynamicMessage::decode(set, pool.encode_to_vec().as_slice())?;
    let files = set.get_field_by_name_mut("file").and_then(Value::as_list_mut).context("an empty descriptor set")?;
    for file in files.iter_mut().filter_map(Value::as_message_mut) {
        let package = file.get_field_by_name("package");
        if package.as_ref().and_then(|package| package.as_str()).is_some_and(is_ours) {
            keep_comments(file);
        } else {
            file.clear_field_by_name("source_code_info");
        }
    }
    Ok(set.encode_to_vec())
}

fn keep_comments(file: &mut DynamicMessage) {
    let locations = file
        .get_field_by_name_mut("source_code_info")
        .and_then(Value::as_message_mut)
        .and_then(|info| info.get_field_by_name_mut("location"))
        .and_then(Value::as_list_mut);
    if let Some(locations) = locations {
        locations.retain(|location| {
            location.as_message().is_some_and(|location| {
                location.has_field_by_name("leading_comments") || location.has_field_by_name("trailing_comments")
            })
        });
    }
}
