//! The queue of a store as it stands now.

use std::sync::Arc;

use kernel::{
    Error, ErrorKind, Result, Timestamp,
    ids::{QueueTicketId, StoreId},
};
use pg::PgConnection;
use proto::booking::v1 as pb;

use crate::{
    App, db,
    domain::{
        assignment::order,
        availability::GRID,
        chosen::Chosen,
        span::{Minute, Span, minute, minute_after},
        visit::{DAY, Visit},
        walk_in::{
            State, Ticket,
            line::line,
            quote::{Turn, turns},
        },
    },
    flows::{
        assignment::context,
        sight::{Ask, Sight, look},
    },
    rpc::convert::walk_in::to_ticket,
};

/// How often a roster may be edited while it is being read.
const READS: usize = 10;

/// One who waits.
#[derive(Debug)]
pub struct Waiting {
    /// His ticket.
    pub ticket: Ticket,
    /// What he waits for; `None` if it is not to be had any more.
    pub chosen: Option<(Chosen, Vec<Visit>)>,
    /// When he can begin, and with what; `None` if not before the store closes.
    pub turn: Option<Turn>,
}

impl Waiting {
    /// When he can begin; `None` if not before the store closes.
    pub fn start(&self) -> Option<Minute> {
        self.turn.as_ref().map(|turn| turn.start)
    }
}

/// A queue, in its order.
#[derive(Debug)]
pub struct Queue {
    /// The store.
    pub sight: Arc<Sight>,
    /// The opening that runs; `None` if the store is closed.
    pub opening: Option<Span>,
    /// The first minute at which a visit can begin now.
    pub earliest: Minute,
    /// Who waits.
    pub line: Vec<Waiting>,
}

impl Queue {
    /// Reads the queue of a store, and when each can begin.
    pub async fn read(app: &App, conn: &mut PgConnection, store: StoreId) -> Result<Self> {
        let tickets = db::walk_in::waiting(&mut *conn, store).await?;
        Self::of(app, conn, store, tickets).await
    }

    /// The queue of these tickets.
    pub async fn of(app: &App, conn: &mut PgConnection, store: StoreId, tickets: Vec<Ticket>) -> Result<Self> {
        let places: Vec<_> = tickets.iter().map(|ticket| ticket.place.clone()).collect();
        let mut tickets: Vec<Option<Ticket>> = tickets.into_iter().map(Some).collect();
        let tickets: Vec<Ticket> =
            line(&places).into_iter().filter_map(|index| tickets.get_mut(index)?.take()).collect();
        for _ in 0..READS {
            if let Some(queue) = play(app, &mut *conn, store, &tickets).await? {
                return Ok(queue);
            }
        }
        Err(Error::aborted("ROSTER_EDITED", "the roster of the store is just being edited; try again"))
    }

    /// Where a ticket stands, from 0.
    pub fn position(&self, ticket: QueueTicketId) -> Option<usize> {
        self.line.iter().position(|waiting| waiting.ticket.id() == ticket)
    }

    /// A ticket as people see it.
    pub fn view(&self, ticket: &Ticket, now: Timestamp) -> pb::QueueTicket {
        let position = self.position(ticket.id());
        let start = position.and_then(|position| self.line.get(position)?.start());
        to_ticket(ticket, position, start, now)
    }
}

/// A ticket as people see it, as of now.
pub async fn view(app: &App, conn: &mut PgConnection, ticket: &Ticket) -> Result<pb::QueueTicket> {
    let now = app.clock.now();
    match ticket.state {
        State::Waiting => Ok(Queue::read(app, conn, ticket.store).await?.view(ticket, now)),
        _ => Ok(to_ticket(ticket, None, None, now)),
    }
}

/// `None` if the sight was out of date.
async fn play(app: &App, conn: &mut PgConnection, store: StoreId, tickets: &[Ticket]) -> Result<Option<Queue>> {
    let sight = app.sights.of(app, &mut *conn, store).await?;
    let now = app.clock.now();
    let at = minute(now);
    let this = Span::new(at, at + 1);
    let openings = sight.store.openings(Span::new(at - DAY, at + DAY))?;
    let opening = openings.into_iter().find(|opening| opening.contains(this));
    let first = minute_after(now);
    let earliest = first + (-first).rem_euclid(GRID);
    let mut waiting = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        let chosen = match sight.choose(&mut *conn, &ticket.choice).await {
            Ok(chosen) => {
                let visits = chosen.visits(1, &ticket.wish)?;
                Some((chosen, visits))
            }
            Err(error) if error.kind() == ErrorKind::FailedPrecondition => None,
            Err(error) => return Err(error),
        };
        waiting.push(Waiting { ticket: ticket.clone(), chosen, turn: None });
    }
    if let Some(opening) = opening {
        let line: Vec<Vec<Visit>> =
            waiting.iter().map(|of| of.chosen.as_ref().map(|(_, visits)| visits.clone()).unwrap_or_default()).collect();
        let all: Vec<Visit> = line.concat();
        let window = Span::new(earliest, opening.end);
        let looked = look(app, &mut *conn, &[Ask { sight: &sight, visits: &all }], window, &[]).await?;
        let Some(supply) = looked.and_then(|mut supplies| supplies.pop()) else { return Ok(None) };
        let policy = sight.policy.assignment;
        let context = context(conn, store, policy, None, now).await?;
        let found = turns(&supply, &line, window, |supply| Box::new(order(policy, &context, supply)));
        for (of, turn) in waiting.iter_mut().zip(found) {
            of.turn = turn;
        }
    }
    Ok(Some(Queue { sight, opening, earliest, line: waiting }))
}
