//! A contract rests, is extended, or is handed over.

use jiff::civil::Date;
use kernel::{
    Error, Result,
    ids::{ContractId, MemberId},
};
use pg::idempotency::{self, Begin};
use prost::Message;
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{earn_time, lock, record::record};
use crate::{
    App,
    domain::prepaid::{Change, Contract},
    rpc::convert::{self, prepaid},
};

/// Lets a contract rest from today on.
///
/// # Errors
/// `CONTRACT_NOT_ACTIVE`, `CONTRACT_FROZEN`, `USES_RESERVED` or `FREEZE_LIMIT`; `NotFound`, `PermissionDenied`.
pub async fn freeze_contract(app: &App, ctx: Ctx, request: pb::FreezeContractRequest) -> Result<pb::Contract> {
    let days = days(request.days)?;
    let (name, id) = (request.name.clone(), request.request_id.clone());
    alter(app, ctx, &name, &id, &request, |contract, today| contract.freeze(days, today)).await
}

/// Ends the rest of a contract today.
///
/// # Errors
/// `CONTRACT_NOT_FROZEN`; `NotFound`, `PermissionDenied`.
pub async fn unfreeze_contract(app: &App, ctx: Ctx, request: pb::UnfreezeContractRequest) -> Result<pb::Contract> {
    let (name, id) = (request.name.clone(), request.request_id.clone());
    alter(app, ctx, &name, &id, &request, Contract::unfreeze).await
}

/// Moves the end of a contract.
///
/// # Errors
/// `CONTRACT_ENDED`, `CONTRACT_LAPSED` or `NO_END`; `NotFound`, `PermissionDenied`.
pub async fn extend_contract(app: &App, ctx: Ctx, request: pb::ExtendContractRequest) -> Result<pb::Contract> {
    let days = days(request.days)?;
    let (name, id) = (request.name.clone(), request.request_id.clone());
    alter(app, ctx, &name, &id, &request, |contract, today| contract.extend(days, today)).await
}

/// Hands a contract over to another consumer.
///
/// # Errors
/// `CONTRACT_NOT_ACTIVE` or `USES_RESERVED`; `InvalidArgument`; `NotFound`, `PermissionDenied`.
pub async fn transfer_contract(app: &App, ctx: Ctx, request: pb::TransferContractRequest) -> Result<pb::Contract> {
    let holder = MemberId::parse_name("holder", &request.holder)?;
    let (name, id) = (request.name.clone(), request.request_id.clone());
    alter(app, ctx, &name, &id, &request, |contract, today| contract.transfer(holder, today)).await
}

fn days(days: i32) -> Result<u16> {
    u16::try_from(days).map_err(|_| Error::invalid("days", "must be from 1 to 3660"))
}

async fn alter<Q: Message>(
    app: &App,
    ctx: Ctx,
    name: &str,
    request_id: &str,
    request: &Q,
    change: impl FnOnce(&mut Contract, Date) -> Result<Change>,
) -> Result<pb::Contract> {
    let id = ContractId::parse_name("name", name)?;
    let key = convert::key(&ctx, request_id)?;
    let now = app.clock.now();
    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin::<_, pb::Contract>(&mut tx, now, key, request).await? {
        Begin::Replay(reply) => {
            // Nothing is told that the first answer didn't tell the same caller.
            ctx.caller.see_own(ctx.caller.member(), ctx.caller.bound_store())?;
            return Ok(reply);
        }
        Begin::Fresh(ticket) => ticket,
    };
    let mut contract = lock(&mut tx, id).await?;
    ctx.caller.see_own(Some(contract.holder), Some(contract.store))?;
    let (before, today) = (contract.version, contract.day(now)?);
    // What was earned by now was so by the days that were agreed until now.
    earn_time(&mut tx, now, &mut contract, today.yesterday().unwrap_or(today)).await?;
    let change = change(&mut contract, today)?;
    record(&mut tx, now, ctx.caller.subject(), before, &contract, &[change]).await?;
    let reply = prepaid::contract(&contract, today);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.contract.altered");
    Ok(reply)
}
