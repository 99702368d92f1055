//! The access rules by method, generated from the proto options of each RPC.

use kernel::{Error, ErrorKind, Result};
use prost::Message;
use prost_types::FileDescriptorSet;
use proto::access::{ALL, Rule};

use crate::{Caller, caller::CallerKind};

/// The packages whose RPCs need a rule.
const OUR_PACKAGES: &str = "meridian.";

/// Served without token, rule, span or metric: probes and tooling.
const INFRASTRUCTURE: [&str; 2] = ["/grpc.health.v1.", "/grpc.reflection."];

/// An RPC of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Method {
    /// `/package.Service/Method`
    pub(crate) path: &'static str,
    pub(crate) rule: &'static Rule,
}

impl Method {
    /// `(package.Service, Method)`
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        self.path.trim_start_matches('/').split_once('/').unwrap_or((self.path, ""))
    }
}

/// What a request's path leads to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Ours(Method),
    Infrastructure,
    Unknown,
}

pub(crate) fn target(path: &str) -> Target {
    if let Some(method) = method(path) {
        Target::Ours(method)
    } else if INFRASTRUCTURE.iter().any(|prefix| path.starts_with(prefix)) {
        Target::Infrastructure
    } else {
        Target::Unknown
    }
}

/// `ALL` is ordered by path. Unlike `proto::access::rule` this gives the path back as a static one.
fn method(path: &str) -> Option<Method> {
    let index = ALL.binary_search_by_key(&path, |(known, _)| known).ok()?;
    ALL.get(index).map(|(path, rule)| Method { path, rule })
}

/// Whether the rule lets the caller in: `Unauthenticated`/`TOKEN_MISSING` for nobody, `PermissionDenied`/
/// `ROLE_NOT_ALLOWED` with the needed roles for somebody else. Whose data it is, is checked by [`Caller::see_own`].
pub fn admit(rule: &Rule, caller: &Caller) -> Result<()> {
    if rule.admits(caller.roles()) {
        return Ok(());
    }
    if *caller.kind() == CallerKind::Anonymous {
        return Err(Error::unauthenticated("TOKEN_MISSING", "this needs a signed-in caller: send an access token"));
    }
    let needed: Vec<&str> = rule.roles.iter().map(|role| role.as_str()).collect();
    Err(Error::new(ErrorKind::PermissionDenied, "ROLE_NOT_ALLOWED", "none of your roles may do this")
        .with("needed_roles", needed.join(",")))
}

/// Fails, naming them, when RPCs of ours in an encoded `FileDescriptorSet` have no access rule, or rules have no RPC.
/// A server calls it before it binds its port.
pub fn check_rules(descriptor_set: &[u8]) -> Result<()> {
    let set = FileDescriptorSet::decode(descriptor_set).map_err(Error::internal)?;
    let mut lacking = Vec::new();
    let mut served = Vec::new();
    for file in &set.file {
        let package = file.package();
        if !package.starts_with(OUR_PACKAGES) {
            continue;
        }
        for service in &file.service {
            for rpc in &service.method {
                let path = format!("/{package}.{}/{}", service.name(), rpc.name());
                if method(&path).is_none() {
                    lacking.push(path.clone());
                }
                served.push(path);
            }
        }
    }
    let stale: Vec<&str> =
        ALL.iter().map(|(path, _)| *path).filter(|path| !served.iter().any(|served| served == path)).collect();
    if lacking.is_empty() && stale.is_empty() {
        return Ok(());
    }
    Err(Error::internal(format!("RPCs without an access rule: {lacking:?}; access rules without an RPC: {stale:?}")))
}
