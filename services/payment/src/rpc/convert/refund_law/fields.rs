//! The engine names its own fields; whoever called knows those of the message.

use kernel::{Error, ErrorKind, FieldViolation};
use proto::payment::v1::{self as pb, refund_law_contract as pbc};

/// An error of the engine with the fields of the message that it was called with.
pub fn at_wire(error: Error, contract: &pb::RefundLawContract) -> Error {
    if error.kind() != ErrorKind::InvalidArgument || error.violations().is_empty() {
        return error;
    }
    let renamed = error.violations().iter().map(|violation| FieldViolation {
        field: renamed(&violation.field, contract),
        description: violation.description.clone(),
    });
    Error::invalid_fields(renamed.collect())
}

/// Names that differ, by the end of a path.
const ENDS: [(&str, &str); 12] = [
    ("request.requested_on", "request.request_date"),
    ("request.ended_on", "request.end_date"),
    ("request.payout_on", "request.payout_date"),
    ("terms.interest_rate", "terms.interest_rate_ppm"),
    ("supervised.rate", "supervised.rate_ppm"),
    ("plan.term", "plan.start_date"),
    ("plan.stopped_on", "plan.stop_date"),
    ("].on", "].date"),
    ("].name", "].item"),
    ("].claim", "].decided"),
    ("contract.paid_on", "contract.pay_date"),
    ("contract.signed_on", "contract.sign_date"),
];

fn renamed(field: &str, contract: &pb::RefundLawContract) -> String {
    let known = ENDS.iter().find_map(|(ours, wire)| field.strip_suffix(ours).map(|start| format!("{start}{wire}")));
    let field = known.unwrap_or_else(|| field.to_owned());
    let plan = match contract.plan {
        Some(pbc::Plan::StoredValue(_)) => "contract.stored_value.",
        Some(pbc::Plan::Package(_)) => "contract.package.",
        Some(pbc::Plan::Pass(_)) => "contract.pass.",
        None => "contract.plan.",
    };
    let delivered = match contract.terms.as_ref().and_then(|terms| terms.delivered.as_ref()) {
        Some(pbc::terms::Delivered::AtDiscountPrice(_)) => "contract.terms.at_discount_price",
        Some(pbc::terms::Delivered::ShareOfListPpm(_)) => "contract.terms.share_of_list_ppm",
        Some(pbc::terms::Delivered::Amount(_)) => "contract.terms.amount",
        None => "contract.terms",
    };
    field.replacen("contract.plan.", plan, 1).replacen("contract.terms.delivered", delivered, 1)
}
