//! Sends a text to somebody who need not be a member, within the call.

use std::collections::BTreeMap;

use kernel::{Result, Uuid, crash, ids::MessageId};
use pg::idempotency::{self, Begin};
use proto::marketing::v1 as pb;

use super::{Once, send_scheduled::tell};
use crate::{
    App, db,
    domain::{
        message::{Kind, Message, State},
        phone::Phone,
        template::{Language, Values, render},
    },
    peers::Outgoing,
    rpc::convert::to_message,
};

/// What is to be sent.
#[derive(Debug)]
pub struct SendMessage {
    /// To which phone.
    pub phone: Phone,
    /// What about.
    pub kind: Kind,
    /// In which language.
    pub language: Language,
    /// The values of the template's variables.
    pub values: Values,
}

/// Sends a text at once. The reply carries no text: it is stored, and a one-time code must not be.
///
/// The channel gets it before it is noted, under an id that comes out of the request id: a repeat after a crash is
/// delivered once.
pub async fn send_message(
    app: &App,
    once: Once<'_, pb::SendMessageRequest>,
    wanted: SendMessage,
) -> Result<pb::Message> {
    let request = blind(app, once.message);
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, &request).await? {
        return Ok(reply);
    }
    let text = render(wanted.kind, wanted.language, &wanted.values)?;
    let id = MessageId::derive(once.key.request_id, once.key.caller);
    let outgoing = Outgoing { message: id, kind: wanted.kind, phone: &wanted.phone, text: &text };
    app.peers.channel.send(&outgoing).await?;
    crash::point("marketing.code.sent");

    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let message = seal(app, &mut tx, id, &wanted, &text).await?;
    db::message::insert_if_new(&mut tx, &message, now).await?;
    db::message::sent(&mut tx, id, app.peers.channel.name(), now).await?;
    tell(app, &mut tx, &message).await?;
    let reply = to_message(&Message { state: State::Sent, ..message }, String::new());
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("marketing.code.recorded");
    Ok(reply)
}

async fn seal(app: &App, tx: &mut pg::Tx, id: MessageId, wanted: &SendMessage, text: &str) -> Result<Message> {
    let now = app.clock.now();
    let key_owner: Uuid = db::key::phone_owner(&app.vault, &wanted.phone);
    let key = db::key::ensure(&app.vault, tx, key_owner, now).await?;
    Ok(Message {
        id,
        customer: None,
        kind: wanted.kind,
        about: None,
        send_time: now,
        state: State::Scheduled,
        key_owner,
        body: key.seal(db::message::BODY, id.uuid(), text)?,
    })
}

/// The request with keyed digests for what must not be found out. A digest of the request is stored to tell repeats from
/// new requests, and codes are so short that a digest without a key gives them away.
fn blind(app: &App, request: &pb::SendMessageRequest) -> pb::SendMessageRequest {
    let digest = |text: &String| {
        let bytes = app.vault.blind_index("marketing request", text);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let variables = request.variables.iter().map(|(name, value)| (name.clone(), digest(value)));
    pb::SendMessageRequest {
        phone: digest(&request.phone),
        variables: variables.collect::<BTreeMap<_, _>>(),
        ..request.clone()
    }
}
