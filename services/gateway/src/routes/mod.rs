//! From an HTTP method and path to the RPC that serves it.
//!
//! | module | holds |
//! |---|---|
//! | [`template`] | the grammar of `google.api.http` path templates |
//! | [`trie`] | the lookup, with its order of precedence |
//! | [`build`] | reading the annotations of a descriptor pool into a [`Routes`] |

pub mod build;
pub mod template;
pub mod trie;

use std::sync::Arc;

use http::Method;
use prost_reflect::{FieldDescriptor, MethodDescriptor};
use tonic::codegen::http::uri::PathAndQuery;

use self::{
    template::Template,
    trie::{Lookup, Trie},
};

/// What part of the request message the HTTP body fills.
#[derive(Debug, Clone)]
pub enum BodyRule {
    /// The operation takes no body; all that the path leaves over comes from query parameters.
    None,
    /// The body is the request message (`body: "*"`); there are no query parameters.
    Whole,
    /// The body is one field (`body: "booking"`); the other fields come from query parameters.
    Field(FieldDescriptor),
}

/// A variable of a path template, bound to a field.
#[derive(Debug, Clone)]
pub struct Variable {
    /// The field path as written in the template, such as `booking.name`.
    pub path: Box<str>,
    /// The fields to walk, outermost first.
    pub fields: Vec<FieldDescriptor>,
    /// The segments that it takes.
    pub span: template::Span,
}

/// One way to reach an RPC over HTTP. An RPC has one for its rule and one for each of its `additional_bindings`.
#[derive(Debug)]
pub struct Binding {
    /// The RPC.
    pub method: MethodDescriptor,
    /// Its gRPC path, `/package.Service/Method`.
    pub grpc_path: PathAndQuery,
    /// The package of its service, which names the backend.
    pub package: Box<str>,
    /// The HTTP method.
    pub http_method: Method,
    /// The path template.
    pub template: Template,
    /// What the template's variables fill.
    pub variables: Vec<Variable>,
    /// What the body fills.
    pub body: BodyRule,
    /// The field of the reply that becomes the HTTP body (`response_body`), or none for all of it.
    pub response_body: Option<FieldDescriptor>,
    /// Which binding of its RPC it is; 0 is the rule itself.
    pub ordinal: usize,
}

/// All routes, ready for lookup.
#[derive(Debug, Default)]
pub struct Routes {
    trie: Trie<Arc<Binding>>,
    bindings: Vec<Arc<Binding>>,
}

impl Routes {
    /// Every binding, in the order of the descriptors.
    pub fn bindings(&self) -> &[Arc<Binding>] {
        &self.bindings
    }

    /// Finds what serves `method` on `path` (still percent-encoded).
    pub fn find<'a>(&'a self, method: &Method, path: &'a str) -> Lookup<'a, Arc<Binding>> {
        self.trie.find(method, path)
    }

    fn add(&mut self, binding: Binding) -> Result<(), trie::Taken> {
        let binding = Arc::new(binding);
        self.trie.insert(&binding.template, binding.http_method.clone(), Arc::clone(&binding))?;
        self.bindings.push(binding);
        Ok(())
    }
}
