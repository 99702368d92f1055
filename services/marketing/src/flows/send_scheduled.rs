//! Sends the messages whose time has come.
//!
//! A message goes to the channel outside any transaction and is noted as sent afterwards. If the process dies in
//! between, it goes to the channel again under the same id, and the channel delivers it once.

use kernel::{Error, Result, crash, ids::MessageId};
use pg::{
    Tx,
    outbox::{self, NewEvent},
    tasks::{self, Handler, Task, may_pass},
};
use proto::marketing::v1 as pb;

use crate::{
    App, db,
    domain::message::{About, Kind, Message, State},
    peers::Outgoing,
    rpc::convert::to_kind,
};

/// The task of sending a message.
pub(super) const SEND_MESSAGE: &str = "send_message";

/// Sends all that is due; returns how many messages were taken up.
pub async fn send_scheduled(app: &App) -> Result<usize> {
    tasks::drain(&app.pg, || app.clock.now(), &Sender(app)).await
}

/// Tells others that a message is out.
pub(super) async fn tell(app: &App, tx: &mut Tx, message: &Message) -> Result<()> {
    let event = pb::MessageSent {
        message: message.id.name(),
        customer: message.customer.map(|customer| customer.name()).unwrap_or_default(),
        kind: to_kind(message.kind).as_str_name().to_owned(),
        channel: app.peers.channel.name().to_owned(),
    };
    // A message has no other event.
    outbox::append(tx, NewEvent::new(message.id.uuid(), 1, app.clock.now(), &event)).await?;
    Ok(())
}

struct Sender<'a>(&'a App);

impl Handler for Sender<'_> {
    async fn handle(&self, task: &Task) -> Result<()> {
        match task.kind.as_str() {
            SEND_MESSAGE => deliver(self.0, task).await,
            other => Err(Error::precondition("UNKNOWN_TASK", format!("no task is called {other}"))),
        }
    }
}

/// What became of a message.
enum Outcome {
    Sent,
    NotSent(State, &'static str),
}

async fn deliver(app: &App, task: &Task) -> Result<()> {
    let id = MessageId::from_uuid(task.aggregate_id);
    let message = db::message::get(&mut *app.pg.conn().await?, id).await?.ok_or_else(|| Error::not_found(id))?;
    let outcome = match send(app, &message).await {
        Err(error) if !may_pass(&error) => {
            tracing::error!(message = %id, error = error.chain(), "message can't be delivered");
            Outcome::NotSent(State::Failed, error.reason())
        }
        outcome => outcome?,
    };
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    // The message before its task, as those do who call it back: else the two could wait for each other for ever.
    match outcome {
        Outcome::Sent if db::message::sent(&mut tx, id, app.peers.channel.name(), now).await? => {
            tell(app, &mut tx, &message).await?;
        }
        Outcome::Sent => {}
        Outcome::NotSent(state, reason) => db::message::end(&mut tx, id, state, reason).await?,
    }
    tasks::finish(&mut tx, now, task.id).await?;
    tx.commit().await?;
    crash::point("marketing.message.recorded");
    Ok(())
}

async fn send(app: &App, message: &Message) -> Result<Outcome> {
    if message.state != State::Scheduled {
        return Ok(Outcome::NotSent(message.state, "NOT_SCHEDULED"));
    }
    if let (Kind::BookingReminder, Some(about)) = (message.kind, message.about)
        && !stands(app, about).await?
    {
        return Ok(Outcome::NotSent(State::Cancelled, "BOOKING_CHANGED"));
    }
    let Some(customer) = message.customer else { return Ok(Outcome::NotSent(State::Failed, "NO_ADDRESS")) };
    let key = app.vault.open(&mut *app.pg.conn().await?, message.key_owner).await?;
    let text = key.unseal(db::message::BODY, message.id.uuid(), &message.body)?;
    let phone = app.peers.membership.phone(customer).await?;
    crash::point("marketing.message.ready");
    let outgoing = Outgoing { message: message.id, kind: message.kind, phone: &phone, text: &text };
    app.peers.channel.send(&outgoing).await?;
    crash::point("marketing.message.sent");
    Ok(Outcome::Sent)
}

/// Whether a visit still takes place at that time, and lies ahead.
async fn stands(app: &App, about: About) -> Result<bool> {
    Ok(about.start_time > app.clock.now()
        && app.peers.booking.confirmed_start(about.booking).await? == Some(about.start_time))
}
