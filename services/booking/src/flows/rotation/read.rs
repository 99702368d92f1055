//! A turn list as people see it.

use kernel::{Error, Result, Timestamp, ids::StoreId};
use pg::PgConnection;
use proto::booking::v1 as pb;
use rpc::{Caller, convert::to_timestamp};

use crate::{
    App, db,
    domain::assignment::rotation::Rotation,
    rpc::convert::rotation::{name, place, to_rules},
};

/// Reads the turn list of a store.
pub async fn rotation(app: &App, caller: &Caller, store: StoreId) -> Result<pb::Rotation> {
    caller.see_own(None, Some(store))?;
    let mut conn = app.pg.conn().await?;
    db::catalog::get_store(&mut conn, store).await?.ok_or_else(|| Error::not_found(store))?;
    let rotation = db::rotation::get(&mut conn, store).await?;
    view(&mut conn, store, rotation, app.clock.now()).await
}

/// The list with who is next at `now`, and why.
pub(super) async fn view(
    conn: &mut PgConnection,
    store: StoreId,
    rotation: Rotation,
    now: Timestamp,
) -> Result<pb::Rotation> {
    let mut present = db::rotation::present(conn, &rotation, now).await?;
    let turns: Vec<pb::rotation::Turn> = (1..)
        .zip(&rotation.turns)
        .map(|(at, turn)| {
            let (display_name, busy_until) = present.remove(&turn.therapist).unwrap_or_default();
            pb::rotation::Turn {
                place: place(Some(at)),
                therapist: turn.therapist.name(),
                display_name,
                skipped: turn.skipped,
                busy_until_time: busy_until.map(to_timestamp),
            }
        })
        .collect();
    let (next, next_reason) = next(&turns);
    let rules = Some(to_rules(db::rotation::rules(conn, store).await?));
    Ok(pb::Rotation { name: name(store), version: rotation.version, turns, next, next_reason, rules })
}

fn next(turns: &[pb::rotation::Turn]) -> (String, String) {
    let mut passed = Vec::new();
    for turn in turns {
        match (turn.skipped, turn.busy_until_time.is_some()) {
            (true, _) => passed.push(format!("{} is skipped", turn.display_name)),
            (_, true) => passed.push(format!("{} is busy", turn.display_name)),
            (false, false) if passed.is_empty() => {
                return (turn.therapist.clone(), "first of the list and free".to_owned());
            }
            (false, false) => return (turn.therapist.clone(), format!("free; before: {}", passed.join(", "))),
        }
    }
    let reason = if passed.is_empty() { "nobody is on the list".to_owned() } else { passed.join(", ") };
    (String::new(), reason)
}
