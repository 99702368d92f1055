//! Finds stores by distance.

use kernel::{Result, ids::StoreId};

use crate::{
    App, db,
    domain::{
        catalog::Store,
        geo::{Position, distance_meters},
    },
};

/// Metres of a degree of latitude, rounded down, so that a band of so many degrees misses nothing.
const METERS_A_DEGREE: f64 = 111_000.0;

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    /// The point.
    pub around: Position,
    /// How far a store may be from it, in metres.
    pub radius: i32,
    /// Only after this: where the page before ended.
    pub after: Option<(i32, StoreId)>,
}

/// The stores around a point with their distance in metres, the nearest first.
pub async fn stores_near(app: &App, near: Near, limit: i64) -> Result<Vec<(Store, i32)>> {
    let mut conn = app.pg.conn().await?;
    let (latitude, _) = near.around;
    let reach = f64::from(near.radius) / METERS_A_DEGREE;
    let known = db::catalog::positions(&mut conn, (latitude - reach, latitude + reach)).await?;
    let mut found: Vec<(i32, StoreId)> = known
        .into_iter()
        .map(|(id, position)| (distance_meters(near.around, position), id))
        .filter(|place| place.0 <= near.radius && near.after.is_none_or(|after| *place > after))
        .collect();
    found.sort_unstable();
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let ids: Vec<StoreId> = found.iter().map(|(_, id)| *id).collect();
    let mut stores = db::catalog::get_stores(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .filter_map(|(meters, id)| {
            let at = stores.iter().position(|store| store.id == id)?;
            Some((stores.swap_remove(at), meters))
        })
        .collect())
}
