//! A session is set aside for a visit.

use std::time::Duration;

use kernel::{
    Error, ErrorKind, Money, Result,
    ids::{ContractId, ContractUseId, StoreId, parse_uuid},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::lock;
use crate::{
    App, db,
    domain::{
        ledger::Transfer,
        prepaid::{Use, UseState, settlement},
    },
    rpc::convert::{self, prepaid},
};

/// Membership decides each use; what it sets aside must not come to nothing by itself before.
const SET_ASIDE: Duration = Duration::from_secs(3_660 * 24 * 60 * 60);

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
        Some(known) if known.is_same(contract_id, &request.item, store) => known,
        Some(_) => return Err(exists(id)),
        None => {
            let session = contract.next_session(&request.item, contract.day(now)?)?;
            let value = match session.position {
                Some(position) => contract.terms.value(position, session.ordinal)?,
                None => Money::zero(contract.terms.price.currency()),
            };
            let one = Use {
                id,
                contract: contract_id,
                item: request.item.clone(),
                position: session.position,
                ordinal: session.ordinal,
                store,
                value,
                state: UseState::Reserved,
                create_time: now,
            };
            match db::prepaid::insert_use(&mut tx, &one).await {
                // It came about in another contract meanwhile.
                Err(error) if error.is_constraint("prepaid_use_pkey") => return Err(exists(id)),
                stored => stored?,
            }
            if let Some(transfer) = one.transfer() {
                let booking = settlement::delivered(&contract, &one)?;
                let transfer = Transfer::try_new(transfer, booking, now, now + SET_ASIDE)?;
                db::ledger::reserve(&mut tx, &[transfer]).await?;
            }
            one
        }
    };
    let reply = prepaid::used(&one);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.use.reserved");
    Ok(reply)
}

fn exists(id: ContractUseId) -> Error {
    let message = "there is a use of this id with other content";
    Error::new(ErrorKind::AlreadyExists, "USE_EXISTS", message).with("use", id)
}
