//! Anybody checks a refund against the law.

use kernel::Result;
use proto::payment::v1 as pb;

use crate::{
    domain::refund_law::{self, RuleBook},
    rpc::convert::refund_law as convert,
};

/// Reckons what the end of a prepaid contract gives back, from nothing but the request.
///
/// # Errors
/// `InvalidArgument` naming every wrong field, or reason `AMOUNT_OVERFLOW`; `LAW_UNKNOWN` or `INTEREST_RATE_UNKNOWN` if
/// the case is older than the rules or rates that are known.
pub fn quote_refund_by_law(request: &pb::QuoteRefundByLawRequest) -> Result<pb::RefundLawQuote> {
    // The validation rules have seen that both are there.
    let (wire, demand) = (request.contract.clone().unwrap_or_default(), request.request.clone().unwrap_or_default());
    let contract = convert::contract(&wire)?;
    let demand = convert::demand(&demand)?;
    let quote = refund_law::quote(RuleBook::shared()?, &contract, &demand);
    quote.map(|quote| convert::quote(&quote)).map_err(|error| convert::at_wire(error, &wire))
}
