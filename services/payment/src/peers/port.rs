//! What payment needs of a payment provider: one port, behind which each provider speaks its own protocol.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use jiff::civil::Date;
use kernel::{
    Error, Money, Result, Timestamp, Uuid,
    ids::{PaymentId, RefundId},
};

use super::bill::{Bill, BillReader, Sink};
use crate::domain::{Charge, Tender};

/// A payment provider. Every call may be repeated: the ids are the idempotency keys.
///
/// Errors of calls: `Unavailable` or `DeadlineExceeded` when the outcome is not known and the call is worth repeating;
/// any other kind is the provider's refusal.
#[async_trait]
pub trait Provider: fmt::Debug + Send + Sync + 'static {
    /// Its name in the path of notices and in records.
    fn name(&self) -> &'static str;

    /// What can be said against a charge before anything is stored of it or sent.
    ///
    /// # Errors
    /// `InvalidArgument` naming what of the payer must be known; `CURRENCY_NOT_OFFERED`.
    fn check(&self, _charge: &NewCharge) -> Result<()> {
        Ok(())
    }

    /// Makes a charge that the customer then pays, or finds the one made before.
    async fn create_charge(&self, charge: NewCharge) -> Result<Charge>;

    /// What became of a charge; `None` if the provider has none for this payment.
    async fn charge(&self, payment: PaymentId) -> Result<Option<ChargeReport>>;

    /// Makes a charge that nobody has paid impossible to pay. There need not be one.
    ///
    /// # Errors
    /// `ALREADY_PAID` if it is too late for that.
    async fn close_charge(&self, payment: PaymentId) -> Result<()>;

    /// Gives money back, or finds the refund made before.
    async fn refund(&self, refund: &NewRefund) -> Result<RefundState>;

    /// What became of a refund; `None` if the provider has never heard of it.
    async fn refund_state(&self, refund: &NewRefund) -> Result<Option<RefundState>>;

    /// Checks a notice's signature and age, and reads it.
    ///
    /// # Errors
    /// `Unauthenticated` with reason `BAD_SIGNATURE`, `STALE_NOTICE` or `SIGNATURE_PROBE`; `InvalidArgument` if what is
    /// signed can't be read; `Unavailable` if the keys to check it with can't be had now.
    async fn read_notice(&self, envelope: &Envelope<'_>) -> Result<Notice>;

    /// What reads a file that holds one of its bills; `None` if it gives none.
    fn bill_reader(&self) -> Option<Box<dyn BillReader>> {
        None
    }

    /// Whether it gives bills.
    fn has_bills(&self) -> bool {
        self.bill_reader().is_some()
    }

    /// Reads its bill of a day on its clock, line by line; `None` if nothing happened then.
    ///
    /// # Errors
    /// `NO_BILLS` if it gives none; `BILL_UNREADABLE`, `BILL_BROKEN` or `BILL_FOREIGN`; what `sink` answers;
    /// `Unavailable`. After an error nothing of what `sink` has taken in counts.
    async fn bill(&self, _day: Date, _sink: Sink<'_>) -> Result<Option<Bill>> {
        Err(Error::precondition("NO_BILLS", "this provider gives no bills"))
    }

    /// What it wants to hear when a notice was taken in; anything else makes it send the notice again.
    fn acknowledgement(&self) -> Acknowledgement;
}

/// The answer to a notice that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Its media type.
    pub content_type: &'static str,
    /// Its body.
    pub body: &'static [u8],
}

impl Acknowledgement {
    /// `{"code":"SUCCESS"}`
    pub const JSON: Self = Self { content_type: "application/json", body: br#"{"code":"SUCCESS"}"# };
    /// `success`
    pub const TEXT: Self = Self { content_type: "text/plain", body: b"success" };
}

/// The providers that this deployment has an account with.
#[derive(Debug, Clone)]
pub struct Providers(BTreeMap<&'static str, Arc<dyn Provider>>);

impl Providers {
    /// Those given. Of two with one name the later counts.
    pub fn new(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Self {
        Self(providers.into_iter().map(|provider| (provider.name(), provider)).collect())
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.values()
    }

    /// The one of that name.
    pub fn named(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(name)
    }

    /// The one that takes money in this way.
    ///
    /// # Errors
    /// `FailedPrecondition` with reason `TENDER_NOT_OFFERED` if there is none: nobody is to be charged in this way.
    pub fn of(&self, tender: Tender) -> Result<&Arc<dyn Provider>> {
        tender.provider().and_then(|name| self.named(name)).ok_or_else(|| {
            Error::precondition("TENDER_NOT_OFFERED", "one can't pay in this way here; choose another")
                .with("tender", tender.as_str())
        })
    }
}

/// A charge to be made.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// What it is for.
    pub payment: PaymentId,
    /// In which of the provider's ways it is paid.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// What the customer reads on the bill.
    pub description: String,
    /// For how many minutes the customer can pay it.
    pub minutes: u32,
    /// When the customer can't pay it any more: `minutes` after the payment was started, however late the call is.
    pub expire_time: Timestamp,
    /// What some ways of paying need to know of the payer.
    pub payer: Payer,
}

/// What some ways of paying need to know of the payer. It goes to the provider and is not kept.
#[derive(Clone, Default)]
pub struct Payer {
    /// The payer's id at the provider, such as the openid of WeChat; empty if it isn't known.
    pub id: String,
    /// The address of the payer's device; empty if it isn't known.
    pub ip: String,
    /// What the desk has scanned from the payer's phone; empty if nothing was.
    pub auth_code: String,
    /// Where the payer's browser goes afterwards; empty for nowhere.
    pub return_uri: String,
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payer([REDACTED])")
    }
}

/// A refund to be made.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Its id.
    pub id: RefundId,
    /// The payment that is given back.
    pub payment: PaymentId,
    /// What was captured of it.
    pub captured: Money,
    /// How much of it goes back.
    pub amount: Money,
    /// Why, in a word for programs.
    pub reason: String,
}

/// What a provider says of a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChargeReport {
    /// The payment that the charge was made for.
    pub payment: PaymentId,
    /// How the provider calls the payment: what we called it, or what somebody else did.
    pub reference: String,
    /// The provider's own id of the money's way, as its bills state it; empty if it says none.
    pub transaction: String,
    /// How much, as the provider says: whether it is right is for the flow to tell. `None` if it doesn't say.
    pub amount: Option<Amount>,
    /// Where the charge is in its life.
    pub state: ChargeState,
}

/// An amount as a provider states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// In minor units.
    pub minor: i64,
    /// The code of the currency.
    pub currency: String,
}

/// Where a charge is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChargeState {
    /// The customer can pay, or is paying; also a state that isn't known here, which is asked about again.
    Pending,
    /// The money is there, or was before it went back.
    Succeeded,
    /// It came to nothing, for good.
    Failed {
        /// Why, in a word for programs.
        reason: String,
    },
}

/// Where a refund is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundState {
    /// On its way.
    Pending,
    /// Back with the customer.
    Succeeded,
    /// It can't reach the customer in the way it came: a person must look at it, at the provider.
    Stuck {
        /// Why, in the provider's word.
        reason: String,
    },
}

/// What a provider says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReport {
    /// Which refund.
    pub refund: RefundId,
    /// The payment that it gives back.
    pub payment: PaymentId,
    /// How the provider calls the refund.
    pub reference: String,
    /// How much, in minor units, as the provider says.
    pub amount_minor: i64,
    /// Where it is in its life.
    pub state: RefundState,
}

/// A notice as it came, before anything of it is believed.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Its headers.
    pub headers: &'a Headers,
    /// The raw body.
    pub body: &'a [u8],
    /// The second, since 1970, at which it came.
    pub received: i64,
    /// How far the timestamp may be off, in seconds.
    pub tolerance: i64,
}

/// The headers of a notice, by their names in lower case.
#[derive(Debug, Clone, Default)]
pub struct Headers(BTreeMap<String, String>);

impl Headers {
    /// A header's value; empty if it came without.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect())
    }
}

/// A notice that is the provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The provider's id for it; the same notice may come again.
    pub id: String,
    /// What sort of notice, such as `charge.succeeded`.
    pub kind: String,
    /// The word that makes this sending of it unlike any other, if the protocol has one: it counts once.
    pub nonce: Option<String>,
    /// What it says.
    pub about: About,
}

/// What a notice is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A charge.
    Charge(ChargeReport),
    /// A refund.
    Refund(RefundReport),
    /// Something that payment does nothing about; it is acknowledged.
    Other,
}

/// How providers know a payment or refund: its id without dashes, as their numbers may have at most 32 characters.
pub fn number_of(id: impl Into<Uuid>) -> String {
    id.into().simple().to_string()
}

/// The payment that a provider calls `number`; one that does not exist if the number isn't ours.
pub fn payment_of(number: &str) -> PaymentId {
    let own = Uuid::try_parse(number).ok().filter(|id| number_of(*id) == number);
    own.map_or_else(|| PaymentId::derive(Uuid::nil(), number), PaymentId::from_uuid)
}

/// The refund that a provider calls `number`; one that does not exist if the number isn't ours.
pub fn refund_of(number: &str) -> RefundId {
    let own = Uuid::try_parse(number).ok().filter(|id| number_of(*id) == number);
    own.map_or_else(|| RefundId::derive(Uuid::nil(), number), RefundId::from_uuid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_back_and_a_foreign_one_is_nobodys() {
        let payment = PaymentId::from_uuid(Uuid::from_u128(7));
        assert_eq!(number_of(payment), "00000000000000000000000000000007");
        assert_eq!(payment_of(&number_of(payment)), payment);
        for foreign in ["", "order-7", "00000000-0000-0000-0000-000000000007", "0000000000000000000000000000000A"] {
            assert_ne!(payment_of(foreign), payment, "{foreign}");
            assert_eq!(payment_of(foreign), payment_of(foreign), "{foreign}");
        }
    }
}
