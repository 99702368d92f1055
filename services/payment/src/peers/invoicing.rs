//! What payment needs of a provider that issues invoices (fapiao). Both ways are asynchronous there: what is asked for is
//! only accepted, and what became of it is asked later.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use kernel::{Money, Result, ids::InvoiceId};

use crate::domain::invoice::{Buyer, Invoice, Issue, ReverseReason, Taxation};

/// A provider that issues invoices. Every call may be repeated: the invoice's id is the idempotency key.
///
/// Errors of calls: as for [`super::Provider`].
#[async_trait]
pub trait Invoicing: fmt::Debug + Send + Sync + 'static {
    /// Whose payments it knows by their transactions, such as `wechat`.
    fn provider(&self) -> &'static str;

    /// Has an invoice issued.
    async fn issue(&self, new: &NewFapiao<'_>) -> Result<()>;

    /// What became of an invoice; `None` if the provider has never heard of it.
    async fn fapiao(&self, key: &FapiaoKey) -> Result<Option<FapiaoState>>;

    /// Has an invoice red-lettered.
    async fn reverse(&self, key: &FapiaoKey, number: &str, reason: ReverseReason) -> Result<()>;

    /// The file of an invoice that was issued: a PDF.
    async fn file(&self, key: &FapiaoKey) -> Result<Bytes>;
}

/// How the provider knows an invoice.
#[derive(Debug, Clone)]
pub struct FapiaoKey {
    /// Its id.
    pub invoice: InvoiceId,
    /// The provider's own id of the payment that it is for, if it is one of that provider.
    pub transaction: Option<String>,
}

impl From<&Invoice> for FapiaoKey {
    fn from(invoice: &Invoice) -> Self {
        Self { invoice: invoice.id, transaction: invoice.transaction.clone() }
    }
}

/// An invoice to be issued.
#[derive(Debug, Clone)]
pub struct NewFapiao<'a> {
    /// How it shall be known.
    pub key: FapiaoKey,
    /// To whom it is made out.
    pub buyer: &'a Buyer,
    /// How much, tax included.
    pub amount: Money,
    /// How it is taxed.
    pub taxation: Taxation,
    /// The tax authority's code of what was sold (税收分类编码): 19 digits.
    pub tax_code: &'a str,
    /// What the invoice says was sold.
    pub goods: &'a str,
}

/// What a provider says of an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FapiaoState {
    /// It is being issued, or red-lettered; also a state that isn't known here, which is asked about again.
    Pending,
    /// It holds.
    Issued(Issue),
    /// It was red-lettered.
    Reversed {
        /// What was issued.
        issue: Issue,
        /// The number of the red-letter invoice.
        red_number: String,
    },
    /// It will never be issued.
    Failed {
        /// Why, in a word for programs.
        reason: String,
    },
}
