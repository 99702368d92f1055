//! What the parties agreed and what the merchant has delivered.
//!
//! Days are those of the store's time zone. All amounts are of the currency of [`Contract::paid`]. A price of the
//! contract is the price *at the time of the contract*: a merchant can't raise it alone (Art. 12).

use jiff::civil::Date;
use kernel::Money;

use super::rate::Ppm;

/// A prepaid contract. A later top-up of the same card is a contract of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// What the consumer really paid, above zero.
    pub paid: Money,
    /// When the contract was made.
    pub signed_on: Date,
    /// When it was paid; the seven days of Art. 14 run from here.
    pub paid_on: Date,
    /// Whether the consumer knew the service when he made the contract.
    pub known_service: KnownService,
    /// What lies in an account under the authorities' supervision.
    pub supervised: Option<Supervised>,
    /// Goods and services that were given on top (Art. 21). Bonus money and bonus sessions are part of the plan.
    pub gifts: Vec<Gift>,
    /// What the parties agreed on refunds. Leave out terms that are void (Art. 9), such as "no refund" or a fee.
    pub terms: Terms,
    /// What was bought and what was had of it.
    pub plan: Plan,
}

/// Whether the consumer had had the same goods or services before the contract (Art. 14 ¶1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KnownService {
    /// No.
    New,
    /// Yes, from this merchant.
    FromThisMerchant,
    /// Yes, from another merchant.
    FromAnotherMerchant,
}

/// Prepayments that the merchant had to move to a supervised account (Art. 16 ¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supervised {
    /// What of this prepayment lies there when the contract ends; 0 to the amount paid.
    pub balance: Money,
    /// The rate that it really bears.
    pub rate: Ppm,
}

/// Goods or a service given on top of what was bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gift {
    /// What it is.
    pub name: String,
    /// What it is worth, 0 or more.
    pub value: Money,
    /// What the merchant wants for it.
    pub claim: GiftClaim,
}

/// What becomes of a gift (Art. 21 leaves it to be weighed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiftClaim {
    /// The merchant asks for nothing.
    None,
    /// The merchant asks for compensation, and nobody has decided yet: the engine proposes.
    Open,
    /// Somebody weighed it and decided on this amount, 0 to its value.
    Decided(Money),
}

/// Terms on refunds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// A return without a reason that goes beyond the law's.
    pub cooling_off: Option<AgreedCoolingOff>,
    /// How what was delivered is to be priced.
    pub delivered: Option<DeliveredTerm>,
    /// The annual rate of interest on refunds; 0 to 100 %.
    pub interest_rate: Option<Ppm>,
    /// When interest starts.
    pub interest_from: Option<InterestFrom>,
}

/// An agreed return without a reason (Art. 14 ¶2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreedCoolingOff {
    /// Days after payment.
    pub days: u16,
    /// Whether it is open, too, to a consumer who already knew the service.
    pub for_known_service: bool,
}

/// An agreed price of what was delivered (Art. 18 ¶2, 19 ¶3). It counts only where it is better for the consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveredTerm {
    /// At the discount price, whoever is the cause. Not for passes.
    DiscountPrice,
    /// At this share of the list price, up to 100 %. Not for passes.
    ShareOfList(Ppm),
    /// At this amount, which the contract's own clause comes to in this case; 0 to the amount paid.
    Amount(Money),
}

/// An agreed start of interest (Art. 17 ¶2). It counts only where it is earlier than the law's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterestFrom {
    /// The day of payment.
    Payment,
    /// The day on which the refund was asked for.
    Request,
    /// A day, not before the payment.
    Day(Date),
}

/// What was bought, and what was had of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Money on a card.
    StoredValue(StoredValue),
    /// A number of sessions, of one item or of several.
    Package(Package),
    /// Unlimited service for a time.
    Pass(Pass),
}

/// Money on a card, perhaps with bonus money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredValue {
    /// Money given on top, 0 or more.
    pub bonus: Money,
    /// What the card was charged with, before bonus money is thought of.
    pub charges: Vec<Charge>,
}

/// A use of stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// When.
    pub on: Date,
    /// What was had.
    pub item: String,
    /// How many, above zero.
    pub quantity: u32,
    /// The price of one before any discount, 0 or more.
    pub list_price: Money,
    /// The price of one that the card was charged with, up to the list price.
    pub agreed_price: Money,
    /// The market price of one, where the list price was found plainly unreasonable and the merchant could not prove it
    /// (Art. 19 ¶2). From the agreed price to the list price.
    pub market_price: Option<Money>,
}

/// Sessions of one item or of several, at one price for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What was bought, sessions given on top included: they make all of them cheaper.
    pub items: Vec<Item>,
    /// What was had.
    pub uses: Vec<Use>,
}

/// An item of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, once in a package.
    pub name: String,
    /// How many sessions, above zero.
    pub quantity: u32,
    /// The price of one before the discount, 0 or more. All together come to the amount paid or more.
    pub list_price: Money,
    /// The price of one in this package, if the contract states one: for all items or for none, and together they come
    /// to the amount paid. Else that amount is spread by list price.
    pub discount_price: Option<Money>,
    /// See [`Charge::market_price`]. From the discount price to the list price.
    pub market_price: Option<Money>,
}

/// A use of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// When.
    pub on: Date,
    /// The name of the item.
    pub item: String,
    /// How many sessions, above zero.
    pub quantity: u32,
}

/// Unlimited service for a time (Art. 22).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// All of the agreed time, days given on top or made up for a freeze included.
    pub term: Days,
    /// Days within the term on which it rested by agreement, in order and apart. They count neither as had nor as due.
    pub frozen: Vec<Days>,
    /// The first day on which the merchant no longer served, if that was before the contract's end (Art. 22 ¶2).
    pub stopped_on: Option<Date>,
}

/// Days from the first to the last, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub first: Date,
    /// The last, not before the first.
    pub last: Date,
}
