//! A session is set aside for a visit.

use kernel::{
    Result,
    ids::{ContractId, ContractUseId, StoreId, parse_uuid},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{
    lock,
    session::{self, Asked, exists},
};
use crate::{
    App, db,
    rpc::convert::{self, prepaid},
};

/// Sets a session aside, or finds the use made before from the same content, whatever became of it.
///
/// # Errors
/// `CONTRACT_NOT_USABLE` or `NO_SESSION_LEFT`; `USE_EXISTS` if there is one of that id with other content; `NotFound`.
pub async fn reserve_use(app: &App, ctx: Ctx, request: pb::ReserveUseRequest) -> Result<pb::ContractUse> {
    let key = convert::key(&ctx, &request.request_id)?;
    let (id, contract_id, store) = (
        ContractUseId::from_uuid(parse_uuid("use_id", &request.use_id)?),
        ContractId::parse_name("name", &request.name)?,
        StoreId::parse_name("store", &request.store)?,
    );
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let contract = lock(&mut tx, contract_id).await?;
    let one = match db::prepaid::get_use(&mut tx, id).await? {
        Some(known) if known.is_same(contract_id, &request.item, store) && known.payment.is_none() => known,
        Some(_) => return Err(exists(id)),
        None => {
            let asked = Asked { id, item: &request.item, store, payment: None };
            let (one, transfer) = session::reserve(&mut tx, now, &contract, asked).await?;
            db::ledger::reserve(&mut tx, transfer.as_slice()).await?;
            one
        }
    };
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.reserved");
    Ok(reply)
}
