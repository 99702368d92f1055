//! What people do at one store.

use anyhow::{Context, Result};
use proto::{
    booking::v1::{
        Booking, CancelBookingRequest, CheckInBookingRequest, CompleteBookingRequest, GetBookingRequest,
        HoldSlotRequest, StartBookingRequest,
        booking::{Channel as Way, State},
        booking_service_client::BookingServiceClient,
    },
    marketing::v1::{ListMailboxMessagesRequest, message_service_client::MessageServiceClient},
    membership::v1::{RegisterMemberRequest, SendCodeRequest, auth_service_client::AuthServiceClient},
    payment::v1::{
        PayOrderRequest,
        payment::{Purpose, Tender},
        payment_service_client::PaymentServiceClient,
    },
};
use rpc::convert::to_timestamp;
use runtime::config::Service;
use tonic::{Code, transport::Channel};

use super::Step;
use crate::{
    seed::{
        opening::Store,
        plan::{self, Fate, Visit},
        suite::{Caller, Suite, refused},
    },
    wait::until,
};

/// Where a visit has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// Not booked yet, or the time was taken.
    None,
    /// Booked, not begun.
    Booked { booking: String, order: String },
    /// Begun.
    Begun { booking: String, order: String },
    /// Over.
    Completed,
}

/// One store and its people.
pub struct Branch<'a> {
    suite: &'a Suite,
    plan: &'a plan::Branch,
    store: Store,
    items: Vec<String>,
    terms_version: String,
    /// Those who have registered, by their number in the plan.
    members: Vec<Option<(String, Caller)>>,
    visits: Vec<Stage>,
    booked: usize,
    auth: AuthServiceClient<Channel>,
    messages: MessageServiceClient<Channel>,
    bookings: BookingServiceClient<Channel>,
    payments: PaymentServiceClient<Channel>,
}

impl<'a> Branch<'a> {
    /// Nothing has happened yet.
    pub fn new(suite: &'a Suite, plan: &'a plan::Branch, store: Store, items: &[String]) -> Result<Self> {
        let policy: membership::Policy = suite.settings().membership.policy(Service::Membership)?;
        Ok(Self {
            suite,
            plan,
            store,
            items: items.to_vec(),
            terms_version: policy.terms_version,
            members: vec![None; plan.members.len()],
            visits: vec![Stage::None; plan.visits.len()],
            booked: 0,
            auth: AuthServiceClient::new(suite.channel(Service::Membership)),
            messages: MessageServiceClient::new(suite.channel(Service::Marketing)),
            bookings: BookingServiceClient::new(suite.channel(Service::Booking)),
            payments: PaymentServiceClient::new(suite.channel(Service::Payment)),
        })
    }

    /// How many have registered.
    pub fn members(&self) -> usize {
        self.members.iter().flatten().count()
    }

    /// How many visits were booked.
    pub fn booked(&self) -> usize {
        self.booked
    }

    /// How many visits are over.
    pub fn completed(&self) -> usize {
        self.visits.iter().filter(|stage| **stage == Stage::Completed).count()
    }

    /// How many visits are still to come.
    pub fn ahead(&self) -> usize {
        let ahead = |(visit, stage): &(&Visit, &Stage)| visit.fate == Fate::Ahead && **stage != Stage::None;
        self.plan.visits.iter().zip(&self.visits).filter(ahead).count()
    }

    /// Does the steps one after the other.
    pub async fn live(&mut self, steps: &[Step]) -> Result<()> {
        for step in steps {
            match *step {
                Step::Register(member) => self.register(member).await?,
                Step::Book(visit) => self.book(visit).await?,
                Step::GiveUp(visit) => self.give_up(visit).await?,
                Step::Begin(visit) => self.begin(visit).await?,
                Step::Finish(visit) => self.finish(visit).await?,
            }
        }
        Ok(())
    }

    async fn register(&mut self, index: usize) -> Result<()> {
        let plan::Member { name, phone, .. } = &self.plan.members[index];
        let nobody = Caller::anonymous();
        let request = SendCodeRequest { phone: phone.clone(), request_id: self.request_id() };
        self.auth.send_code(nobody.asks(request)).await.map_err(refused("sending a code"))?;
        let messages = &mut self.messages;
        let code = until("the arrival of a code", async || {
            let request = ListMailboxMessagesRequest { phone: phone.clone(), page_size: 1, ..Default::default() };
            let mailbox = messages.list_mailbox_messages(nobody.asks(request)).await;
            let mailbox = mailbox.map_err(refused("reading the mailbox"))?.into_inner();
            Ok(mailbox.messages.first().and_then(|message| code_in(&message.body)))
        });
        let request = RegisterMemberRequest {
            phone: phone.clone(),
            code: code.await?,
            display_name: name.clone(),
            terms_version: self.terms_version.clone(),
            store: self.store.name.clone(),
            request_id: self.request_id(),
        };
        let registered = self.auth.register_member(nobody.asks(request)).await.map_err(refused("registering"))?;
        let member = registered.into_inner().subject;
        let caller = self.suite.caller(&member, &[], None)?;
        self.members[index] = Some((member, caller));
        Ok(())
    }

    async fn book(&mut self, index: usize) -> Result<()> {
        let visit = &self.plan.visits[index];
        let (member, as_member) = self.members[visit.member].clone().context("a visitor has registered before")?;
        let (caller, way) = match visit.by_telephone {
            true => (self.store.desk.clone(), Way::Telephone),
            false => (as_member, if index.is_multiple_of(3) { Way::Web } else { Way::MiniProgram }),
        };
        let request = HoldSlotRequest {
            store: self.store.name.clone(),
            item: self.items[visit.item].clone(),
            start_time: Some(to_timestamp(visit.start)),
            therapist: self.store.therapists[visit.therapist].clone(),
            customer: member,
            channel: way.into(),
            request_id: self.request_id(),
            ..HoldSlotRequest::default()
        };
        let held = match self.bookings.hold_slot(caller.asks(request)).await {
            Ok(held) => held.into_inner(),
            // The plan knows nothing of where the services put whom; they know best.
            Err(status) if status.code() == Code::FailedPrecondition => {
                tracing::debug!(reason = status.message(), "a planned visit could not be booked");
                return Ok(());
            }
            Err(status) => return Err(refused("holding a time")(status)),
        };
        self.booked += 1;
        let order = self.reaches(&held.name, State::AwaitingPayment).await?.order;
        if visit.fate != Fate::Unpaid {
            self.pay(&order, Purpose::Deposit).await?;
            self.reaches(&held.name, State::Confirmed).await?;
            self.visits[index] = Stage::Booked { booking: held.name, order };
        }
        Ok(())
    }

    async fn give_up(&mut self, index: usize) -> Result<()> {
        let Stage::Booked { booking, .. } = std::mem::replace(&mut self.visits[index], Stage::None) else {
            return Ok(());
        };
        let visit = &self.plan.visits[index];
        let (_, member) = self.members[visit.member].as_ref().context("a visitor has registered before")?;
        let request = CancelBookingRequest { name: booking, request_id: self.request_id(), ..Default::default() };
        self.bookings.cancel_booking(member.asks(request)).await.map_err(refused("giving a visit up"))?;
        Ok(())
    }

    async fn begin(&mut self, index: usize) -> Result<()> {
        let Stage::Booked { booking, order } = self.visits[index].clone() else { return Ok(()) };
        let request = CheckInBookingRequest { name: booking.clone(), request_id: self.request_id() };
        self.bookings.check_in_booking(self.store.desk.asks(request)).await.map_err(refused("checking in"))?;
        let request = StartBookingRequest { name: booking.clone(), request_id: self.request_id() };
        self.bookings.start_booking(self.store.therapist.asks(request)).await.map_err(refused("starting"))?;
        self.visits[index] = Stage::Begun { booking, order };
        Ok(())
    }

    async fn finish(&mut self, index: usize) -> Result<()> {
        let Stage::Begun { booking, order } = self.visits[index].clone() else { return Ok(()) };
        let request = CompleteBookingRequest { name: booking, request_id: self.request_id() };
        self.bookings.complete_booking(self.store.therapist.asks(request)).await.map_err(refused("completing"))?;
        self.pay(&order, Purpose::Balance).await?;
        self.visits[index] = Stage::Completed;
        Ok(())
    }

    /// In cash, at the desk.
    async fn pay(&mut self, order: &str, purpose: Purpose) -> Result<()> {
        let request = PayOrderRequest {
            order: order.to_owned(),
            purpose: purpose.into(),
            tender: Tender::Cash.into(),
            amount: None,
            request_id: self.request_id(),
            payer: None,
        };
        self.payments.pay_order(self.store.desk.asks(request)).await.map_err(refused("paying"))?;
        Ok(())
    }

    /// The booking once it is in `state`.
    async fn reaches(&mut self, name: &str, state: State) -> Result<Booking> {
        let (bookings, desk) = (&mut self.bookings, &self.store.desk);
        until("the next state of a booking", async || {
            let request = GetBookingRequest { name: name.to_owned() };
            let booking = bookings.get_booking(desk.asks(request)).await.map_err(refused("reading a booking"))?;
            Ok(Some(booking.into_inner()).filter(|booking| booking.state() == state))
        })
        .await
    }

    fn request_id(&self) -> String {
        self.suite.request_id().to_string()
    }
}

/// The six digits in a message.
fn code_in(body: &str) -> Option<String> {
    let mut runs = body.split(|character: char| !character.is_ascii_digit());
    runs.find(|run| run.len() == 6).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::code_in;

    #[test]
    fn a_code_is_found_in_any_language() {
        assert_eq!(code_in("您的验证码是 012345，5 分钟内有效。").as_deref(), Some("012345"));
        assert_eq!(code_in("Your code is 987654."), Some("987654".to_owned()));
        assert_eq!(code_in("Room 12, 2026"), None);
    }
}
