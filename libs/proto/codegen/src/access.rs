//! The table of access rules, from the method option `(meridian.access.v1.rule)`.

use anyhow::{Context, Result, bail};
use heck::ToUpperCamelCase;
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MethodDescriptor, ReflectMessage, Value};

use crate::{format_source, is_ours};

const OPTION: &str = "meridian.access.v1.rule";

/// Makes the table, ordered by path, so that it can be searched by halves.
pub fn generate(pool: &DescriptorPool) -> Result<String> {
    let services = pool.services().filter(|service| is_ours(service.package_name()));
    let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let mut rules = methods
        .map(|method| {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            let rule = rule(pool, &method)
                .with_context(|| format!("{}: {}", method.parent_service().parent_file().name(), method.full_name()))?;
            Ok((path, rule))
        })
        .collect::<Result<Vec<_>>>()?;
    rules.sort();

    let rows: String = rules.iter().map(|(path, rule)| format!("({path:?}, {rule}),\n")).collect();
    format_source(&format!(
        "/// Every RPC of the suite by path, with its rule; ordered by path.\n\
         pub static ALL: &[(&str, Rule)] = &[{rows}];\n"
    ))
}

fn rule(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<String> {
    let options = method.options();
    let rule = pool
        .get_extension_by_name(OPTION)
        .filter(|option| options.has_extension(option))
        .map(|option| options.get_extension(&option).into_owned())
        .with_context(|| format!("no access rule: state who may call it with `option ({OPTION}) = {{...}}`"))?;
    let Value::Message(rule) = rule else { bail!("({OPTION}) is not a message") };

    let public = matches!(rule.get_field_by_name("public").as_deref(), Some(Value::Bool(true)));
    let roles = numbers(&rule, "roles")
        .into_iter()
        .map(|number| choice(&rule, "roles", number, "ROLE_"))
        .collect::<Result<Vec<_>>>()?;
    if public && !roles.is_empty() {
        bail!("the access rule is public and names roles: leave one of them out");
    }
    if !public && roles.is_empty() {
        bail!("the access rule lets nobody call: name roles or make it public");
    }
    let scope = match numbers(&rule, "scope").as_slice() {
        [] | [0] => "None".to_owned(),
        [number, ..] => choice(&rule, "scope", *number, "SCOPE_")?,
    };
    let roles: Vec<String> = roles.iter().map(|role| format!("Role::{role}")).collect();
    Ok(format!("Rule {{ public: {public}, roles: &[{}], scope: Scope::{scope} }}", roles.join(", ")))
}

fn numbers(rule: &DynamicMessage, field: &str) -> Vec<i32> {
    match rule.get_field_by_name(field).as_deref() {
        Some(Value::EnumNumber(number)) => vec![*number],
        Some(Value::List(values)) => values.iter().filter_map(Value::as_enum_number).collect(),
        _ => Vec::new(),
    }
}

/// The Rust variant of a number in an enum field of the rule.
fn choice(rule: &DynamicMessage, field: &str, number: i32, prefix: &str) -> Result<String> {
    let kind = rule.descriptor().get_field_by_name(field).map(|field| field.kind());
    let value = kind.as_ref().and_then(Kind::as_enum).and_then(|choices| choices.get_value(number));
    match value {
        Some(value) if number != 0 => Ok(value.name().trim_start_matches(prefix).to_upper_camel_case()),
        _ => bail!("the access rule names no known {field} by number {number}"),
    }
}
