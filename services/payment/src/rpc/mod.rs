//! The service on the wire: decode, flow, encode.

mod checkout;
mod commission;
pub mod convert;
mod drawer;
mod invoice;
mod ledger;
mod payment;
mod payout;
mod prepaid;
mod reconciliation;
mod records;
mod risk;
mod stored_value;
mod tip;

use std::sync::Arc;

use feed::FeedServer;
use proto::{
    feed::v1::event_feed_service_server::EventFeedServiceServer,
    payment::v1::{
        checkout_service_server::CheckoutServiceServer, commission_service_server::CommissionServiceServer,
        drawer_service_server::DrawerServiceServer, invoice_service_server::InvoiceServiceServer,
        ledger_service_server::LedgerServiceServer, payment_service_server::PaymentServiceServer,
        payout_service_server::PayoutServiceServer, prepaid_service_server::PrepaidServiceServer,
        reconciliation_service_server::ReconciliationServiceServer, records_service_server::RecordsServiceServer,
        risk_service_server::RiskServiceServer, stored_value_service_server::StoredValueServiceServer,
        tip_service_server::TipServiceServer,
    },
};
use tonic::service::Routes;

use crate::App;

/// Everything that the payment service serves.
pub fn routes(app: &Arc<App>, feed: FeedServer) -> Routes {
    Routes::new(PaymentServiceServer::new(payment::Payments(Arc::clone(app))))
        .add_service(CheckoutServiceServer::new(checkout::Checkouts(Arc::clone(app))))
        .add_service(DrawerServiceServer::new(drawer::Drawers(Arc::clone(app))))
        .add_service(LedgerServiceServer::new(ledger::Ledger(Arc::clone(app))))
        .add_service(PayoutServiceServer::new(payout::Payouts(Arc::clone(app))))
        .add_service(PrepaidServiceServer::new(prepaid::Prepaid(Arc::clone(app))))
        .add_service(InvoiceServiceServer::new(invoice::Invoices(Arc::clone(app))))
        .add_service(StoredValueServiceServer::new(stored_value::StoredValue(Arc::clone(app))))
        .add_service(RecordsServiceServer::new(records::Records(Arc::clone(app))))
        .add_service(ReconciliationServiceServer::new(reconciliation::Reconciliation(Arc::clone(app))))
        .add_service(CommissionServiceServer::new(commission::Commission(Arc::clone(app))))
        .add_service(RiskServiceServer::new(risk::Risk(Arc::clone(app))))
        .add_service(TipServiceServer::new(tip::Tips(Arc::clone(app))))
        .add_service(EventFeedServiceServer::new(feed))
}
