//! Invoices on the wire.

use kernel::{Error, Result};
use proto::payment::v1 as pb;
use rpc::convert::{to_money, to_timestamp};

use crate::domain::invoice::{Buyer, Invoice, ReverseReason, State, TaxId, Taxation};

/// An invoice; with its buyer only if that is to be told.
pub fn invoice(invoice: &Invoice, buyer: Option<&Buyer>) -> pb::Invoice {
    let (red_number, reverse_time) = match &invoice.state {
        State::Reversed { issue, time, .. } => (issue.as_ref().map(|(_, number)| number.clone()), Some(*time)),
        _ => (None, None),
    };
    let reason = match &invoice.state {
        State::Requested | State::Issued { .. } => String::new(),
        State::Reversing { reason, .. } | State::Reversed { reason, .. } => reason.as_str().to_ascii_uppercase(),
        State::Refused { reason } => reason.clone(),
    };
    pb::Invoice {
        name: invoice.id.name(),
        order: invoice.order.name(),
        customer: invoice.customer.name(),
        store: invoice.store.name(),
        amount: Some(to_money(invoice.amount)),
        tax: Some(to_money(invoice.tax)),
        taxation: taxation(invoice.taxation).into(),
        state: state(&invoice.state).into(),
        buyer: buyer.map(|buyer| pb::InvoiceBuyer {
            title: buyer.title.clone(),
            tax_id: buyer.tax_id.as_ref().map(TaxId::expose).unwrap_or_default().to_owned(),
            email: buyer.email.clone().unwrap_or_default(),
        }),
        number: invoice.issue().map(|issue| issue.number.clone()).unwrap_or_default(),
        red_number: red_number.unwrap_or_default(),
        reason,
        create_time: Some(to_timestamp(invoice.create_time)),
        issue_time: invoice.issue().map(|issue| to_timestamp(issue.time)),
        reverse_time: reverse_time.map(to_timestamp),
        version: invoice.version,
    }
}

/// The event of a change.
pub fn changed(invoice: &Invoice) -> pb::InvoiceChanged {
    pb::InvoiceChanged {
        invoice: invoice.id.name(),
        order: invoice.order.name(),
        store: invoice.store.name(),
        amount: Some(to_money(invoice.amount)),
        tax: Some(to_money(invoice.tax)),
        state: state(&invoice.state).into(),
    }
}

/// A state.
pub fn state(state: &State) -> pb::invoice::State {
    match state {
        State::Requested => pb::invoice::State::Requested,
        State::Issued { .. } => pb::invoice::State::Issued,
        State::Reversing { .. } => pb::invoice::State::Reversing,
        State::Reversed { .. } => pb::invoice::State::Reversed,
        State::Refused { .. } => pb::invoice::State::Refused,
    }
}

fn taxation(taxation: Taxation) -> pb::invoice::Taxation {
    match taxation {
        Taxation::Taxed { .. } => pb::invoice::Taxation::Taxed,
        Taxation::NotTaxable => pb::invoice::Taxation::NotTaxable,
    }
}

/// Why an invoice shall be red-lettered.
///
/// # Errors
/// `InvalidArgument` if it isn't stated.
pub fn read_reason(reason: pb::reverse_invoice_request::Reason) -> Result<ReverseReason> {
    use pb::reverse_invoice_request::Reason;
    match reason {
        Reason::IssueError => Ok(ReverseReason::IssueError),
        Reason::SalesReturn => Ok(ReverseReason::SalesReturn),
        Reason::ServiceSuspended => Ok(ReverseReason::ServiceSuspended),
        Reason::SalesDiscount => Ok(ReverseReason::SalesDiscount),
        Reason::Unspecified => Err(Error::invalid("reason", "must be stated")),
    }
}
