//! What a visit would earn whom.

use kernel::Result;
use proto::payment::v1 as pb;
use rpc::Ctx;

use crate::{
    App, db,
    domain::commission::{Share, award},
    rpc::convert,
};

/// What a visit would earn by the rules as they are, and why.
///
/// # Errors
/// `InvalidArgument` naming the field.
pub async fn preview(app: &App, _: Ctx, request: pb::PreviewCommissionRequest) -> Result<Vec<Share>> {
    let visit = convert::commission::visit(&request)?;
    let rules = db::commission::rules_on(&mut *app.pg.conn().await?, visit.date).await?;
    award(&rules, &visit)
}
