//! Looking for times: the part of `BookingService` that is about slots.

use kernel::{Error, Result, Uuid, ids::StoreId};
use prost::Message;
use proto::{access::Role, booking::v1 as pb};
use rpc::{
    Caller, Ctx,
    convert::{optional_timestamp, timestamp},
    paging::PageRequest,
};

use super::{
    convert::{
        self,
        slots::{Asked, seek, to_explanation, to_slot},
    },
    listing,
};
use crate::{
    App,
    domain::span::Minute,
    flows::{
        explain_slots::{Explain, explain_slots},
        list_stores::{Near, stores_near},
        search_slots::{Search, search_slots},
    },
};

/// Any store.
const ANY: &str = "stores/-";

/// How many stores around a point are searched.
const NEAREST: i64 = 50;

/// Who may see which visit keeps a therapist.
const SEES_BOOKINGS: [Role; 7] = [
    Role::Therapist,
    Role::FrontDesk,
    Role::StoreManager,
    Role::RegionalManager,
    Role::Support,
    Role::Administrator,
    Role::Auditor,
];

pub(super) async fn search(app: &App, ctx: &Ctx, request: &pb::SearchSlotsRequest) -> Result<pb::SearchSlotsResponse> {
    // The position in the list is a start and a store, so the pages of one search fit together however time goes on.
    let filter = pb::SearchSlotsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let listing = listing(ctx).with(super::hex(&filter.encode_to_vec()));
    let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
    let asked = Asked {
        item: &request.item,
        add_ons: &request.add_ons,
        package: &request.package,
        party_size: request.party_size,
        therapist: &request.therapist,
        sex: request.sex(),
        min_grade: request.min_grade,
        language: &request.language,
        partner: &request.partner,
    };
    let search = Search {
        seek: seek(&ctx.caller, asked)?,
        from: timestamp("start_time", request.start_time.as_ref())?,
        to: timestamp("end_time", request.end_time.as_ref())?,
        daypart: request.daypart.as_ref().map(|part| convert::daypart("daypart", part)).transpose()?,
        after: page.after().map(after).transpose()?,
        limit: usize::try_from(page.limit()).unwrap_or(usize::MAX),
        stores: stores(app, request).await?,
    };
    let found = search_slots(app, &search).await?;
    let (slots, mut next_page_token) = page.cut(found.slots, |slot| key(slot.start, slot.store));
    if let Some(until) = found.until.filter(|_| next_page_token.is_empty()) {
        // Before all stores of that start.
        next_page_token = page.token(&key(until - 1, StoreId::from_uuid(Uuid::max())));
    }
    Ok(pb::SearchSlotsResponse { slots: slots.iter().map(to_slot).collect(), next_page_token })
}

/// The position of a time in the list.
fn key(start: Minute, store: StoreId) -> String {
    format!("{start}/{}", store.uuid())
}

fn after(key: &str) -> Result<(Minute, StoreId)> {
    let read = || {
        let (start, store) = key.split_once('/')?;
        Some((start.parse().ok()?, StoreId::parse_name("page_token", &format!("stores/{store}")).ok()?))
    };
    read().ok_or_else(|| Error::invalid("page_token", "is not one that this list gave out"))
}

/// The stores that are searched, each once.
async fn stores(app: &App, request: &pb::SearchSlotsRequest) -> Result<Vec<StoreId>> {
    let near = convert::near(request.near, request.radius_meters)?;
    if request.store != ANY {
        return match (near, request.stores.is_empty()) {
            (None, true) => Ok(vec![StoreId::parse_name("store", &request.store)?]),
            (Some(_), _) => Err(Error::invalid("near", format!("goes with the store {ANY} only; leave it out"))),
            (None, false) => Err(Error::invalid("stores", format!("go with the store {ANY} only; leave them out"))),
        };
    }
    let mut stores = match (near, request.stores.is_empty()) {
        (None, true) => return Err(Error::invalid("near", "must be given, or stores: say where to look")),
        (Some(_), false) => return Err(Error::invalid("stores", "go without near; leave one of them out")),
        (Some((around, radius)), true) => {
            let near = stores_near(app, Near { around, radius, after: None }, NEAREST).await?;
            near.into_iter().map(|(store, _)| store.id).collect()
        }
        (None, false) => {
            let names = request.stores.iter().enumerate();
            let stores = names.map(|(index, name)| StoreId::parse_name(&format!("stores[{index}]"), name));
            stores.collect::<Result<Vec<_>>>()?
        }
    };
    stores.sort_unstable();
    stores.dedup();
    Ok(stores)
}

pub(super) async fn explain(
    app: &App,
    ctx: &Ctx,
    request: &pb::ExplainSlotsRequest,
) -> Result<pb::ExplainSlotsResponse> {
    let asked = Asked {
        item: &request.item,
        add_ons: &request.add_ons,
        package: &request.package,
        party_size: request.party_size,
        therapist: &request.therapist,
        sex: request.sex(),
        min_grade: request.min_grade,
        language: &request.language,
        partner: &request.partner,
    };
    let store = StoreId::parse_name("store", &request.store)?;
    let explain = Explain {
        store,
        seek: seek(&ctx.caller, asked)?,
        from: timestamp("start_time", request.start_time.as_ref())?,
        to: optional_timestamp("end_time", request.end_time.as_ref())?,
        with_bookings: sees_bookings(&ctx.caller, store),
    };
    let explanations = explain_slots(app, &explain).await?;
    Ok(pb::ExplainSlotsResponse { explanations: explanations.iter().map(to_explanation).collect() })
}

fn sees_bookings(caller: &Caller, store: StoreId) -> bool {
    SEES_BOOKINGS.iter().any(|role| caller.has_role(*role)) && caller.see_own(None, Some(store)).is_ok()
}
