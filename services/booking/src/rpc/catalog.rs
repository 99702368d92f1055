//! `CatalogService`.

use std::{collections::HashMap, sync::Arc};

use jiff::SignedDuration;
use kernel::{
    Error, Result,
    ids::{ItemId, RoomId, StoreId, TherapistId},
};
use proto::booking::v1::{self as pb, catalog_service_server::CatalogService};
use rpc::{
    convert::timestamp,
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    after_name, convert,
    convert::{Edit, View},
    listing, name_key, once,
};
use crate::{
    App, db,
    db::catalog::{ItemFilter, RoomFilter, TherapistFilter},
    domain::catalog::Store,
    flows::{
        catalog as flows,
        list_stores::{Near, stores_near},
        roster::single_shifts,
    },
};

/// The longest time over which shifts are listed.
const LONGEST: SignedDuration = SignedDuration::from_hours(62 * 24);

pub(super) struct Catalog(pub(super) Arc<App>);

impl Catalog {
    /// Stores for the wire, as they are now.
    async fn to_stores(&self, stores: &[Store], view: View) -> Result<Vec<pb::Store>> {
        let ids: Vec<StoreId> = stores.iter().map(|store| store.id).collect();
        let mut conn = self.0.pg.conn().await?;
        let mut details = db::catalog::store_details(&mut conn, &ids).await?;
        let now = self.0.clock.now();
        Ok(stores
            .iter()
            .map(|store| convert::to_store(store, &details.remove(&store.id).unwrap_or_default(), view, now))
            .collect())
    }
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn get_store(&self, request: Request<pb::GetStoreRequest>) -> Result<Response<pb::Store>, Status> {
        unary(request, |ctx, request| async move {
            let id = StoreId::parse_name("name", &request.name)?;
            let store = db::catalog::get_store(&mut *self.0.pg.conn().await?, id).await?;
            let store = store.ok_or_else(|| Error::not_found(id))?;
            let mut shown = self.to_stores(&[store], View::of(&ctx.caller)).await?;
            shown.pop().ok_or_else(|| Error::not_found(id))
        })
        .await
    }

    async fn list_stores(
        &self,
        request: Request<pb::ListStoresRequest>,
    ) -> Result<Response<pb::ListStoresResponse>, Status> {
        unary(request, |ctx, request| async move {
            let near = convert::near(request.near, request.radius_meters)?;
            let listing = listing(&ctx).with(format!("{near:?}"));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let view = View::of(&ctx.caller);
            if let Some((around, radius)) = near {
                let found =
                    stores_near(&self.0, Near { around, radius, after: after_distance(&page)? }, page.limit()).await?;
                let (found, next_page_token) =
                    page.cut(found, |(store, meters)| format!("{meters}/{}", store.id.uuid()));
                let (stores, distances): (Vec<Store>, Vec<i32>) = found.into_iter().unzip();
                let mut stores = self.to_stores(&stores, view).await?;
                stores.iter_mut().zip(distances).for_each(|(store, meters)| store.distance_meters = Some(meters));
                return Ok(pb::ListStoresResponse { stores, next_page_token });
            }
            let stores =
                db::catalog::list_stores(&mut *self.0.pg.conn().await?, after_name(&page)?, page.limit()).await?;
            let (stores, next_page_token) = page.cut(stores, |store| name_key(&store.display_name, store.id.uuid()));
            Ok(pb::ListStoresResponse { stores: self.to_stores(&stores, view).await?, next_page_token })
        })
        .await
    }

    async fn create_store(&self, request: Request<pb::CreateStoreRequest>) -> Result<Response<pb::Store>, Status> {
        unary(request, |ctx, request| async move {
            let store = convert::store(request.store.clone().unwrap_or_default(), self.0.clock.now())?;
            flows::create_store(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, store).await
        })
        .await
    }

    async fn update_store(&self, request: Request<pb::UpdateStoreRequest>) -> Result<Response<pb::Store>, Status> {
        unary(request, |ctx, request| async move {
            let edit = Edit::new(request.store.as_ref(), request.update_mask.as_ref())?;
            let id = StoreId::parse_name("store.name", edit.name())?;
            flows::update_store(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, edit).await
        })
        .await
    }

    async fn get_item(&self, request: Request<pb::GetItemRequest>) -> Result<Response<pb::Item>, Status> {
        unary(request, |_, request| async move {
            let id = ItemId::parse_name("name", &request.name)?;
            let mut conn = self.0.pg.conn().await?;
            let item = db::catalog::get_item(&mut conn, id).await?.ok_or_else(|| Error::not_found(id))?;
            let cancellations = db::catalog::item_cancellations(&mut conn, &[id]).await?.remove(&id);
            Ok(convert::to_item(&item, &cancellations.unwrap_or_default()))
        })
        .await
    }

    async fn list_items(
        &self,
        request: Request<pb::ListItemsRequest>,
    ) -> Result<Response<pb::ListItemsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let filter = ItemFilter {
                retired: request.show_retired,
                add_on_to: convert::optional(&request.add_on_to, |name| ItemId::parse_name("add_on_to", name))?,
                category: convert::optional(&request.category, |name| Ok(name.to_owned()))?,
            };
            let listing = listing(&ctx).with(format!("{filter:?}"));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let items = db::catalog::list_items(&mut conn, &filter, after_name(&page)?, page.limit()).await?;
            let (items, next_page_token) = page.cut(items, |item| name_key(&item.display_name, item.id.uuid()));
            let ids: Vec<ItemId> = items.iter().map(|item| item.id).collect();
            let mut cancellations: HashMap<_, _> = db::catalog::item_cancellations(&mut conn, &ids).await?;
            let items = items
                .iter()
                .map(|item| convert::to_item(item, &cancellations.remove(&item.id).unwrap_or_default()))
                .collect();
            Ok(pb::ListItemsResponse { items, next_page_token })
        })
        .await
    }

    async fn create_item(&self, request: Request<pb::CreateItemRequest>) -> Result<Response<pb::Item>, Status> {
        unary(request, |ctx, request| async move {
            let item = convert::item(request.item.clone().unwrap_or_default(), self.0.clock.now())?;
            flows::create_item(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, item).await
        })
        .await
    }

    async fn update_item(&self, request: Request<pb::UpdateItemRequest>) -> Result<Response<pb::Item>, Status> {
        unary(request, |ctx, request| async move {
            let edit = Edit::new(request.item.as_ref(), request.update_mask.as_ref())?;
            let id = ItemId::parse_name("item.name", edit.name())?;
            flows::update_item(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, edit).await
        })
        .await
    }

    async fn retire_item(&self, request: Request<pb::RetireItemRequest>) -> Result<Response<pb::Item>, Status> {
        unary(request, |ctx, request| async move {
            let id = ItemId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            flows::retire_item(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn get_therapist(
        &self,
        request: Request<pb::GetTherapistRequest>,
    ) -> Result<Response<pb::Therapist>, Status> {
        unary(request, |ctx, request| async move {
            let id = TherapistId::parse_name("name", &request.name)?;
            let therapist = db::catalog::get_therapist(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_therapist(&therapist.ok_or_else(|| Error::not_found(id))?, View::of(&ctx.caller)))
        })
        .await
    }

    async fn list_therapists(
        &self,
        request: Request<pb::ListTherapistsRequest>,
    ) -> Result<Response<pb::ListTherapistsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let filter = TherapistFilter { store: Some(store), retired: request.show_retired };
            let listing = listing(&ctx).with(format!("{filter:?}"));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let therapists = db::catalog::list_therapists(&mut conn, filter, after_name(&page)?, page.limit()).await?;
            let (therapists, next_page_token) =
                page.cut(therapists, |therapist| name_key(&therapist.display_name, therapist.id.uuid()));
            let view = View::of(&ctx.caller);
            let therapists = therapists.iter().map(|therapist| convert::to_therapist(therapist, view)).collect();
            Ok(pb::ListTherapistsResponse { therapists, next_page_token })
        })
        .await
    }

    async fn create_therapist(
        &self,
        request: Request<pb::CreateTherapistRequest>,
    ) -> Result<Response<pb::Therapist>, Status> {
        unary(request, |ctx, request| async move {
            let therapist = convert::therapist(request.therapist.clone().unwrap_or_default(), self.0.clock.now())?;
            flows::create_therapist(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, therapist).await
        })
        .await
    }

    async fn update_therapist(
        &self,
        request: Request<pb::UpdateTherapistRequest>,
    ) -> Result<Response<pb::Therapist>, Status> {
        unary(request, |ctx, request| async move {
            let edit = Edit::new(request.therapist.as_ref(), request.update_mask.as_ref())?;
            let id = TherapistId::parse_name("therapist.name", edit.name())?;
            flows::update_therapist(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, edit).await
        })
        .await
    }

    async fn retire_therapist(
        &self,
        request: Request<pb::RetireTherapistRequest>,
    ) -> Result<Response<pb::Therapist>, Status> {
        unary(request, |ctx, request| async move {
            let id = TherapistId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            flows::retire_therapist(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn get_room(&self, request: Request<pb::GetRoomRequest>) -> Result<Response<pb::Room>, Status> {
        unary(request, |_, request| async move {
            let id = RoomId::parse_name("name", &request.name)?;
            let room = db::catalog::get_room(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_room(&room.ok_or_else(|| Error::not_found(id))?))
        })
        .await
    }

    async fn list_rooms(
        &self,
        request: Request<pb::ListRoomsRequest>,
    ) -> Result<Response<pb::ListRoomsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let filter = RoomFilter {
                store: Some(StoreId::parse_name("store", &request.store)?),
                retired: request.show_retired,
                kind: convert::optional(&request.kind, |kind| Ok(kind.to_owned()))?,
            };
            let listing = listing(&ctx).with(format!("{filter:?}"));
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let rooms = db::catalog::list_rooms(&mut conn, &filter, after_name(&page)?, page.limit()).await?;
            let (rooms, next_page_token) = page.cut(rooms, |room| name_key(&room.display_name, room.id.uuid()));
            Ok(pb::ListRoomsResponse { rooms: rooms.iter().map(convert::to_room).collect(), next_page_token })
        })
        .await
    }

    async fn create_room(&self, request: Request<pb::CreateRoomRequest>) -> Result<Response<pb::Room>, Status> {
        unary(request, |ctx, request| async move {
            let room = convert::room(request.room.clone().unwrap_or_default(), self.0.clock.now())?;
            flows::create_room(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, room).await
        })
        .await
    }

    async fn update_room(&self, request: Request<pb::UpdateRoomRequest>) -> Result<Response<pb::Room>, Status> {
        unary(request, |ctx, request| async move {
            let edit = Edit::new(request.room.as_ref(), request.update_mask.as_ref())?;
            let id = RoomId::parse_name("room.name", edit.name())?;
            flows::update_room(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id, edit).await
        })
        .await
    }

    async fn retire_room(&self, request: Request<pb::RetireRoomRequest>) -> Result<Response<pb::Room>, Status> {
        unary(request, |ctx, request| async move {
            let id = RoomId::parse_name("name", &request.name)?;
            let once = once(&ctx, &request.request_id, &request)?;
            flows::retire_room(&self.0, &ctx.caller, once, id, &request.etag).await
        })
        .await
    }

    async fn list_shifts(
        &self,
        request: Request<pb::ListShiftsRequest>,
    ) -> Result<Response<pb::ListShiftsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            ctx.caller.see_own(None, Some(store))?;
            let from = timestamp("start_time", request.start_time.as_ref())?;
            let to = timestamp("end_time", request.end_time.as_ref())?;
            if to <= from || to.duration_since(from) > LONGEST {
                return Err(Error::invalid("end_time", "must be later than start_time, by at most 62 days"));
            }
            let listing = listing(&ctx).with(&request.store).with(from.to_string()).with(to.to_string());
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let shifts =
                db::shift::list_of_store(&mut conn, store, (from, to), page.after_time()?, page.limit()).await?;
            let (shifts, next_page_token) = page.cut(shifts, |shift| time_key(shift.start_time, shift.id.uuid()));
            Ok(pb::ListShiftsResponse {
                shifts: shifts.iter().map(convert::roster::to_shift).collect(),
                next_page_token,
            })
        })
        .await
    }

    async fn create_shift(&self, request: Request<pb::CreateShiftRequest>) -> Result<Response<pb::Shift>, Status> {
        unary(request, |ctx, request| async move {
            let shift = request.shift.clone().unwrap_or_default();
            let therapist = TherapistId::parse_name("shift.therapist", &shift.therapist)?;
            let start = timestamp("shift.start_time", shift.start_time.as_ref())?;
            let end = timestamp("shift.end_time", shift.end_time.as_ref())?;
            let once = once(&ctx, &request.request_id, &request)?;
            single_shifts::create(&self.0, &ctx.caller, once, therapist, (start, end)).await
        })
        .await
    }
}

/// A page of a list by distance: after how many metres and which store it starts.
fn after_distance(page: &PageRequest) -> Result<Option<(i32, StoreId)>> {
    let read = |key: &str| {
        let (meters, id) = key.split_once('/')?;
        Some((meters.parse().ok()?, StoreId::from_uuid(kernel::Uuid::try_parse(id).ok()?)))
    };
    page.after()
        .map(|key| read(key).ok_or_else(|| Error::invalid("page_token", "is not one that this list gave out")))
        .transpose()
}
