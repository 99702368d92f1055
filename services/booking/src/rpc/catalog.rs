//! `CatalogService`.

use std::sync::Arc;

use jiff::SignedDuration;
use kernel::{
    Error,
    ids::{ItemId, StoreId, TherapistId},
};
use proto::booking::v1::{self as pb, catalog_service_server::CatalogService};
use rpc::{
    convert::timestamp,
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{after_name, convert, listing, name_key, once};
use crate::{
    App, db,
    flows::{catalog as flows, roster::single_shifts},
};

/// The longest time over which shifts are listed.
const LONGEST: SignedDuration = SignedDuration::from_hours(62 * 24);

pub(super) struct Catalog(pub(super) Arc<App>);

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn get_store(&self, request: Request<pb::GetStoreRequest>) -> Result<Response<pb::Store>, Status> {
        unary(request, |_, request| async move {
            let id = StoreId::parse_name("name", &request.name)?;
            let store = db::catalog::get_store(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_store(&store.ok_or_else(|| Error::not_found(id))?))
        })
        .await
    }

    async fn list_stores(
        &self,
        request: Request<pb::ListStoresRequest>,
    ) -> Result<Response<pb::ListStoresResponse>, Status> {
        unary(request, |ctx, request| async move {
            let page = PageRequest::parse(request.page_size, &request.page_token, listing(&ctx))?;
            let mut conn = self.0.pg.conn().await?;
            let stores = db::catalog::list_stores(&mut conn, after_name(&page)?, page.limit()).await?;
            let (stores, next_page_token) = page.cut(stores, |store| name_key(&store.display_name, store.id.uuid()));
            Ok(pb::ListStoresResponse { stores: stores.iter().map(convert::to_store).collect(), next_page_token })
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

    async fn get_item(&self, request: Request<pb::GetItemRequest>) -> Result<Response<pb::Item>, Status> {
        unary(request, |_, request| async move {
            let id = ItemId::parse_name("name", &request.name)?;
            let item = db::catalog::get_item(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_item(&item.ok_or_else(|| Error::not_found(id))?))
        })
        .await
    }

    async fn list_items(
        &self,
        request: Request<pb::ListItemsRequest>,
    ) -> Result<Response<pb::ListItemsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let page = PageRequest::parse(request.page_size, &request.page_token, listing(&ctx))?;
            let mut conn = self.0.pg.conn().await?;
            let items = db::catalog::list_items(&mut conn, after_name(&page)?, page.limit()).await?;
            let (items, next_page_token) = page.cut(items, |item| name_key(&item.display_name, item.id.uuid()));
            Ok(pb::ListItemsResponse { items: items.iter().map(convert::to_item).collect(), next_page_token })
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

    async fn get_therapist(
        &self,
        request: Request<pb::GetTherapistRequest>,
    ) -> Result<Response<pb::Therapist>, Status> {
        unary(request, |_, request| async move {
            let id = TherapistId::parse_name("name", &request.name)?;
            let therapist = db::catalog::get_therapist(&mut *self.0.pg.conn().await?, id).await?;
            Ok(convert::to_therapist(&therapist.ok_or_else(|| Error::not_found(id))?))
        })
        .await
    }

    async fn list_therapists(
        &self,
        request: Request<pb::ListTherapistsRequest>,
    ) -> Result<Response<pb::ListTherapistsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let page = PageRequest::parse(request.page_size, &request.page_token, listing(&ctx).with(&request.store))?;
            let mut conn = self.0.pg.conn().await?;
            let therapists = db::catalog::list_therapists(&mut conn, store, after_name(&page)?, page.limit()).await?;
            let (therapists, next_page_token) =
                page.cut(therapists, |therapist| name_key(&therapist.display_name, therapist.id.uuid()));
            let therapists = therapists.iter().map(convert::to_therapist).collect();
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

    async fn list_rooms(
        &self,
        request: Request<pb::ListRoomsRequest>,
    ) -> Result<Response<pb::ListRoomsResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            let page = PageRequest::parse(request.page_size, &request.page_token, listing(&ctx).with(&request.store))?;
            let mut conn = self.0.pg.conn().await?;
            let rooms = db::catalog::list_rooms(&mut conn, store, after_name(&page)?, page.limit()).await?;
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
