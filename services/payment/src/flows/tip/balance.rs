//! What is owed to a therapist of tips.

use kernel::{Currency, Error, Result, ids::TherapistId};
use proto::payment::v1 as pb;
use rpc::{Ctx, convert::to_money};

use crate::{
    App, db,
    domain::ledger::{Account, OwedKey, Party},
};

/// Reads it, over all stores.
///
/// # Errors
/// `InvalidArgument` for a bad name or currency.
pub async fn get_tip_balance(app: &App, _: Ctx, request: pb::GetTipBalanceRequest) -> Result<pb::TipBalance> {
    let therapist = request.name.strip_suffix("/tipBalance");
    let therapist = therapist.ok_or_else(|| Error::invalid("name", "must be therapists/<uuid>/tipBalance"))?;
    let therapist = TherapistId::parse_name("name", therapist)?;
    let currency = match request.currency_code.as_str() {
        "" => Currency::CNY,
        code => Currency::parse("currency_code", code)?,
    };
    let key = OwedKey { account: Account::TipsPayable, party: Party::from(therapist), currency };
    let owed = db::ledger::owed(&mut *app.pg.conn().await?, &key).await?;
    Ok(pb::TipBalance { name: request.name, owed: Some(to_money(owed.posted)) })
}
