//! Visits as booking tells of them.

use std::time::Duration;

use feed::Event;
use kernel::{
    Timestamp,
    ids::{BookingId, MemberId, TherapistId},
};
use proto::booking::v1 as pb;
use rpc::convert::{to_money, to_timestamp};
use testkit::START;

use crate::support::{World, cny};

/// A visit whose events a test delivers.
pub struct Visit {
    pub id: BookingId,
    pub facts: pb::BookingFacts,
    pub start: Timestamp,
}

/// What happens to a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    Held,
    AwaitingPayment,
    Confirmed,
    Reinstated,
    HoldExtended,
    Rescheduled,
    Moved,
    CheckedIn,
    Extended,
    Completed,
    Cancelled,
    NoShow,
    Expired,
}

impl Visit {
    /// In five hours from the start of the test, in Shanghai.
    pub fn new(world: &World, customer: MemberId, quote: &str) -> Self {
        Self::at(world, customer, quote, START + Duration::from_secs(5 * 3_600), "Asia/Shanghai")
    }

    pub fn at(world: &World, customer: MemberId, quote: &str, start: Timestamp, time_zone: &str) -> Self {
        let id = BookingId::new(START);
        let facts = pb::BookingFacts {
            booking: id.name(),
            store: world.store.name(),
            item: world.item.name(),
            therapist: TherapistId::new(START).name(),
            customer: customer.name(),
            start_time: Some(to_timestamp(start)),
            end_time: Some(to_timestamp(start + Duration::from_secs(3_600))),
            price: Some(to_money(cny(23_840))),
            deposit: Some(to_money(cny(4_768))),
            quote: quote.to_owned(),
            store_display_name: "Jing'an".to_owned(),
            item_display_name: "Swedish massage".to_owned(),
            therapist_display_name: "Lin".to_owned(),
            time_zone: time_zone.to_owned(),
            ..Default::default()
        };
        Self { id, facts, start }
    }

    /// The same visit at another time.
    pub fn moved_to(&self, start: Timestamp) -> Self {
        let end_time = Some(to_timestamp(start + Duration::from_secs(3_600)));
        let facts = pb::BookingFacts { start_time: Some(to_timestamp(start)), end_time, ..self.facts.clone() };
        Self { id: self.id, facts, start }
    }

    /// The same visit with another therapist.
    pub fn given_by(&self, name: &str) -> Self {
        let therapist = TherapistId::new(START).name();
        let facts = pb::BookingFacts { therapist, therapist_display_name: name.to_owned(), ..self.facts.clone() };
        Self { id: self.id, facts, start: self.start }
    }

    /// The event that makes the visit that version.
    pub fn event(&self, told: Told, version: i64) -> Event {
        use pb::booking::State;
        let state = match told {
            Told::Held => State::Held,
            Told::AwaitingPayment | Told::HoldExtended => State::AwaitingPayment,
            Told::Confirmed | Told::Reinstated | Told::Rescheduled | Told::Moved => State::Confirmed,
            Told::CheckedIn => State::CheckedIn,
            Told::Extended => State::InService,
            Told::Completed => State::Completed,
            Told::Cancelled => State::Cancelled,
            Told::NoShow => State::NoShow,
            Told::Expired => State::Expired,
        };
        let booking = Some(pb::BookingFacts { state: state.into(), ..self.facts.clone() });
        let id = self.id.uuid();
        match told {
            Told::Held => Event::new(id, version, START, &pb::BookingHeld { booking }),
            Told::AwaitingPayment => Event::new(id, version, START, &pb::BookingAwaitingPayment { booking }),
            Told::Confirmed => Event::new(id, version, START, &pb::BookingConfirmed { booking, reinstated: false }),
            Told::Reinstated => Event::new(id, version, START, &pb::BookingConfirmed { booking, reinstated: true }),
            Told::HoldExtended => Event::new(id, version, START, &pb::HoldExtended { booking, hold_expire_time: None }),
            Told::Rescheduled => {
                let actor = self.facts.customer.clone();
                Event::new(id, version, START, &pb::BookingRescheduled { booking, before: None, actor })
            }
            Told::Moved => Event::new(id, version, START, &pb::BookingMoved { booking, ..Default::default() }),
            Told::Extended => Event::new(id, version, START, &pb::BookingExtended { booking, ..Default::default() }),
            Told::NoShow => Event::new(id, version, START, &pb::BookingNoShow { booking, fee: None }),
            Told::CheckedIn => Event::new(id, version, START, &pb::BookingCheckedIn { booking }),
            Told::Completed => Event::new(id, version, START, &pb::BookingCompleted { booking, ..Default::default() }),
            Told::Cancelled => {
                let actor = self.facts.customer.clone();
                Event::new(
                    id,
                    version,
                    START,
                    &pb::BookingCancelled { booking, actor, in_time: true, ..Default::default() },
                )
            }
            Told::Expired => Event::new(id, version, START, &pb::BookingExpired { booking }),
        }
    }
}

impl World {
    /// Delivers events of a visit in the order given, each with its version.
    pub async fn tell(&self, visit: &Visit, events: &[(Told, i64)]) {
        for (told, version) in events {
            let stands = matches!(told, Told::Confirmed | Told::Reinstated | Told::Rescheduled | Told::Moved);
            {
                let mut confirmed = self.booking.0.lock().expect("not poisoned");
                if stands {
                    confirmed.insert(visit.id, visit.start);
                } else {
                    confirmed.remove(&visit.id);
                }
            }
            self.apply(&visit.event(*told, *version)).await;
        }
    }
}
