//! A contract is sold: a draft, with the order that pays it.

use kernel::{
    Error, ErrorKind, Money, Result,
    ids::{ContractId, MemberId, StoreId, parse_uuid},
};
use pg::idempotency::{self, Begin};
use proto::payment::v1 as pb;
use rpc::Ctx;

use super::{super::create_order::create_in_tx, record::tell};
use crate::{
    App, db,
    domain::{
        Line, NewOrder, Subject,
        prepaid::{Contract, NewContract},
    },
    flows::ledger::close_days::zone,
    rpc::convert::{self, prepaid},
};

/// Makes a contract with its order, or finds the one made before from the same content.
///
/// # Errors
/// `CONTRACT_EXISTS` if there is one of that id with other content; `InvalidArgument` naming each wrong field;
/// `PermissionDenied` for staff of another store.
pub async fn create_contract(app: &App, ctx: Ctx, request: pb::CreateContractRequest) -> Result<pb::Contract> {
    let key = convert::key(&ctx, &request.request_id)?;
    let (id, customer, store) = (
        ContractId::from_uuid(parse_uuid("contract_id", &request.contract_id)?),
        MemberId::parse_name("customer", &request.customer)?,
        StoreId::parse_name("store", &request.store)?,
    );
    ctx.caller.see_own(None, Some(store))?;
    // The validation rules have seen that there are terms.
    let terms = prepaid::terms(&request.terms.clone().unwrap_or_default())?;
    let now = app.clock.now();

    let mut tx = app.pg.begin().await?;
    let ticket = match idempotency::begin(&mut tx, now, key, &request).await? {
        Begin::Replay(reply) => return Ok(reply),
        Begin::Fresh(ticket) => ticket,
    };
    let zone = zone(app, &mut tx, Some(store)).await?;
    let time_zone = zone.iana_name().unwrap_or(&app.policy.time_zone).to_owned();
    let new = NewContract { id, customer, store, terms, time_zone };
    let contract = Contract::create(new.clone(), now)?;
    let known = db::prepaid::get(&mut tx, id).await?;
    let contract = match known {
        Some(known) if known.is_made_from(&new) => known,
        Some(_) => return Err(exists(id)),
        None => {
            create_in_tx(&mut tx, now, order(&contract)).await?;
            if !db::prepaid::insert(&mut tx, &contract).await? {
                return Err(exists(id));
            }
            tell(&mut tx, now, ctx.caller.subject(), &contract, &[contract.made()]).await?;
            contract
        }
    };
    let reply = prepaid::contract(&contract, contract.day(now)?);
    ticket.finish(&mut tx, &reply).await?;
    tx.commit().await?;
    kernel::crash::point("payment.contract.created");
    Ok(reply)
}

/// What pays a contract.
fn order(contract: &Contract) -> NewOrder {
    let nothing = Money::zero(contract.terms.price.currency());
    let described = contract.terms.items.iter().map(|item| item.display_name.as_str()).find(|name| !name.is_empty());
    NewOrder {
        id: contract.order,
        subject: Subject::Contract(contract.id),
        customer: contract.buyer,
        store: contract.store,
        lines: vec![Line {
            item: contract.id.name(),
            display_name: described.unwrap_or_default().to_owned(),
            amount: contract.terms.price,
            discount: nothing,
            amendment: None,
        }],
        discount: nothing,
        deposit: nothing,
    }
}

fn exists(id: ContractId) -> Error {
    let message = "there is a contract of this id with other content";
    Error::new(ErrorKind::AlreadyExists, "CONTRACT_EXISTS", message).with("contract", id)
}
