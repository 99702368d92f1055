//! Who takes part in one life: a store, two customers, and those who work for them.

use kernel::{
    Timestamp, Uuid,
    ids::{BookingId, CardId, CheckoutId, ContractId, ContractUseId, MemberId, OrderId, StaffId, StoreId},
};
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        payment::{Purpose, Tender},
        refund_order_request::What as Wanted,
    },
};

use super::{
    call::Call,
    model::{Ask, How, What},
    seen::Seen,
    world::uuid,
};
use crate::{dice::Dice, prepaid::shop::item, wire::cny};

/// A request, and the token it is sent with.
#[derive(Debug, Clone)]
pub struct Letter {
    pub call: Call,
    pub token: String,
}

/// Those who take part.
#[derive(Debug)]
pub struct Cast {
    pub store: StoreId,
    members: [MemberId; 2],
    tokens: [String; 2],
    desk: String,
    manager: String,
    administrator: String,
    booking: String,
    membership: String,
}

impl Cast {
    pub fn new(dice: &mut Dice) -> Self {
        let store = StoreId::from_uuid(uuid(dice));
        let members = [MemberId::from_uuid(uuid(dice)), MemberId::from_uuid(uuid(dice))];
        let keys = testkit::keys();
        let staff = |role, store| keys.staff_token(StaffId::from_uuid(Uuid::from_u128(7)), [role], store);
        Self {
            store,
            members,
            tokens: members.map(|member| keys.member_token(member)),
            desk: staff(Role::FrontDesk, Some(store)),
            manager: staff(Role::StoreManager, Some(store)),
            administrator: staff(Role::Administrator, None),
            booking: keys.service_token("booking"),
            membership: keys.service_token("membership"),
        }
    }

    /// What begins the campaign of the store.
    pub fn campaign(&self, dice: &mut Dice, days: i32, start: Timestamp) -> Letter {
        let (threshold, bonus) = super::model::CAMPAIGN;
        let campaign = pb::TopUpCampaign {
            store: self.store.name(),
            display_name: "Pay and get more".to_owned(),
            threshold: cny(threshold),
            bonus: cny(bonus),
            bonus_days: days,
            start_time: Some(rpc::convert::to_timestamp(start)),
            ..pb::TopUpCampaign::default()
        };
        let request_id = uuid(dice).to_string();
        let call = Call::Campaign(pb::CreateTopUpCampaignRequest { campaign: Some(campaign), request_id });
        Letter { call, token: self.administrator.clone() }
    }

    /// The request by which something is asked for; `holder` has the contract.
    pub fn letter(&self, ask: &Ask, seen: &Seen, holder: usize, dice: &mut Dice) -> Letter {
        let request_id = uuid(dice).to_string();
        let order = |nth: &usize| OrderId::from_uuid(seen.orders[*nth].0).name();
        let card = || CardId::from_uuid(seen.card.expect("there is a card")).name();
        let contract = || ContractId::from_uuid(seen.contract.expect("there is a contract").0).name();
        let one = |nth: &usize| ContractUseId::from_uuid(seen.uses[*nth].0).name();
        let days = |days: &i64| i32::try_from(*days).expect("few");
        let holder = &self.tokens[holder];
        let (call, token) = match ask {
            Ask::Visit { lines, discount, deposit } => {
                let booking = BookingId::from_uuid(uuid(dice));
                let line = |fen: &i64| pb::OrderLine {
                    item: format!("items/{}", Uuid::from_u128(9)),
                    display_name: "Swedish massage, 60 minutes".to_owned(),
                    amount: cny(*fen),
                    discount: None,
                };
                let request = pb::CreateOrderRequest {
                    order_id: OrderId::derive(booking.uuid(), "order").uuid().to_string(),
                    booking: booking.name(),
                    customer: self.members[0].name(),
                    store: self.store.name(),
                    lines: lines.iter().map(line).collect(),
                    deposit: cny(*deposit),
                    request_id,
                    discount: cny(*discount),
                };
                (Call::CreateOrder(request), &self.booking)
            }
            Ask::Amend { order: nth, fen } => {
                let line = pb::OrderLine {
                    item: format!("items/{}", Uuid::from_u128(9)),
                    display_name: "15 minutes more".to_owned(),
                    amount: cny(*fen),
                    discount: None,
                };
                let amendment_id = uuid(dice).to_string();
                let request = pb::AmendOrderRequest { name: order(nth), amendment_id, line: Some(line), request_id };
                (Call::AmendOrder(request), &self.booking)
            }
            Ask::Pay { order: nth, deposit, how } => {
                let request = pb::PayOrderRequest {
                    order: order(nth),
                    purpose: purpose(*deposit).into(),
                    tender: tender(*how).into(),
                    amount: None,
                    request_id,
                    payer: payer(),
                };
                (Call::PayOrder(request), &self.desk)
            }
            Ask::Checkout { order: nth, deposit, parts } => {
                let part = |(how, fen): &(How, i64)| pb::CheckoutTender {
                    tender: tender(*how).into(),
                    amount: cny(*fen),
                    reference: if *how == How::Terminal { "slip 7".to_owned() } else { String::new() },
                    source: if *how == How::Card { card() } else { String::new() },
                    ..pb::CheckoutTender::default()
                };
                let request = pb::StartCheckoutRequest {
                    order: order(nth),
                    purpose: purpose(*deposit).into(),
                    tenders: parts.iter().map(part).collect(),
                    request_id,
                    payer: payer(),
                };
                (Call::StartCheckout(request), &self.desk)
            }
            Ask::Cancel { order: nth, number, .. } => {
                let checkout = seen.orders[*nth].1[*number].checkout.expect("it is of a checkout");
                let name = CheckoutId::from_uuid(checkout).name();
                (Call::CancelCheckout(pb::CancelCheckoutRequest { name, request_id }), &self.desk)
            }
            Ask::Refund { order: nth, what } => {
                let line = |(line, fen): &(usize, Option<i64>)| pb::ReturnLine {
                    line: i32::try_from(*line).expect("few"),
                    amount: fen.and_then(cny),
                };
                let what = match what {
                    What::All => Wanted::All(true),
                    What::Amount(fen) => Wanted::Amount(cny(*fen).expect("given")),
                    What::Lines(lines) => Wanted::Lines(pb::ReturnLines { lines: lines.iter().map(line).collect() }),
                };
                let reason = "COMPLAINT".to_owned();
                let request = pb::RefundOrderRequest { name: order(nth), what: Some(what), reason, request_id };
                (Call::RefundOrder(request), &self.manager)
            }
            Ask::Close { order: nth, keep } => {
                let request = pb::CloseOrderRequest { request_id, ..crate::wire::close(&order(nth), Some(*keep)) };
                (Call::CloseOrder(request), &self.booking)
            }
            Ask::Issue { named, .. } => {
                let request = pb::IssueCardRequest {
                    store: self.store.name(),
                    scope: pb::card::Scope::Chain.into(),
                    holder: if *named { self.members[0].name() } else { String::new() },
                    currency_code: "CNY".to_owned(),
                    request_id,
                };
                (Call::IssueCard(request), &self.desk)
            }
            Ask::TopUp { fen } => {
                let customer = self.members[0].name();
                let request = pb::TopUpCardRequest { card: card(), amount: cny(*fen), customer, request_id };
                (Call::TopUpCard(request), &self.desk)
            }
            Ask::Lose => {
                (Call::ReportCardLost(pb::ReportCardLostRequest { name: card(), request_id }), &self.administrator)
            }
            Ask::Stop => {
                let request = pb::FreezeCardRequest { name: card(), reason: "FRAUD".to_owned(), request_id };
                (Call::FreezeCard(request), &self.administrator)
            }
            Ask::Unstop => {
                (Call::UnfreezeCard(pb::UnfreezeCardRequest { name: card(), request_id }), &self.administrator)
            }
            Ask::Reissue => {
                (Call::ReissueCard(pb::ReissueCardRequest { name: card(), request_id }), &self.administrator)
            }
            Ask::GiveCard { to } => {
                let request = pb::TransferCardRequest { name: card(), holder: self.members[*to].name(), request_id };
                (Call::TransferCard(request), &self.administrator)
            }
            Ask::Contract { price, sessions } => {
                let terms = pb::ContractTerms {
                    price: cny(*price),
                    items: vec![item("items/massage", i32::try_from(*sessions).expect("few"), 0, *price)],
                    days: i32::try_from(super::model::DAYS).expect("few"),
                    max_freeze_days: i32::try_from(super::model::MOST_REST).expect("few"),
                    ..pb::ContractTerms::default()
                };
                let request = pb::CreateContractRequest {
                    contract_id: uuid(dice).to_string(),
                    customer: self.members[0].name(),
                    store: self.store.name(),
                    terms: Some(terms),
                    request_id,
                };
                (Call::CreateContract(request), &self.desk)
            }
            Ask::Reserve => {
                let request = pb::ReserveUseRequest {
                    name: contract(),
                    use_id: uuid(dice).to_string(),
                    item: "items/massage".to_owned(),
                    store: self.store.name(),
                    request_id,
                };
                (Call::ReserveUse(request), &self.membership)
            }
            Ask::Commit { nth } => {
                (Call::CommitUse(pb::CommitUseRequest { name: one(nth), request_id }), &self.membership)
            }
            Ask::Void { nth } => (Call::VoidUse(pb::VoidUseRequest { name: one(nth), request_id }), &self.membership),
            Ask::Rest { days: of } => (
                Call::FreezeContract(pb::FreezeContractRequest { name: contract(), days: days(of), request_id }),
                holder,
            ),
            Ask::Wake => (Call::UnfreezeContract(pb::UnfreezeContractRequest { name: contract(), request_id }), holder),
            Ask::Extend { days: of } => {
                let request = pb::ExtendContractRequest { name: contract(), days: days(of), request_id };
                (Call::ExtendContract(request), &self.desk)
            }
            Ask::Hand { to } => {
                let to = self.members[*to].name();
                let request = pb::TransferContractRequest { name: contract(), holder: to, request_id };
                (Call::TransferContract(request), holder)
            }
            Ask::Undo => {
                let request = pb::RefundContractRequest {
                    name: contract(),
                    cause: pb::RefundCause::MerchantBreach.into(),
                    request_id,
                    ..Default::default()
                };
                (Call::RefundContract(request), &self.manager)
            }
        };
        Letter { call, token: token.clone() }
    }
}

fn purpose(deposit: bool) -> Purpose {
    if deposit { Purpose::Deposit } else { Purpose::Balance }
}

fn tender(how: How) -> Tender {
    match how {
        How::Sandbox => Tender::Sandbox,
        How::Wechat => Tender::WechatNative,
        How::Alipay => Tender::AlipayPage,
        How::Terminal => Tender::CardTerminal,
        How::Cash => Tender::Cash,
        How::Card => Tender::StoredValue,
    }
}

/// All that any provider needs to know.
fn payer() -> Option<pb::Payer> {
    Some(pb::Payer { id: "o-payer".to_owned(), ip: "203.0.113.7".to_owned(), ..pb::Payer::default() })
}
