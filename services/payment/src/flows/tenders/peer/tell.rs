//! Telling those who keep points and coupons what became of them, for ever until they know.

use kernel::{Error, ErrorKind, Result, ids::PaymentId};
use pg::tasks::{self, Handler, Task};

use super::{GIVE_UP, TELL};
use crate::{
    App,
    db::peer_tenders as stored,
    domain::peer_tender::{PeerTender, State},
};

/// Tells all that is due; returns how much that was.
///
/// # Errors
/// The first that the database answers. A keeper who can't be reached holds nothing up.
pub async fn tell_peers(app: &App) -> Result<usize> {
    tasks::drain(&app.pg, || app.clock.now(), &Teller(app)).await
}

struct Teller<'a>(&'a App);

impl Handler for Teller<'_> {
    async fn handle(&self, task: &Task) -> Result<()> {
        let (app, id) = (self.0, PaymentId::from_uuid(task.aggregate_id));
        match task.kind.as_str() {
            TELL => {}
            GIVE_UP => {
                let mut tx = app.pg.begin().await?;
                stored::give_up(&mut tx, id, app.clock.now()).await?;
                tx.commit().await?;
                kernel::crash::point("payment.peer_tender.given_up");
            }
            other => return Err(Error::precondition("UNKNOWN_TASK", format!("no task is called {other}"))),
        }
        tell(app, id).await?;
        let mut tx = app.pg.begin().await?;
        tasks::finish(&mut tx, app.clock.now(), task.id).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Tells what was decided first, and what goes back after it.
async fn tell(app: &App, id: PaymentId) -> Result<()> {
    let (known, returns) = {
        let mut conn = app.pg.conn().await?;
        let known = stored::get(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
        let returns = stored::untold_returns(&mut conn, &known).await?;
        (known, returns)
    };
    let peer = app.peer_tenders.of(known.tender).map_err(Error::internal)?;
    if !known.told {
        let answer = match known.state {
            State::Asked | State::Reserved => return Ok(()),
            State::Captured => peer.commit(&known.kept).await,
            // Who never heard of it has nothing to free.
            State::Voided => match peer.void(&known.kept).await {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                answer => answer,
            },
        };
        let trouble = trouble(&known, answer)?;
        kernel::crash::point("payment.peer_tender.told");
        stored::told(&mut *app.pg.conn().await?, id, trouble, app.clock.now()).await?;
    }
    for back in returns {
        let trouble = trouble(&known, peer.give_back(&known.kept, &back).await)?;
        kernel::crash::point("payment.peer_tender.return_told");
        stored::return_told(&mut *app.pg.conn().await?, back.refund, trouble, app.clock.now()).await?;
    }
    Ok(())
}

/// Why the keeper will not have it, for good; an audit of the database finds it.
///
/// # Errors
/// If waiting may help.
fn trouble(of: &PeerTender, answer: Result<()>) -> Result<Option<&'static str>> {
    match answer {
        Ok(()) => Ok(None),
        Err(error) if tasks::may_pass(&error) => Err(error),
        Err(error) => {
            tracing::error!(
                payment = %of.kept.payment,
                tender = of.tender.as_str(),
                state = of.state.as_str(),
                error = error.chain(),
                "who keeps a tender will not have what was decided; see to it there"
            );
            Ok(Some(error.reason()))
        }
    }
}
