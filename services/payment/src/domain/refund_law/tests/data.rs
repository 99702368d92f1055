//! The notation of `golden/*.toml`: yuan as text, and defaults for whatever a case doesn't turn on.

use jiff::civil::Date;
use serde::Deserialize;

use super::*;

/// A file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// The provision that the case is about.
    pub(super) article: String,
    /// How the expected amounts were found by hand.
    pub(super) hand: String,
    paid: String,
    signed: Option<String>,
    paid_on: Option<String>,
    #[serde(default)]
    known: Option<String>,
    supervised: Option<RawSupervised>,
    #[serde(default)]
    gifts: Vec<RawGift>,
    #[serde(default)]
    terms: RawTerms,
    card: Option<RawCard>,
    package: Option<RawPackage>,
    pass: Option<RawPass>,
    cause: String,
    requested: Option<String>,
    ended: Option<String>,
    payout: Option<String>,
    #[serde(default)]
    costs: Vec<RawCost>,
    /// Expected: the whole.
    pub(super) refund: String,
    /// Expected; 0 if left out.
    pub(super) interest: Option<String>,
    /// Expected, if the case names it.
    pub(super) ground: Option<String>,
    /// Expected labels of all lines, if the case names them.
    pub(super) lines: Option<Vec<String>>,
    /// Expected labels of all notes, if the case names them.
    pub(super) notes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSupervised {
    balance: String,
    ppm: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGift {
    value: String,
    claim: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawTerms {
    cooling_off: Option<u16>,
    cooling_off_for_known: bool,
    at_discount: bool,
    share_of_list_ppm: Option<u32>,
    amount: Option<String>,
    rate_ppm: Option<u32>,
    interest_from: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCard {
    bonus: Option<String>,
    charges: Vec<RawCharge>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCharge {
    list: String,
    agreed: Option<String>,
    market: Option<String>,
    quantity: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    items: Vec<RawItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawItem {
    name: String,
    quantity: u32,
    list: String,
    discount: Option<String>,
    market: Option<String>,
    #[serde(default)]
    used: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPass {
    first: String,
    last: String,
    #[serde(default)]
    frozen: Vec<[String; 2]>,
    stopped: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCost {
    by: String,
    amount: String,
}

/// `"12.5"` yuan.
pub(super) fn yuan(text: &str) -> Money {
    let (whole, cents) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{cents:0<2}");
    assert!(cents.len() <= 2, "{text} has a third decimal");
    cny(digits.parse().expect("an amount"))
}

fn day(text: Option<&String>, otherwise: Date) -> Date {
    text.map_or(otherwise, |text| text.parse().expect("a day"))
}

impl Case {
    /// The input in the engine's own types.
    pub(super) fn input(&self) -> (Contract, Request) {
        let signed_on = day(self.signed.as_ref(), SIGNED);
        let requested_on = day(self.requested.as_ref(), REQUESTED);
        let ended_on = day(self.ended.as_ref(), requested_on);
        let contract = Contract {
            paid: yuan(&self.paid),
            signed_on,
            paid_on: day(self.paid_on.as_ref(), signed_on),
            known_service: match self.known.as_deref() {
                None => KnownService::New,
                Some("here") => KnownService::FromThisMerchant,
                Some("elsewhere") => KnownService::FromAnotherMerchant,
                Some(other) => panic!("{other}?"),
            },
            supervised: self.supervised.as_ref().map(|s| Supervised { balance: yuan(&s.balance), rate: Ppm(s.ppm) }),
            gifts: self.gifts.iter().map(gift).collect(),
            terms: terms(&self.terms),
            plan: self.plan(signed_on),
        };
        let request = Request {
            cause: Cause::ALL.into_iter().find(|cause| cause.key() == self.cause).expect("a cause"),
            requested_on,
            ended_on,
            payout_on: day(self.payout.as_ref(), ended_on),
            costs: self.costs.iter().map(cost).collect(),
        };
        (contract, request)
    }

    fn plan(&self, on: Date) -> Plan {
        match (&self.card, &self.package, &self.pass) {
            (Some(card), None, None) => Plan::StoredValue(StoredValue {
                bonus: yuan(card.bonus.as_deref().unwrap_or("0")),
                charges: card.charges.iter().map(|raw| charge(raw, on)).collect(),
            }),
            (None, Some(package), None) => Plan::Package(Package {
                items: package.items.iter().map(item).collect(),
                uses: package
                    .items
                    .iter()
                    .filter(|item| item.used > 0)
                    .map(|item| Use { on, item: item.name.clone(), quantity: item.used })
                    .collect(),
            }),
            (None, None, Some(pass)) => Plan::Pass(Pass {
                term: days(&pass.first, &pass.last),
                frozen: pass.frozen.iter().map(|[first, last]| days(first, last)).collect(),
                stopped_on: pass.stopped.as_ref().map(|text| text.parse().expect("a day")),
            }),
            _ => panic!("{}: must have one plan", self.name),
        }
    }
}

fn days(first: &str, last: &str) -> Days {
    Days { first: first.parse().expect("a day"), last: last.parse().expect("a day") }
}

fn charge(raw: &RawCharge, on: Date) -> Charge {
    Charge {
        on,
        item: "massage".into(),
        quantity: raw.quantity.unwrap_or(1),
        list_price: yuan(&raw.list),
        agreed_price: yuan(raw.agreed.as_ref().unwrap_or(&raw.list)),
        market_price: raw.market.as_deref().map(yuan),
    }
}

fn item(raw: &RawItem) -> Item {
    Item {
        name: raw.name.clone(),
        quantity: raw.quantity,
        list_price: yuan(&raw.list),
        discount_price: raw.discount.as_deref().map(yuan),
        market_price: raw.market.as_deref().map(yuan),
    }
}

fn gift(raw: &RawGift) -> Gift {
    let claim = match raw.claim.as_str() {
        "none" => GiftClaim::None,
        "open" => GiftClaim::Open,
        amount => GiftClaim::Decided(yuan(amount)),
    };
    Gift { name: "bathrobe".into(), value: yuan(&raw.value), claim }
}

fn cost(raw: &RawCost) -> Cost {
    let (borne_by, kind) = match raw.by.as_str() {
        "consumer" => (Party::Consumer, CostKind::Reasonable),
        "merchant" => (Party::Merchant, CostKind::Reasonable),
        "commission" => (Party::Merchant, CostKind::StaffCommission),
        other => panic!("{other}?"),
    };
    Cost { borne_by, kind, amount: yuan(&raw.amount) }
}

fn terms(raw: &RawTerms) -> Terms {
    let delivered = match (raw.at_discount, raw.share_of_list_ppm, raw.amount.as_deref()) {
        (false, None, None) => None,
        (true, None, None) => Some(DeliveredTerm::DiscountPrice),
        (false, Some(share), None) => Some(DeliveredTerm::ShareOfList(Ppm(share))),
        (false, None, Some(amount)) => Some(DeliveredTerm::Amount(yuan(amount))),
        _ => panic!("must be one term on what was delivered"),
    };
    Terms {
        cooling_off: raw
            .cooling_off
            .map(|days| AgreedCoolingOff { days, for_known_service: raw.cooling_off_for_known }),
        delivered,
        interest_rate: raw.rate_ppm.map(Ppm),
        interest_from: raw.interest_from.as_deref().map(|from| match from {
            "payment" => InterestFrom::Payment,
            "request" => InterestFrom::Request,
            day => InterestFrom::Day(day.parse().expect("a day")),
        }),
    }
}
