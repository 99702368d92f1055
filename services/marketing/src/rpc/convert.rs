//! Wire types ↔ domain types.

use kernel::{
    Error, Money, Result, Timestamp,
    ids::{BookingId, CouponId, ItemId, MemberId, QuoteId, StoreId, TherapistId, parse_uuid},
};
use pg::idempotency::Key;
use proto::{booking::v1 as booking, marketing::v1 as pb, membership::v1 as membership};
use rpc::{
    Caller, Ctx,
    convert::{money, timestamp, to_money, to_timestamp},
    paging::PageRequest,
};

use crate::{
    db::mailbox::Letter,
    domain::{
        cash_coupon::{CashCoupon, Fate, Redemption},
        coupon::Coupon,
        message::{Kind, Message, State},
        phone::Phone,
        quote::{Adjustment, Priced, Quote, Standing, Wanted},
        template::Language,
        tier::Tier,
        visit::{self, Visit},
    },
    flows::{Page, send_message::SendMessage},
};

/// The longest value of a template's variable, in characters.
const VALUE_LENGTH: usize = 200;

/// What identifies the request of a call.
pub fn key<'a>(ctx: &'a Ctx, request_id: &str) -> Result<Key<'a>> {
    Ok(Key { caller: ctx.caller.subject(), method: ctx.method, request_id: parse_uuid("request_id", request_id)? })
}

/// Which page a list is read for.
pub fn page(page: &PageRequest) -> Result<Page> {
    Ok(Page { after: page.after_time()?, limit: page.limit() })
}

/// Whom a request is about: the customer that it names, or the member who calls.
pub fn customer(caller: &Caller, name: &str) -> Result<MemberId> {
    match caller.member() {
        Some(member) if name.is_empty() => Ok(member),
        _ => MemberId::parse_name("customer", name),
    }
}

/// What a preview shall be of.
pub fn read_preview(caller: &Caller, request: &pb::PreviewQuoteRequest) -> Result<Wanted> {
    Ok(Wanted {
        customer: customer(caller, &request.customer)?,
        item: ItemId::parse_name("item", &request.item)?,
        store: StoreId::parse_name("store", &request.store)?,
        list_price: list_price(request.list_price.as_ref())?,
    })
}

/// What a quote shall be of.
pub fn read_wanted(request: &pb::CreateQuoteRequest) -> Result<Wanted> {
    Ok(Wanted {
        customer: MemberId::parse_name("customer", &request.customer)?,
        item: ItemId::parse_name("item", &request.item)?,
        store: StoreId::parse_name("store", &request.store)?,
        list_price: list_price(request.list_price.as_ref())?,
    })
}

fn list_price(value: Option<&proto::google::r#type::Money>) -> Result<Money> {
    let price = money("list_price", value)?;
    if price.is_negative() {
        return Err(Error::invalid("list_price", "must not be below zero"));
    }
    Ok(price)
}

/// A quote for the wire.
pub fn to_quote(quote: &Quote) -> pb::Quote {
    pb::Quote { name: quote.id.name(), ..to_preview(&quote.wanted, &quote.priced, quote.create_time) }
}

/// A price that was not kept, for the wire.
pub fn to_preview(wanted: &Wanted, priced: &Priced, create_time: Timestamp) -> pb::Quote {
    pb::Quote {
        name: String::new(),
        customer: wanted.customer.name(),
        item: wanted.item.name(),
        store: wanted.store.name(),
        list_price: Some(to_money(wanted.list_price)),
        price: Some(to_money(priced.price)),
        adjustments: priced.adjustments.iter().map(to_adjustment).collect(),
        create_time: Some(to_timestamp(create_time)),
    }
}

fn to_adjustment(adjustment: &Adjustment) -> pb::Adjustment {
    pb::Adjustment {
        code: adjustment.code.clone(),
        applied: adjustment.applied,
        amount: Some(to_money(adjustment.amount)),
        explanation: adjustment.explanation.clone(),
        coupon: adjustment.coupon.map(CouponId::name).unwrap_or_default(),
    }
}

/// A cash coupon for the wire. One that nobody can use any more reads as expired.
pub fn to_cash_coupon(coupon: &CashCoupon, now: Timestamp) -> pb::CashCoupon {
    use crate::domain::cash_coupon::State;
    let state = match coupon.state {
        State::Available if coupon.expire_time <= now => pb::cash_coupon::State::Expired,
        State::Available => pb::cash_coupon::State::Available,
        State::Reserved(_) => pb::cash_coupon::State::Reserved,
        State::Redeemed(_) => pb::cash_coupon::State::Redeemed,
    };
    pb::CashCoupon {
        name: coupon.id.name(),
        customer: coupon.customer.name(),
        amount: Some(to_money(coupon.amount)),
        min_spend: Some(to_money(coupon.min_spend)),
        reason: coupon.reason.clone(),
        state: state.into(),
        create_time: Some(to_timestamp(coupon.create_time)),
        expire_time: Some(to_timestamp(coupon.expire_time)),
    }
}

/// What a cash coupon pays, for the wire.
pub fn to_redemption(of: &Redemption) -> pb::CouponRedemption {
    use pb::coupon_redemption::State as Wire;
    let state = match of.state {
        Fate::Reserved => Wire::Reserved,
        Fate::Committed => Wire::Committed,
        Fate::Voided => Wire::Voided,
        Fate::Expired => Wire::Expired,
        Fate::Returned => Wire::Returned,
    };
    pb::CouponRedemption {
        name: of.id.name(),
        coupon: of.coupon.name(),
        order: of.order.name(),
        amount: Some(to_money(of.amount)),
        state: state.into(),
        expire_time: Some(to_timestamp(of.expire_time)),
    }
}

/// A coupon for the wire. One that nobody can use any more reads as expired.
pub fn to_coupon(coupon: &Coupon, standing: Standing) -> pb::Coupon {
    let state = match standing {
        Standing::Usable(_) => pb::coupon::State::Available,
        Standing::Kept(_) => pb::coupon::State::Reserved,
        Standing::Used(_) => pb::coupon::State::Redeemed,
        Standing::Expired(_) | Standing::NotFirstVisit => pb::coupon::State::Expired,
    };
    pb::Coupon {
        name: coupon.id.name(),
        customer: coupon.customer.name(),
        code: coupon.code.clone(),
        basis_points: i32::try_from(coupon.basis_points).unwrap_or(i32::MAX),
        state: state.into(),
        quote: coupon.quote().map(QuoteId::name).unwrap_or_default(),
        expire_time: Some(to_timestamp(coupon.expire_time)),
    }
}

/// What shall be sent.
pub fn read_send_message(request: &pb::SendMessageRequest) -> Result<SendMessage> {
    for (name, value) in &request.variables {
        if value.chars().count() > VALUE_LENGTH || value.chars().any(char::is_control) {
            let text = format!("must be one line of at most {VALUE_LENGTH} characters");
            return Err(Error::invalid(format!("variables[{name:?}]"), text));
        }
    }
    Ok(SendMessage {
        phone: Phone::parse("phone", &request.phone)?,
        kind: read_kind(request.kind())?,
        language: Language::lookup("language_code", &request.language_code, Language::ZhCn)?,
        values: request.variables.clone(),
    })
}

fn read_kind(kind: pb::message::Kind) -> Result<Kind> {
    match kind {
        pb::message::Kind::VerificationCode => Ok(Kind::VerificationCode),
        pb::message::Kind::BookingConfirmed => Ok(Kind::BookingConfirmed),
        pb::message::Kind::BookingReminder => Ok(Kind::BookingReminder),
        pb::message::Kind::BookingCancelled => Ok(Kind::BookingCancelled),
        pb::message::Kind::BookingRescheduled => Ok(Kind::BookingRescheduled),
        pb::message::Kind::BookingMoved => Ok(Kind::BookingMoved),
        pb::message::Kind::WaitlistOffer => Ok(Kind::WaitlistOffer),
        pb::message::Kind::Unspecified => Err(Error::invalid("kind", "must be stated")),
    }
}

/// What a message is about, for the wire.
pub fn to_kind(kind: Kind) -> pb::message::Kind {
    match kind {
        Kind::VerificationCode => pb::message::Kind::VerificationCode,
        Kind::BookingConfirmed => pb::message::Kind::BookingConfirmed,
        Kind::BookingReminder => pb::message::Kind::BookingReminder,
        Kind::BookingCancelled => pb::message::Kind::BookingCancelled,
        Kind::BookingRescheduled => pb::message::Kind::BookingRescheduled,
        Kind::BookingMoved => pb::message::Kind::BookingMoved,
        Kind::WaitlistOffer => pb::message::Kind::WaitlistOffer,
    }
}

/// A message for the wire, with its text.
pub fn to_message(message: &Message, body: String) -> pb::Message {
    let state = match message.state {
        State::Scheduled => pb::message::State::Scheduled,
        State::Sent => pb::message::State::Sent,
        State::Cancelled => pb::message::State::Cancelled,
        State::Failed => pb::message::State::Failed,
    };
    pb::Message {
        name: message.id.name(),
        customer: message.customer.map(MemberId::name).unwrap_or_default(),
        kind: to_kind(message.kind).into(),
        body,
        state: state.into(),
        send_time: Some(to_timestamp(message.send_time)),
        booking: message.about.map(|about| about.booking.name()).unwrap_or_default(),
    }
}

/// What is in a mailbox, for the wire, with its text.
pub fn to_letter(letter: &Letter, body: String) -> pb::Message {
    pb::Message {
        name: letter.message.name(),
        customer: String::new(),
        kind: to_kind(letter.kind).into(),
        body,
        state: pb::message::State::Sent.into(),
        send_time: Some(to_timestamp(letter.receive_time)),
        booking: String::new(),
    }
}

/// A tier as membership tells it.
pub fn read_tier(tier: membership::Tier) -> Tier {
    match tier {
        membership::Tier::Unspecified | membership::Tier::Member => Tier::Member,
        membership::Tier::Silver => Tier::Silver,
        membership::Tier::Gold => Tier::Gold,
        membership::Tier::Platinum => Tier::Platinum,
    }
}

/// A visit as booking tells it.
pub fn read_visit(facts: &booking::BookingFacts) -> Result<Visit> {
    use booking::booking::State as Wire;
    let quote = Some(facts.quote.as_str()).filter(|name| !name.is_empty());
    Ok(Visit {
        booking: BookingId::parse_name("booking", &facts.booking)?,
        customer: MemberId::parse_name("customer", &facts.customer)?,
        store: StoreId::parse_name("store", &facts.store)?,
        therapist: TherapistId::parse_name("therapist", &facts.therapist)?,
        quote: quote.map(|name| QuoteId::parse_name("quote", name)).transpose()?,
        state: match facts.state() {
            Wire::Held => visit::State::Held,
            Wire::AwaitingPayment => visit::State::AwaitingPayment,
            Wire::Confirmed => visit::State::Confirmed,
            Wire::CheckedIn => visit::State::CheckedIn,
            Wire::InService => visit::State::InService,
            Wire::Completed => visit::State::Completed,
            Wire::Cancelled => visit::State::Cancelled,
            Wire::NoShow => visit::State::NoShow,
            Wire::Expired => visit::State::Expired,
            Wire::Unspecified => return Err(Error::invalid("state", "must be stated")),
        },
        start_time: timestamp("start_time", facts.start_time.as_ref())?,
        time_zone: facts.time_zone.clone(),
        store_name: facts.store_display_name.clone(),
        item_name: facts.item_display_name.clone(),
        therapist_name: facts.therapist_display_name.clone(),
    })
}
