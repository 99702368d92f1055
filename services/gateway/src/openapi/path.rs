//! Path templates in OpenAPI's notation, where a parameter is one segment: `/v1/{name=bookings/*}:cancel` becomes
//! `/v1/bookings/{booking}:cancel`.

use crate::routes::{
    Binding, Variable,
    template::{Segment, Span},
};

/// A path with its parameters.
#[derive(Debug)]
pub struct Path {
    /// The path as OpenAPI writes it.
    pub text: String,
    /// Its parameters, in order.
    pub parameters: Vec<Parameter>,
}

/// One parameter of a path.
#[derive(Debug)]
pub struct Parameter {
    /// Its name in the path.
    pub name: String,
    /// Which of the binding's variables it is a part of, if it is in one.
    pub variable: Option<usize>,
    /// The resource name that it is a part of, such as `bookings/{booking}`; none where it is the whole value.
    pub pattern: Option<String>,
}

impl Path {
    /// The path of a binding.
    pub fn of(binding: &Binding) -> Self {
        let mut path = Self { text: String::new(), parameters: Vec::new() };
        let mut written: Vec<String> = Vec::new();
        for (index, segment) in binding.template.segments.iter().enumerate() {
            let text = match segment {
                Segment::Literal(text) => text.to_string(),
                Segment::One | Segment::Rest => {
                    let variable = binding.variables.iter().position(|variable| contains(variable, index));
                    let own = variable.map(|at| &binding.variables[at]).filter(|variable| is_one(variable.span));
                    let name = match own {
                        Some(variable) => variable.path.replace('.', "_"),
                        None => written.last().map_or_else(|| "path".to_owned(), |before| singular(before)),
                    };
                    let name = path.unused(name);
                    path.parameters.push(Parameter { name: name.clone(), variable, pattern: None });
                    format!("{{{name}}}")
                }
            };
            written.push(text);
        }
        for parameter in &mut path.parameters {
            let span = parameter.variable.map(|at| binding.variables[at].span).filter(|span| !is_one(*span));
            parameter.pattern = span.map(|span| written[span.start..span.end].join("/"));
        }
        path.text = format!("/{}", written.join("/"));
        if let Some(verb) = &binding.template.verb {
            path.text.push(':');
            path.text.push_str(verb);
        }
        path
    }

    fn unused(&self, name: String) -> String {
        if self.parameters.iter().any(|parameter| parameter.name == name) {
            format!("{name}{}", self.parameters.len() + 1)
        } else {
            name
        }
    }
}

/// Whether the variable is written as one segment of the template.
fn is_one(span: Span) -> bool {
    span.end - span.start == 1
}

fn contains(variable: &Variable, index: usize) -> bool {
    (variable.span.start..variable.span.end).contains(&index)
}

/// The name of one of a collection: `bookings` → `booking`, `categories` → `category`.
fn singular(collection: &str) -> String {
    if let Some(stem) = collection.strip_suffix("ies") {
        return format!("{stem}y");
    }
    let plural = collection.strip_suffix('s').filter(|stem| !stem.ends_with('s'));
    plural.map_or_else(|| format!("{}Id", collection.trim_matches(['{', '}'])), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_collection() {
        assert_eq!(singular("bookings"), "booking");
        assert_eq!(singular("categories"), "category");
        assert_eq!(singular("staff"), "staffId");
        assert_eq!(singular("{booking}"), "bookingId");
    }
}
