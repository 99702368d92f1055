//! Reading contracts.

use jiff::civil::Date;
use jiff_sqlx::ToSqlx;
use kernel::{
    Timestamp, Uuid,
    ids::{ContractId, MemberId, OrderId, StoreId},
};
use pg::{Error, PgConnection, Result};

use super::super::{currency, money};
use crate::domain::{
    prepaid::{Contract, Item, Session, State, Terms},
    refund_law::{self, AgreedCoolingOff, Days, DeliveredTerm, InterestFrom, KnownService, Ppm},
};

/// Locks a contract against every other change of it, then reads it. `None` if there is none of that id.
#[tracing::instrument(name = "db.prepaid_contract.lock", skip_all)]
pub async fn lock(conn: &mut PgConnection, id: ContractId) -> Result<Option<Contract>> {
    // Read by a statement of its own after the lock: only that one sees what the holder before us has committed.
    sqlx::query!("select id from prepaid_contract where id = $1 for update", id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    get(conn, id).await
}

/// The same of the contract that an order is for.
#[tracing::instrument(name = "db.prepaid_contract.lock_of_order", skip_all)]
pub async fn lock_of_order(conn: &mut PgConnection, order: OrderId) -> Result<Option<Contract>> {
    let id = sqlx::query_scalar!("select id from prepaid_contract where order_id = $1 for update", order.uuid())
        .fetch_optional(&mut *conn)
        .await?;
    match id {
        Some(id) => get(conn, ContractId::from_uuid(id)).await,
        None => Ok(None),
    }
}

/// Reads a contract. `None` if there is none of that id.
#[tracing::instrument(name = "db.prepaid_contract.get", skip_all)]
pub async fn get(conn: &mut PgConnection, id: ContractId) -> Result<Option<Contract>> {
    Ok(read(conn, &[id.uuid()]).await?.pop())
}

/// Which contracts to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only of this holder.
    pub holder: Option<MemberId>,
    /// Only those sold by this store.
    pub store: Option<StoreId>,
    /// Only those older than the contract made then, of that id.
    pub after: Option<(Timestamp, Uuid)>,
}

/// Contracts, the newest first, `limit` at most.
#[tracing::instrument(name = "db.prepaid_contract.list", skip_all)]
pub async fn list(conn: &mut PgConnection, filter: Filter, limit: i64) -> Result<Vec<Contract>> {
    let (time, id) = filter.after.unzip();
    let ids = sqlx::query_scalar!(
        "select id from prepaid_contract
         where ($1::uuid is null or holder_id = $1) and ($2::uuid is null or store_id = $2)
           and ($3::timestamptz is null or (create_time, id) < ($3, $4))
         order by create_time desc, id desc
         limit $5",
        filter.holder.map(MemberId::uuid),
        filter.store.map(StoreId::uuid),
        time.map(|time| time.to_sqlx()) as _,
        id,
        limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    read(conn, &ids).await
}

/// What the worker looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// Contracts in use whose last day was before this one.
    Over(Date),
    /// Expired ones whose last day was before this one, of which something is owed.
    Lapsed(Date),
}

/// The contracts that are due, `limit` at most. What is set aside keeps a contract from being over.
#[tracing::instrument(name = "db.prepaid_contract.watched", skip_all)]
pub async fn watched(conn: &mut PgConnection, what: Watched, limit: i64) -> Result<Vec<ContractId>> {
    let ids = match what {
        Watched::Over(before) => {
            sqlx::query_scalar!(
                "select id from prepaid_contract as contract
                 where state = 'active' and end_date < $1
                   and not exists (select from prepaid_use where contract_id = contract.id and state = 'reserved')
                 order by end_date, id limit $2",
                before.to_sqlx() as _,
                limit,
            )
            .fetch_all(conn)
            .await?
        }
        Watched::Lapsed(before) => {
            sqlx::query_scalar!(
                "select id from prepaid_contract
                 where state = 'expired' and recognised_minor < price_minor and end_date < $1
                 order by end_date, id limit $2",
                before.to_sqlx() as _,
                limit,
            )
            .fetch_all(conn)
            .await?
        }
    };
    Ok(ids.into_iter().map(ContractId::from_uuid).collect())
}

/// Reads contracts in the order of `ids`.
async fn read(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Contract>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select contract.id, order_id, store_id, buyer_id, holder_id, time_zone, currency, price_minor, days,
                max_freeze_days, known_service, cooling_off_days, cooling_off_known, at_discount_price, share_of_list_ppm,
                interest_rate_ppm, interest_from, state, start_date, end_date, recognised_minor, breakage_minor,
                create_time, version
           from unnest($1::uuid[]) with ordinality as wanted (id, place)
                join prepaid_contract as contract on contract.id = wanted.id
           order by place"#,
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut contracts: Vec<Contract> = rows.into_iter().map(Row::read).collect::<Result<_>>()?;
    let items = sqlx::query!(
        "select contract_id, item, display_name, quantity, bonus, list_minor from prepaid_item
         where contract_id = any($1) order by contract_id, position",
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in items {
        let Some(contract) = of(&mut contracts, row.contract_id) else { continue };
        contract.terms.items.push(Item {
            item: row.item,
            display_name: row.display_name,
            quantity: u32::try_from(row.quantity).unwrap_or_default(),
            bonus: u32::try_from(row.bonus).unwrap_or_default(),
            list_price: money(contract.terms.price.currency())(row.list_minor),
        });
    }
    let freezes = sqlx::query!(
        "select contract_id, first_date, last_date from prepaid_freeze
         where contract_id = any($1) order by contract_id, first_date",
        ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    for row in freezes {
        let Some(contract) = of(&mut contracts, row.contract_id) else { continue };
        contract.frozen.push(Days { first: row.first_date.to_jiff(), last: row.last_date.to_jiff() });
    }
    let sessions = sqlx::query!(
        "select contract_id, item_position, ordinal, state from prepaid_use
         where contract_id = any($1) and state in ('reserved', 'committed') order by contract_id, item_position, ordinal",
        ids,
    )
    .fetch_all(conn)
    .await?;
    for row in sessions {
        let Some(contract) = of(&mut contracts, row.contract_id) else { continue };
        contract.sessions.push(Session {
            position: row.item_position.and_then(|position| usize::try_from(position).ok()),
            ordinal: u32::try_from(row.ordinal).unwrap_or_default(),
            had: row.state == "committed",
        });
    }
    Ok(contracts)
}

fn of(contracts: &mut [Contract], id: Uuid) -> Option<&mut Contract> {
    contracts.iter_mut().find(|contract| contract.id.uuid() == id)
}

struct Row {
    id: Uuid,
    order_id: Uuid,
    store_id: Uuid,
    buyer_id: Uuid,
    holder_id: Uuid,
    time_zone: String,
    currency: String,
    price_minor: i64,
    days: Option<i32>,
    max_freeze_days: i32,
    known_service: String,
    cooling_off_days: Option<i32>,
    cooling_off_known: bool,
    at_discount_price: bool,
    share_of_list_ppm: Option<i32>,
    interest_rate_ppm: Option<i32>,
    interest_from: Option<String>,
    state: String,
    start_date: Option<jiff_sqlx::Date>,
    end_date: Option<jiff_sqlx::Date>,
    recognised_minor: i64,
    breakage_minor: i64,
    create_time: jiff_sqlx::Timestamp,
    version: i64,
}

impl Row {
    fn read(self) -> Result<Contract> {
        let money = money(currency("prepaid_contract", self.id, &self.currency)?);
        let unknown = |what: &str| Error::inconsistent("prepaid_contract", self.id, format!("has the {what}"));
        let days = |days: i32| u16::try_from(days).map_err(|_| unknown("wrong number of days"));
        let ppm = |ppm: i32| Ppm(u32::try_from(ppm).unwrap_or_default());
        let known_service = match self.known_service.as_str() {
            "new" => KnownService::New,
            "this_merchant" => KnownService::FromThisMerchant,
            "another_merchant" => KnownService::FromAnotherMerchant,
            other => return Err(unknown(&format!("service {other}"))),
        };
        let cooling_off = self.cooling_off_days.map(days).transpose()?;
        let refund = refund_law::Terms {
            cooling_off: cooling_off.map(|days| AgreedCoolingOff { days, for_known_service: self.cooling_off_known }),
            delivered: match (self.at_discount_price, self.share_of_list_ppm) {
                (true, _) => Some(DeliveredTerm::DiscountPrice),
                (false, Some(share)) => Some(DeliveredTerm::ShareOfList(ppm(share))),
                (false, None) => None,
            },
            interest_rate: self.interest_rate_ppm.map(ppm),
            interest_from: match self.interest_from.as_deref() {
                None => None,
                Some("payment") => Some(InterestFrom::Payment),
                Some("request") => Some(InterestFrom::Request),
                Some(other) => return Err(unknown(&format!("start of interest {other}"))),
            },
        };
        Ok(Contract {
            id: ContractId::from_uuid(self.id),
            order: OrderId::from_uuid(self.order_id),
            store: StoreId::from_uuid(self.store_id),
            buyer: MemberId::from_uuid(self.buyer_id),
            holder: MemberId::from_uuid(self.holder_id),
            terms: Terms {
                price: money(self.price_minor),
                items: Vec::new(),
                days: self.days.map(days).transpose()?,
                max_freeze_days: days(self.max_freeze_days)?,
                known_service,
                refund,
            },
            state: State::from_stored(&self.state).ok_or_else(|| unknown(&format!("state {}", self.state)))?,
            time_zone: self.time_zone,
            start: self.start_date.map(jiff_sqlx::Date::to_jiff),
            end: self.end_date.map(jiff_sqlx::Date::to_jiff),
            frozen: Vec::new(),
            sessions: Vec::new(),
            recognised: money(self.recognised_minor),
            breakage: money(self.breakage_minor),
            create_time: self.create_time.to_jiff(),
            version: self.version,
        })
    }
}
