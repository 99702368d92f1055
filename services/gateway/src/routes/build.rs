//! Reads the `google.api.http` annotations of a descriptor pool.

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::{
    Binding, BodyRule, Routes, Variable,
    template::{Template, TemplateError},
    trie::Taken,
};

/// Why the annotations can't be served. It names the RPC, for whoever wrote the proto.
#[derive(Debug, thiserror::Error)]
#[error("{rpc}: {problem}")]
pub struct BuildError {
    rpc: String,
    #[source]
    problem: Problem,
}

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Taken(#[from] Taken),
    #[error("the HTTP rule has no valid method and path")]
    NoPattern,
    #[error("field path {path:?}: {what}")]
    Field { path: String, what: &'static str },
    #[error("client streaming can't be offered over HTTP/JSON")]
    ClientStreaming,
    #[error("the gRPC path is not valid")]
    GrpcPath,
}

/// Reads the routes of every annotated RPC.
pub fn routes(pool: &DescriptorPool) -> Result<Routes, BuildError> {
    let mut routes = Routes::default();
    let Some(extension) = pool.get_extension_by_name("google.api.http") else { return Ok(routes) };
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let options = method.options();
        if !options.has_extension(&extension) {
            continue;
        }
        let rule = options.get_extension(&extension);
        if let Some(rule) = rule.as_message() {
            add_rule(&mut routes, &method, rule)
                .map_err(|problem| BuildError { rpc: method.full_name().to_owned(), problem })?;
        }
    }
    Ok(routes)
}

fn add_rule(routes: &mut Routes, method: &MethodDescriptor, rule: &DynamicMessage) -> Result<(), Problem> {
    if method.is_client_streaming() {
        return Err(Problem::ClientStreaming);
    }
    routes.add(binding(method, rule, 0)?)?;
    let more = rule.get_field_by_name("additional_bindings");
    let more = more.as_deref().and_then(|value| value.as_list()).unwrap_or_default();
    for (index, rule) in more.iter().filter_map(|value| value.as_message()).enumerate() {
        routes.add(binding(method, rule, index + 1)?)?;
    }
    Ok(())
}

fn binding(method: &MethodDescriptor, rule: &DynamicMessage, ordinal: usize) -> Result<Binding, Problem> {
    let (http_method, path) = pattern(rule).ok_or(Problem::NoPattern)?;
    let template = Template::parse(&path)?;
    let input = method.input();
    let variables = template
        .variables
        .iter()
        .map(|(path, span)| Ok(Variable { path: path.clone(), fields: walk(&input, path)?, span: *span }))
        .collect::<Result<_, Problem>>()?;
    let body = match text(rule, "body").as_str() {
        "" => BodyRule::None,
        "*" => BodyRule::Whole,
        name => BodyRule::Field(member(&input, name)?),
    };
    let response_body = match text(rule, "response_body").as_str() {
        "" => None,
        name => Some(member(&method.output(), name)?),
    };
    let service = method.parent_service();
    let grpc_path = format!("/{}/{}", service.full_name(), method.name()).parse().map_err(|_| Problem::GrpcPath)?;
    let package = service.package_name().into();
    Ok(Binding {
        method: method.clone(),
        grpc_path,
        package,
        http_method,
        template,
        variables,
        body,
        response_body,
        ordinal,
    })
}

fn pattern(rule: &DynamicMessage) -> Option<(http::Method, String)> {
    for name in ["get", "put", "post", "delete", "patch"] {
        let path = text(rule, name);
        if !path.is_empty() {
            return Some((name.to_ascii_uppercase().parse().ok()?, path));
        }
    }
    let custom = rule.get_field_by_name("custom")?;
    let custom = custom.as_message()?;
    Some((text(custom, "kind").parse().ok()?, text(custom, "path")))
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn member(message: &MessageDescriptor, name: &str) -> Result<FieldDescriptor, Problem> {
    message
        .get_field_by_name(name)
        .ok_or_else(|| Problem::Field { path: name.to_owned(), what: "there is no such field" })
}

/// The fields along a variable's path. Only single scalar fields can be in a path.
fn walk(input: &MessageDescriptor, path: &str) -> Result<Vec<FieldDescriptor>, Problem> {
    let fail = |what| Problem::Field { path: path.to_owned(), what };
    let mut fields: Vec<FieldDescriptor> = Vec::new();
    for name in path.split('.') {
        let within = match fields.last().map(FieldDescriptor::kind) {
            None => input.clone(),
            Some(Kind::Message(message)) => message,
            Some(_) => return Err(fail("a scalar has no fields")),
        };
        let field = within.get_field_by_name(name).ok_or_else(|| fail("there is no such field"))?;
        if field.is_list() || field.is_map() {
            return Err(fail("a repeated field can't be in a path"));
        }
        fields.push(field);
    }
    match fields.last().map(FieldDescriptor::kind) {
        Some(Kind::Message(_)) => Err(fail("a message can't be in a path")),
        _ => Ok(fields),
    }
}
