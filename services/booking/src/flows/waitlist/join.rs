//! Getting in line.

use std::sync::Arc;

use jiff::SignedDuration;
use kernel::{
    Error, ErrorKind, Result, Timestamp, crash,
    ids::{MemberId, StoreId, WaitlistEntryId},
};
use pg::{
    Tx, audit,
    idempotency::{self, Begin},
};
use proto::booking::v1 as pb;
use rpc::Caller;
use serde_json::json;

use super::{follow::serve_later, offer::first_start, tell, view_one};
use crate::{
    App, db,
    db::locks::Name,
    domain::{
        booking::Channel,
        chosen::Choice,
        span::{Span, instant},
        visit::Wish,
        waitlist::{Entry, State},
    },
    flows::Once,
};

/// The widest window.
const WIDEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Join {
    /// Where.
    pub store: StoreId,
    /// Who waits.
    pub customer: MemberId,
    /// For what.
    pub choice: Choice,
    /// With whom.
    pub wish: Wish,
    /// Through which way he joins.
    pub channel: Channel,
    /// Visits that start at or after this.
    pub start_time: Timestamp,
    /// Visits that start before this.
    pub end_time: Timestamp,
    /// The customer was named by somebody else, so it must be checked that he exists.
    pub on_behalf: bool,
}

/// Puts a customer in line, unless what he wants can be had.
pub async fn join_waitlist(
    app: &Arc<App>,
    caller: &Caller,
    once: Once<'_, pb::JoinWaitlistRequest>,
    join: Join,
) -> Result<pb::WaitlistEntry> {
    if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, once.key, once.message).await? {
        return Ok(reply);
    }
    let now = app.clock.now();
    check_window(app, &join, now)?;
    if join.on_behalf {
        app.peers.membership.check_member(join.customer).await?;
    }
    let entry = Entry {
        id: WaitlistEntryId::new(now),
        store: join.store,
        customer: join.customer,
        choice: join.choice,
        wish: join.wish,
        channel: join.channel,
        start_time: join.start_time,
        end_time: join.end_time,
        state: State::Waiting,
        booking: None,
        passed_count: 0,
        create_time: now,
        version: 1,
    };
    check_taken(app, &entry).await?;
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, once.key, once.message).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    db::locks::take(&mut tx, &[Name::Customer(entry.customer)]).await?;
    check_others(app, &mut tx, &entry).await?;
    db::waitlist::insert(&mut tx, &entry).await?;
    tell(&mut tx, &entry, now).await?;
    // A time may have got free since we looked, and its task may have found nobody in line.
    serve_later(&mut tx, entry.id.uuid(), Span::ALWAYS, now).await?;
    if join.on_behalf {
        let audited = audit::Entry {
            actor: caller.subject().to_owned(),
            action: "waitlist.join".to_owned(),
            target: entry.id.name(),
            detail: json!({}),
        };
        audit::record(&mut tx, now, audited).await?;
    }
    let reply = view_one(&mut tx, &entry).await?;
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    crash::point("booking.waitlist.joined");
    app.poke();
    Ok(reply)
}

fn check_window(app: &App, join: &Join, now: Timestamp) -> Result<()> {
    if join.end_time <= join.start_time {
        return Err(Error::invalid("end_time", "must be later than start_time"));
    }
    if join.end_time.duration_since(join.start_time) > WIDEST {
        return Err(Error::invalid("end_time", "must be at most 31 days after start_time"));
    }
    if join.end_time <= now {
        return Err(Error::invalid("end_time", "is past; choose a later time"));
    }
    if join.start_time > now + app.policy.bookable() {
        let days = app.policy.bookable_days;
        return Err(Error::invalid("start_time", format!("is more than {days} days ahead; choose an earlier time")));
    }
    Ok(())
}

/// Whoever can have a time need not wait for one.
async fn check_taken(app: &App, entry: &Entry) -> Result<()> {
    let (of, start) = first_start(app, &mut *app.pg.conn().await?, entry, Span::ALWAYS).await?;
    if let Some(therapist) = entry.wish.therapist.filter(|therapist| of.sight.grade(*therapist) == 0) {
        let text = format!("{therapist} does not work at this store; name somebody who does, or nobody");
        return Err(Error::invalid("therapist", text));
    }
    match start {
        Ok(start) => Err(Error::precondition("TIMES_FREE", "a time that suits is free; hold it instead of waiting")
            .with("start_time", instant(start))),
        Err(_) => Ok(()),
    }
}

/// To be called when the customer is locked.
async fn check_others(app: &App, tx: &mut Tx, entry: &Entry) -> Result<()> {
    let others = db::waitlist::open(tx, entry.customer).await?;
    let overlaps = |other: &&Entry| {
        other.store == entry.store && other.choice == entry.choice && other.window().overlaps(entry.window())
    };
    if let Some(other) = others.iter().find(overlaps) {
        let text = "he waits for the same at this store already; leave that line first";
        return Err(Error::precondition("ON_WAITLIST", text).with("entry", other.id));
    }
    let most = app.policy.waitlist_entries_per_customer;
    if i64::try_from(others.len()).is_ok_and(|count| count >= most) {
        let text = format!("he waits in {most} lines already; leave one of them");
        return Err(Error::new(ErrorKind::ResourceExhausted, "TOO_MANY_ENTRIES", text).with("cap", most));
    }
    Ok(())
}
