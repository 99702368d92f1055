//! `CalendarService`.

use std::sync::Arc;

use kernel::{
    Result,
    ids::{BookingId, CalendarLinkId, StoreId, TherapistId},
};
use proto::{
    booking::v1::{self as pb, calendar_service_server::CalendarService},
    google::api::HttpBody,
};
use rpc::{
    paging::{PageRequest, time_key},
    unary,
};
use tonic::{Request, Response, Status};

use super::{
    convert::{
        self,
        calendar::{to_body, to_link},
    },
    listing, once,
};
use crate::{
    App, db,
    flows::calendar::{
        links::{self, Wanted},
        read,
    },
};

pub(super) struct Calendars(pub(super) Arc<App>);

#[tonic::async_trait]
impl CalendarService for Calendars {
    async fn get_calendar(&self, request: Request<pb::GetCalendarRequest>) -> Result<Response<HttpBody>, Status> {
        unary(request, |_, request| async move { Ok(to_body(read::feed(&self.0, &request.token).await?)) }).await
    }

    async fn get_booking_calendar(
        &self,
        request: Request<pb::GetBookingCalendarRequest>,
    ) -> Result<Response<HttpBody>, Status> {
        unary(request, |ctx, request| async move {
            let id = BookingId::parse_name("name", &request.name)?;
            Ok(to_body(read::visit(&self.0, &ctx.caller, id).await?))
        })
        .await
    }

    async fn create_calendar_link(
        &self,
        request: Request<pb::CreateCalendarLinkRequest>,
    ) -> Result<Response<pb::CalendarLink>, Status> {
        unary(request, |ctx, request| async move {
            let wanted = Wanted {
                store: StoreId::parse_name("store", &request.store)?,
                therapist: convert::optional(&request.therapist, |n| TherapistId::parse_name("therapist", n))?,
                display_name: request.display_name.clone(),
            };
            links::create(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, wanted).await
        })
        .await
    }

    async fn list_calendar_links(
        &self,
        request: Request<pb::ListCalendarLinksRequest>,
    ) -> Result<Response<pb::ListCalendarLinksResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = StoreId::parse_name("store", &request.store)?;
            ctx.caller.see_own(None, Some(store))?;
            let listing = listing(&ctx).with(&request.store).with(request.show_revoked.to_string());
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let mut conn = self.0.pg.conn().await?;
            let (after, limit) = (page.after_time()?, page.limit());
            let links = db::calendar_link::list(&mut conn, store, request.show_revoked, after, limit).await?;
            let (links, next_page_token) = page.cut(links, |link| time_key(link.create_time, link.id.uuid()));
            let calendar_links = links.iter().map(|link| to_link(link, &self.0.links)).collect();
            Ok(pb::ListCalendarLinksResponse { calendar_links, next_page_token })
        })
        .await
    }

    async fn revoke_calendar_link(
        &self,
        request: Request<pb::RevokeCalendarLinkRequest>,
    ) -> Result<Response<pb::CalendarLink>, Status> {
        unary(request, |ctx, request| async move {
            let id = CalendarLinkId::parse_name("name", &request.name)?;
            links::revoke(&self.0, &ctx.caller, once(&ctx, &request.request_id, &request)?, id).await
        })
        .await
    }
}
