//! `impl Validate` from the `buf.validate` rules beside the fields.
//!
//! Made for every request, for every message with a rule, and for every message that holds one of these.

mod field;
mod rules;

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, OneofDescriptor, Value};

use crate::{format_source, is_ours, names};

/// Makes the implementations for the messages of `pool`, whose code is in modules below `root`.
pub fn generate(pool: &DescriptorPool, root: &str) -> Result<String> {
    let mut generator = Generator { pool, root, validated: validated(pool), patterns: Vec::new() };
    let messages: Vec<_> = messages(pool).into_iter().filter(|m| generator.is_validated(m)).collect();
    let mut source = String::new();
    for message in messages {
        let place = format!("{}: {}", message.parent_file().name(), message.full_name());
        source += &generator.message(&message).with_context(|| place)?;
    }
    for (index, pattern) in generator.patterns.iter().enumerate() {
        source += &format!("static PATTERN_{index}: Pattern = Pattern::new({pattern:?});\n");
    }
    format_source(&source)
}

/// What is needed while one file of implementations is made.
struct Generator<'a> {
    pool: &'a DescriptorPool,
    root: &'a str,
    /// Full names of the messages that get an implementation.
    validated: BTreeSet<String>,
    /// Regular expressions in use; each becomes one static.
    patterns: Vec<String>,
}

impl Generator<'_> {
    fn is_validated(&self, message: &MessageDescriptor) -> bool {
        self.validated.contains(message.full_name())
    }

    fn message(&mut self, message: &MessageDescriptor) -> Result<String> {
        if option(self.pool, "buf.validate.message", &message.options()).is_some_and(|rules| !is_empty(&rules)) {
            bail!("rules on a whole message are not supported; put them on its fields");
        }
        let mut body = String::new();
        for field in message.fields() {
            body += &self.field(&field).with_context(|| format!("field {}", field.name()))?;
        }
        for oneof in message.oneofs() {
            body += &self.oneof(&oneof).with_context(|| format!("oneof {}", oneof.name()))?;
        }
        let report = if body.is_empty() { "_" } else { "report" };
        let name = names::message(self.root, message);
        Ok(format!("impl Validate for {name} {{ fn check(&self, {report}: &mut Report) {{ {body} }} }}\n"))
    }

    fn oneof(&self, oneof: &OneofDescriptor) -> Result<String> {
        let Some(rules) = option(self.pool, "buf.validate.oneof", &oneof.options()) else { return Ok(String::new()) };
        let mut code = String::new();
        for (rule, value) in rules.fields() {
            match (rule.name(), value) {
                ("required", Value::Bool(true)) => {
                    let names: Vec<String> = oneof.fields().map(|field| format!("{:?}", field.name())).collect();
                    let field = names::field(oneof.name());
                    code += &format!(
                        "report.one_of(Field({:?}), self.{field}.is_some(), &[{}]);",
                        oneof.name(),
                        names.join(", ")
                    );
                }
                ("required", _) => {}
                (name, _) => bail!("the rule {name} is not known to the generator"),
            }
        }
        Ok(code)
    }
}

/// Every message of ours, those that are nested included; in the order of the files.
fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|message| is_ours(message.package_name()) && !message.is_map_entry()).collect()
}

/// The messages that need an implementation.
fn validated(pool: &DescriptorPool) -> BTreeSet<String> {
    let services = pool.services().filter(|service| is_ours(service.package_name()));
    let requests = services.flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>());
    let mut validated: BTreeSet<String> = requests.map(|request| request.full_name().to_owned()).collect();

    let messages = messages(pool);
    validated.extend(messages.iter().filter(|m| has_rules(pool, m)).map(|m| m.full_name().to_owned()));
    loop {
        let before = validated.len();
        for message in &messages {
            let holds_one = message.fields().any(|field| {
                let value = if field.is_map() { map_value(&field.kind()) } else { Some(field.kind()) };
                matches!(value, Some(Kind::Message(held)) if validated.contains(held.full_name()))
            });
            if holds_one {
                validated.insert(message.full_name().to_owned());
            }
        }
        if validated.len() == before {
            return validated;
        }
    }
}

fn map_value(entry: &Kind) -> Option<Kind> {
    entry.as_message().map(|entry| entry.map_entry_value_field().kind())
}

fn has_rules(pool: &DescriptorPool, message: &MessageDescriptor) -> bool {
    option(pool, "buf.validate.message", &message.options()).is_some()
        || message.fields().any(|field| option(pool, "buf.validate.field", &field.options()).is_some())
        || message.oneofs().any(|oneof| option(pool, "buf.validate.oneof", &oneof.options()).is_some())
}

/// The message that an option holds, if it is stated.
fn option(pool: &DescriptorPool, name: &str, options: &DynamicMessage) -> Option<DynamicMessage> {
    let extension = pool.get_extension_by_name(name)?;
    if !options.has_extension(&extension) {
        return None;
    }
    options.get_extension(&extension).as_message().cloned()
}

fn is_empty(rules: &DynamicMessage) -> bool {
    rules.fields().next().is_none() && rules.unknown_fields().next().is_none()
}
