//! Messages, clients and servers, by prost and tonic.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use prost_build::{Config, Module};
use prost_reflect::{DescriptorPool, FileDescriptor, Kind, MessageDescriptor};

use crate::output::Files;
use crate::{format_source, is_ours};

/// Makes one file for each package, and `mod.rs` that includes them in modules named like the packages.
pub fn generate(pool: &DescriptorPool) -> Result<Files> {
    let requests = files(pool)
        .into_iter()
        .map(|file| (Module::from_protobuf_package_name(file.package_name()), file.file_descriptor_proto().clone()))
        .collect();

    let mut config = Config::new();
    config
        .enable_type_names()
        // Deterministic encoding: stored replies are compared byte by byte.
        .btree_map(["."])
        .bytes(["."])
        .service_generator(tonic_prost_build::configure().service_generator());

    let modules: BTreeMap<Module, String> = config.generate(requests)?.into_iter().collect();
    let mut files = Files::new();
    let mut tree = Tree::default();
    for (module, source) in &modules {
        let parts: Vec<&str> = module.parts().collect();
        let name = format!("{}.rs", parts.join(".").replace("r#", ""));
        tree.insert(&parts, &name);
        files.insert(name, format_source(source)?.into_bytes());
    }
    files.insert("mod.rs".into(), format_source(&tree.render())?.into_bytes());
    Ok(files)
}

/// The files to make code for: those of ours that define messages or services, and those that define a type they use.
/// What serves only as an option (rules, annotations) needs no code. (The well-known types of `google.protobuf` are
/// looked at, too, but their code is that of `prost-types`.)
fn files(pool: &DescriptorPool) -> Vec<FileDescriptor> {
    let mut used = BTreeSet::new();
    let mut waiting: Vec<FileDescriptor> =
        pool.files().filter(|file| is_ours(file.package_name()) && file.extensions().len() == 0).collect();
    while let Some(file) = waiting.pop() {
        if !used.insert(file.name().to_owned()) {
            continue;
        }
        let methods = file.services().flat_map(|service| service.methods().collect::<Vec<_>>());
        waiting.extend(methods.flat_map(|method| [method.input(), method.output()]).map(|m| m.parent_file()));
        for message in file.messages() {
            types(&message, &mut waiting);
        }
    }
    pool.files().filter(|file| used.contains(file.name())).collect()
}

fn types(message: &MessageDescriptor, files: &mut Vec<FileDescriptor>) {
    for field in message.fields() {
        match field.kind() {
            Kind::Message(message) => files.push(message.parent_file()),
            Kind::Enum(choices) => files.push(choices.parent_file()),
            _ => {}
        }
    }
    for child in message.child_messages() {
        types(&child, files);
    }
}

/// Modules in modules, the innermost with a file.
#[derive(Default)]
struct Tree<'a> {
    children: BTreeMap<&'a str, Tree<'a>>,
    file: Option<String>,
}

impl<'a> Tree<'a> {
    fn insert(&mut self, parts: &[&'a str], file: &str) {
        match parts.split_first() {
            Some((first, rest)) => self.children.entry(first).or_default().insert(rest, file),
            None => self.file = Some(file.to_owned()),
        }
    }

    fn render(&self) -> String {
        let mut source = String::new();
        if let Some(file) = &self.file {
            source += &format!("include!(\"{file}\");\n");
        }
        for (name, child) in &self.children {
            source += &format!("pub mod {name} {{ {} }}\n", child.render());
        }
        source
    }
}
