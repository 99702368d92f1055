//! The lookup from a path to what is registered for it.
//!
//! Precedence at each segment: literal, then `*`, then `**`; a choice that leads nowhere is taken back. A verb is
//! looked for first; without a route for it, its text belongs to the last segment, as the grammar allows.

use std::{borrow::Cow, collections::HashMap};

use http::Method;
use percent_encoding::percent_decode_str;

use super::template::{Segment, Template};

/// A trie over path segments.
#[derive(Debug)]
pub struct Trie<T> {
    root: Node<T>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<Box<str>, Node<T>>,
    one: Option<Box<Node<T>>>,
    rest: Vec<Leaf<T>>,
    here: Vec<Leaf<T>>,
}

/// What ends at a node under one verb (or none).
#[derive(Debug)]
struct Leaf<T> {
    verb: Option<Box<str>>,
    methods: Vec<(Method, T)>,
}

/// Another template already has this place.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{method} {template} is bound twice")]
pub struct Taken {
    method: Method,
    template: String,
}

/// The outcome of a lookup.
#[derive(Debug)]
pub enum Lookup<'a, T> {
    /// The path and the method are known.
    Found {
        /// What was registered.
        value: &'a T,
        /// The path's segments without the verb, still percent-encoded.
        segments: Vec<&'a str>,
    },
    /// The path is known, under these methods only.
    OtherMethods(Vec<Method>),
    /// Nothing has this path.
    Unknown,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self { literals: HashMap::new(), one: None, rest: Vec::new(), here: Vec::new() }
    }
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Self { root: Node::default() }
    }
}

impl<T> Trie<T> {
    /// Registers `value` for `method` on all paths of `template`.
    pub fn insert(&mut self, template: &Template, method: Method, value: T) -> Result<(), Taken> {
        let mut node = &mut self.root;
        let mut open = false;
        for segment in &template.segments {
            match segment {
                Segment::Literal(text) => node = node.literals.entry(text.clone()).or_default(),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => open = true,
            }
        }
        let leaves = if open { &mut node.rest } else { &mut node.here };
        let at = leaves.iter().position(|leaf| leaf.verb == template.verb).unwrap_or_else(|| {
            leaves.push(Leaf { verb: template.verb.clone(), methods: Vec::new() });
            leaves.len() - 1
        });
        let methods = &mut leaves[at].methods;
        if methods.iter().any(|(known, _)| *known == method) {
            return Err(Taken { method, template: template.to_string() });
        }
        methods.push((method, value));
        Ok(())
    }

    /// Finds what is registered for `method` on `path`.
    pub fn find<'a>(&'a self, method: &Method, path: &'a str) -> Lookup<'a, T> {
        let Some(path) = path.strip_prefix('/') else { return Lookup::Unknown };
        let last = path.rfind('/').map_or(0, |slash| slash + 1);
        if let Some(colon) = path[last..].rfind(':').map(|at| last + at)
            && let Some(found) = self.root.look(&path[..colon], Some(&path[colon + 1..]), method)
        {
            return found;
        }
        match self.root.look(path, None, method) {
            // `POST /v1/bookings/1:unknown` would else be told to GET a booking whose id has a colon.
            Some(Lookup::OtherMethods(_)) if path[last..].contains(':') => Lookup::Unknown,
            Some(found) => found,
            None => Lookup::Unknown,
        }
    }
}

impl<T> Node<T> {
    fn look<'a>(&'a self, path: &'a str, verb: Option<&str>, method: &Method) -> Option<Lookup<'a, T>> {
        let segments: Vec<&'a str> = path.split('/').collect();
        let leaf = self.walk(&segments, verb)?;
        Some(match leaf.methods.iter().find(|(known, _)| known == method) {
            Some((_, value)) => Lookup::Found { value, segments },
            None => Lookup::OtherMethods(leaf.methods.iter().map(|(known, _)| known.clone()).collect()),
        })
    }

    fn walk(&self, segments: &[&str], verb: Option<&str>) -> Option<&Leaf<T>> {
        let leaf_in = |leaves: &'_ [Leaf<T>]| leaves.iter().position(|leaf| leaf.verb.as_deref() == verb);
        let Some((first, others)) = segments.split_first() else {
            return leaf_in(&self.here).map(|at| &self.here[at]);
        };
        if let Some(next) = self.literals.get(&*decoded(first))
            && let Some(found) = next.walk(others, verb)
        {
            return Some(found);
        }
        if first.is_empty() {
            return None;
        }
        if let Some(found) = self.one.as_ref().and_then(|next| next.walk(others, verb)) {
            return Some(found);
        }
        leaf_in(&self.rest).map(|at| &self.rest[at])
    }
}

/// The text of a segment. What isn't UTF-8 equals no literal; it is refused where a variable takes it.
fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8().unwrap_or(Cow::Borrowed(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(routes: &[(&str, &str)]) -> Trie<String> {
        let mut trie = Trie::default();
        for (method, template) in routes {
            let parsed = Template::parse(template).expect("valid template");
            let method: Method = method.parse().expect("valid method");
            trie.insert(&parsed, method, (*template).to_owned()).expect("free");
        }
        trie
    }

    fn find<'a>(trie: &'a Trie<String>, method: &str, path: &str) -> Result<&'a str, Vec<String>> {
        match trie.find(&method.parse().expect("valid method"), path) {
            Lookup::Found { value, .. } => Ok(trie_value(trie, value)),
            Lookup::OtherMethods(methods) => Err(methods.iter().map(ToString::to_string).collect()),
            Lookup::Unknown => Err(Vec::new()),
        }
    }

    /// Ends the borrow of the path, which the lookup's segments keep.
    fn trie_value<'a>(trie: &'a Trie<String>, value: &str) -> &'a str {
        fn search<'a>(node: &'a Node<String>, value: &str) -> Option<&'a str> {
            let leaves = node.here.iter().chain(&node.rest);
            let here = leaves.flat_map(|leaf| &leaf.methods).find(|(_, known)| known == value);
            here.map(|(_, known)| known.as_str())
                .or_else(|| node.literals.values().find_map(|next| search(next, value)))
                .or_else(|| node.one.as_ref().and_then(|next| search(next, value)))
        }
        search(&trie.root, value).expect("it was found before")
    }

    #[test]
    fn literal_goes_before_star_before_double_star() {
        let trie = trie(&[
            ("GET", "/v1/{name=bookings/*}"),
            ("GET", "/v1/bookings/today"),
            ("GET", "/v1/{path=**}"),
            ("GET", "/v1/{name=bookings/*/notes/*}"),
        ]);
        assert_eq!(find(&trie, "GET", "/v1/bookings/today"), Ok("/v1/bookings/today"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/today/notes/2"), Ok("/v1/{name=bookings/*/notes/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/today/else"), Ok("/v1/{path=**}"));
        assert_eq!(find(&trie, "GET", "/v1/anything"), Ok("/v1/{path=**}"));
    }

    #[test]
    fn verbs_and_names_with_a_colon() {
        let trie = trie(&[
            ("GET", "/v1/{name=bookings/*}"),
            ("POST", "/v1/{name=bookings/*}:cancel"),
            ("POST", "/v1/bookings:hold"),
            ("POST", "/v1/payments:notify/{provider}"),
        ]);
        assert_eq!(find(&trie, "POST", "/v1/bookings/1:cancel"), Ok("/v1/{name=bookings/*}:cancel"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1:cancel"), Err(vec!["POST".to_owned()]));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1:2"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "POST", "/v1/bookings/1:frobnicate"), Err(vec![]));
        assert_eq!(find(&trie, "POST", "/v1/bookings:hold"), Ok("/v1/bookings:hold"));
        assert_eq!(find(&trie, "POST", "/v1/payments:notify/sandbox"), Ok("/v1/payments:notify/{provider}"));
    }

    #[test]
    fn a_name_and_its_verb_under_one_method() {
        let trie = trie(&[
            ("GET", "/v1/{name=bookings/*}"),
            ("GET", "/v1/{name=bookings/*}:calendar"),
            ("GET", "/v1/bookings/today"),
        ]);
        assert_eq!(find(&trie, "GET", "/v1/bookings/1"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1:calendar"), Ok("/v1/{name=bookings/*}:calendar"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/today:calendar"), Ok("/v1/{name=bookings/*}:calendar"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1:2:calendar"), Ok("/v1/{name=bookings/*}:calendar"));
        // An ending is a part of the id, and an encoded colon is never the one before a verb.
        assert_eq!(find(&trie, "GET", "/v1/bookings/1.ics"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/1%3Acalendar"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings:calendar"), Err(vec![]));
    }

    #[test]
    fn unknown_path_and_other_method_differ() {
        let trie = trie(&[("GET", "/v1/bookings"), ("POST", "/v1/bookings")]);
        assert_eq!(find(&trie, "DELETE", "/v1/bookings"), Err(vec!["GET".to_owned(), "POST".to_owned()]));
        for path in ["/v1/booking", "/v1", "/", "", "/v1/bookings/", "/v1/bookings/1"] {
            assert_eq!(find(&trie, "GET", path), Err(vec![]), "{path}");
        }
    }

    #[test]
    fn two_parameter_names_at_one_place_live_together() {
        let trie = trie(&[("GET", "/v1/{parent=stores/*}/rooms"), ("GET", "/v1/{name=stores/*}")]);
        assert_eq!(find(&trie, "GET", "/v1/stores/1/rooms"), Ok("/v1/{parent=stores/*}/rooms"));
        assert_eq!(find(&trie, "GET", "/v1/stores/1"), Ok("/v1/{name=stores/*}"));
    }

    #[test]
    fn an_encoded_literal_is_the_literal_and_a_star_is_never_empty() {
        let trie = trie(&[("GET", "/v1/{name=bookings/*}")]);
        assert_eq!(find(&trie, "GET", "/v1/book%69ngs/1"), Ok("/v1/{name=bookings/*}"));
        assert_eq!(find(&trie, "GET", "/v1/bookings/"), Err(vec![]));
        assert_eq!(find(&trie, "GET", "/v1/bookings/%FF"), Ok("/v1/{name=bookings/*}"));
    }

    #[test]
    fn a_place_can_be_taken_once() {
        let mut trie = trie(&[("GET", "/v1/{name=bookings/*}")]);
        let twin = Template::parse("/v1/bookings/{id}").expect("valid");
        assert!(trie.insert(&twin, Method::GET, String::new()).is_err());
        assert!(trie.insert(&twin, Method::PUT, String::new()).is_ok());
    }
}
