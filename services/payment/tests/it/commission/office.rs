//! The office that makes rules, and visits that are completed.

use feed::{Consumer, Event};
use kernel::{
    Clock, Timestamp, Uuid,
    ids::{BookingId, ItemId, StaffId, StoreId, TherapistId},
};
use payment::{App, flows::follow_booking::FollowBooking};
use proto::{
    access::Role,
    booking::v1 as booking,
    google::r#type::Date,
    payment::v1::{
        self as pb,
        commission_rule::{Payee, Rate},
        commission_service_client::CommissionServiceClient,
    },
};
use std::sync::Arc;
use testkit::{ManualClock, with_token};
use tonic::{Request, Status, transport::Channel};

use crate::{
    house::House,
    wire::{cny, fresh, minor},
};

/// Who looks after commission, and visits.
pub struct Office {
    pub app: Arc<App>,
    pub clock: Arc<ManualClock>,
    pub client: CommissionServiceClient<Channel>,
    pub store: StoreId,
    pub therapist: TherapistId,
    pub item: ItemId,
    orders: proto::payment::v1::payment_service_client::PaymentServiceClient<Channel>,
}

/// A visit that booking tells of.
#[derive(Clone)]
pub struct Visit {
    pub id: BookingId,
    pub told: booking::BookingCompleted,
}

impl Visit {
    /// The same through a partner.
    pub fn through(mut self, partner: &str) -> Self {
        self.told.partner = partner.to_owned();
        self
    }

    /// The same at another price.
    pub fn at(mut self, price: i64) -> Self {
        if let Some(facts) = &mut self.told.booking {
            facts.price = cny(price);
        }
        self
    }

    /// The same with one more part of so many minutes, by somebody else.
    pub fn and(mut self, minutes: i32) -> Self {
        let therapist = TherapistId::from_uuid(fresh()).name();
        let more = self.told.parts.first().cloned().unwrap_or_default();
        self.told.parts.push(booking::booking_completed::Part { therapist, minutes, ..more });
        self
    }
}

/// A request for a rule of so many basis points for therapists, whatever the visit.
pub fn new_rule(basis_points: i32) -> pb::CreateCommissionRuleRequest {
    let rule = pb::CommissionRule {
        payee: Payee::Therapist.into(),
        rate: Some(Rate::BasisPoints(basis_points)),
        start_date: day(2027, 1, 1),
        ..pb::CommissionRule::default()
    };
    pb::CreateCommissionRuleRequest { rule: Some(rule), request_id: fresh().to_string() }
}

/// The same with what the test makes of it.
pub fn rule_with(change: impl FnOnce(&mut pb::CommissionRule)) -> pb::CreateCommissionRuleRequest {
    let mut request = new_rule(1_000);
    request.rule.as_mut().map(change);
    request
}

pub fn day(year: i32, month: i32, day: i32) -> Option<Date> {
    Some(Date { year, month, day })
}

/// Sent by an administrator.
pub fn as_admin<T>(message: T) -> Request<T> {
    let id = StaffId::from_uuid(Uuid::from_u128(7));
    with_token(message, &testkit::keys().staff_token(id, [Role::Administrator], None))
}

impl Office {
    pub async fn of(house: &House) -> Self {
        Self {
            app: house.app.clone(),
            clock: house.clock.clone(),
            client: CommissionServiceClient::new(house.channel.clone()),
            store: house.store,
            therapist: TherapistId::from_uuid(fresh()),
            item: ItemId::from_uuid(fresh()),
            orders: house.client.clone(),
        }
    }

    pub async fn try_rule(&self, request: pb::CreateCommissionRuleRequest) -> Result<pb::CommissionRule, Status> {
        Ok(self.client.clone().create_commission_rule(as_admin(request)).await?.into_inner())
    }

    pub async fn rule(&self, request: pb::CreateCommissionRuleRequest) -> pb::CommissionRule {
        self.try_rule(request).await.expect("a rule")
    }

    /// A rule for therapists and one for partners, for every visit.
    pub async fn rules(&self, therapists: i32, partners: i32) {
        self.rule(new_rule(therapists)).await;
        let of_partner = |rule: &mut pb::CommissionRule| {
            rule.payee = Payee::Partner.into();
            rule.rate = Some(Rate::BasisPoints(partners));
        };
        self.rule(rule_with(of_partner)).await;
    }

    pub async fn link(&self, therapist: TherapistId, staff: StaffId) {
        let request = pb::LinkTherapistRequest {
            therapist: therapist.name(),
            staff: staff.name(),
            request_id: fresh().to_string(),
        };
        self.client.clone().link_therapist(as_admin(request)).await.expect("linked");
    }

    /// What a visit of one part would be asked about.
    pub fn preview(&self, price: i64) -> pb::PreviewCommissionRequest {
        let part = pb::preview_commission_request::Part {
            therapist: self.therapist.name(),
            item: self.item.name(),
            grade: 3,
            requested: true,
            minutes: 60,
        };
        pb::PreviewCommissionRequest {
            store: self.store.name(),
            date: day(2027, 3, 1),
            price: cny(price),
            partner: String::new(),
            parts: vec![part],
        }
    }

    /// A visit of an hour, whose order is that one.
    pub async fn visit(&self, order: &str) -> Visit {
        let request = pb::GetOrderRequest { name: order.to_owned() };
        let request = with_token(request, &testkit::keys().service_token("booking"));
        let order = self.orders.clone().get_order(request).await.expect("the order").into_inner();
        let id = BookingId::parse_name("booking", &order.booking).expect("a visit");
        let facts = booking::BookingFacts {
            booking: order.booking,
            order: order.name,
            store: self.store.name(),
            item: self.item.name(),
            therapist: self.therapist.name(),
            customer: order.customer,
            price: order.total,
            time_zone: "Asia/Shanghai".to_owned(),
            ..booking::BookingFacts::default()
        };
        let part = booking::booking_completed::Part {
            therapist: self.therapist.name(),
            item: self.item.name(),
            grade: 3,
            requested: true,
            minutes: 60,
        };
        let told = booking::BookingCompleted { booking: Some(facts), parts: vec![part], partner: String::new() };
        Visit { id, told }
    }

    /// Booking's event reaches us, and has its effect.
    pub async fn complete(&self, visit: &Visit) {
        self.try_complete(visit, self.clock.now()).await.expect("applied");
    }

    /// The same, told to have happened then.
    pub async fn try_complete(&self, visit: &Visit, at: Timestamp) -> kernel::Result<()> {
        let event = Event::new(visit.id.uuid(), 9, at, &visit.told);
        let mut tx = self.app.pg.begin().await?;
        FollowBooking(Arc::clone(&self.app)).apply(&mut tx, &event).await?;
        Ok(tx.commit().await?)
    }

    /// A request for a list of March.
    pub fn march(&self) -> pb::DraftSettlementRequest {
        pb::DraftSettlementRequest {
            store: self.store.name(),
            start_date: day(2027, 3, 1),
            end_date: day(2027, 3, 31),
            currency_code: "CNY".to_owned(),
            request_id: fresh().to_string(),
        }
    }

    pub async fn try_draft(&self, request: pb::DraftSettlementRequest) -> Result<pb::CommissionSettlement, Status> {
        Ok(self.client.clone().draft_settlement(as_admin(request)).await?.into_inner())
    }

    pub async fn try_confirm(&self, name: &str, etag: &str) -> Result<pb::CommissionSettlement, Status> {
        let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), fresh().to_string());
        let request = pb::ConfirmSettlementRequest { name, etag, request_id };
        Ok(self.client.clone().confirm_settlement(as_admin(request)).await?.into_inner())
    }

    pub async fn try_pay(&self, name: &str, etag: &str) -> Result<pb::CommissionSettlement, Status> {
        let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), fresh().to_string());
        let request = pb::PaySettlementRequest { name, etag, request_id };
        Ok(self.client.clone().pay_settlement(as_admin(request)).await?.into_inner())
    }

    /// A request for a list of what one visit more has earned.
    pub async fn draftable(&self, house: &House) -> pb::DraftSettlementRequest {
        let visit = self.visit(&house.order().await).await;
        let long_ago = self.clock.now() - self.app.policy.claw_back();
        self.try_complete(&visit, long_ago).await.expect("applied");
        pb::DraftSettlementRequest { start_date: day(2027, 2, 1), ..self.march() }
    }

    /// A list of what one visit more has earned.
    pub async fn list(&self, house: &House) -> pb::CommissionSettlement {
        let request = self.draftable(house).await;
        self.try_draft(request).await.expect("a draft")
    }

    /// Everything that was earned, the newest first.
    pub async fn accruals(&self) -> Vec<pb::CommissionAccrual> {
        let request = as_admin(pb::ListAccrualsRequest::default());
        self.client.clone().list_accruals(request).await.expect("a page").into_inner().accruals
    }

    /// Whose, what he has earned and what was taken back of it, by the order of payees.
    pub async fn earned(&self) -> Vec<(i64, i64)> {
        let mut accruals = self.accruals().await;
        accruals.sort_by_key(|accrual| accrual.share.clone().unwrap_or_default().payee.starts_with("therapists/"));
        let figures = accruals.iter().map(|accrual| {
            let share = accrual.share.clone().unwrap_or_default();
            (minor(&share.amount), minor(&accrual.reversed))
        });
        figures.collect()
    }
}
