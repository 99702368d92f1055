//! The coupon for the first visit: given to every member who has not visited yet, when somebody first asks.

use kernel::{Result, Timestamp, ids::MemberId};
use pg::PgConnection;

use crate::{
    App, db,
    domain::{
        coupon::{Coupon, FIRST_VISIT},
        quote::{Candidate, Standing},
    },
};

/// Gives the member the coupon, unless he has had one, has visited, or the campaign is over.
pub async fn give(app: &App, conn: &mut PgConnection, customer: MemberId, now: Timestamp) -> Result<()> {
    let basis_points = app.policy.first_visit_basis_points;
    let coupon = Coupon::first_visit(customer, basis_points, app.policy.first_visit_validity(), now);
    if basis_points == 0
        || db::coupon::get(conn, coupon.id).await?.is_some()
        || db::visit::visited(conn, customer).await?
    {
        return Ok(());
    }
    Ok(db::coupon::insert_if_new(conn, &coupon).await?)
}

/// What the coupon does for a price made now. `None` if there is no campaign, and the member has no coupon from before.
///
/// In a transaction `coupon` should be locked already.
pub async fn candidate(
    app: &App,
    conn: &mut PgConnection,
    customer: MemberId,
    coupon: Option<&Coupon>,
    now: Timestamp,
) -> Result<Option<Candidate>> {
    let candidate = |basis_points, standing| Candidate { code: FIRST_VISIT.to_owned(), basis_points, standing };
    match (coupon, app.policy.first_visit_basis_points) {
        (Some(coupon), _) => {
            let visited = db::visit::visited(conn, customer).await?;
            Ok(Some(candidate(coupon.basis_points, coupon.standing(visited, now))))
        }
        (None, 0) => Ok(None),
        // It would have been given to anybody else.
        (None, basis_points) => Ok(Some(candidate(basis_points, Standing::NotFirstVisit))),
    }
}
