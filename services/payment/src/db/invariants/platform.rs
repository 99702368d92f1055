//! What every service promises.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "request.answered",
        rule: "a request that took effect has the answer that its repeats get",
        look: Look::Rows(
            "select format('%s of %s: %s', method, caller, request_id) from idempotency_key where reply is null",
        ),
    },
    Invariant {
        name: "audit.chain",
        rule: "no sealed entry of the audit trail was changed, removed or slipped in",
        look: Look::AuditChain,
    },
];
