//! `RotationService`.

use std::sync::Arc;

use kernel::{
    Error,
    ids::{StoreId, TherapistId},
};
use prost::Message;
use proto::booking::v1::{self as pb, rotation_service_server::RotationService};
use rpc::{Ctx, paging::PageRequest, unary};
use tonic::{Request, Response, Status};

use super::{convert::rotation as convert, listing, once};
use crate::{
    App, db,
    flows::rotation::{self, AtDesk},
};

pub(super) struct Rotations(pub(super) Arc<App>);

#[tonic::async_trait]
impl RotationService for Rotations {
    async fn get_rotation(&self, request: Request<pb::GetRotationRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            rotation::rotation(&self.0, &ctx.caller, convert::store("name", &request.name)?).await
        })
        .await
    }

    async fn list_rotation_log(
        &self,
        request: Request<pb::ListRotationLogRequest>,
    ) -> Result<Response<pb::ListRotationLogResponse>, Status> {
        unary(request, |ctx, request| async move {
            let store = convert::store("parent", &request.parent)?;
            ctx.caller.see_own(None, Some(store))?;
            let listing = listing(&ctx).with(&request.parent);
            let page = PageRequest::parse(request.page_size, &request.page_token, listing)?;
            let before = page.after().map(str::parse).transpose();
            let before = before.map_err(|_| Error::invalid("page_token", "is not one that this list gave out"))?;
            let entries = db::rotation::log(&mut *self.0.pg.conn().await?, store, before, page.limit()).await?;
            let (entries, next_page_token) = page.cut(entries, |entry| entry.version.to_string());
            let entries = entries.iter().map(convert::to_entry).collect();
            Ok(pb::ListRotationLogResponse { entries, next_page_token })
        })
        .await
    }

    async fn join_rotation(&self, request: Request<pb::JoinRotationRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            self.change(&ctx, &request, &request.request_id, whose, AtDesk::Join, &request.reason).await
        })
        .await
    }

    async fn leave_rotation(
        &self,
        request: Request<pb::LeaveRotationRequest>,
    ) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            self.change(&ctx, &request, &request.request_id, whose, AtDesk::Leave, &request.reason).await
        })
        .await
    }

    async fn skip_turn(&self, request: Request<pb::SkipTurnRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            self.change(&ctx, &request, &request.request_id, whose, AtDesk::Skip, &request.reason).await
        })
        .await
    }

    async fn resume_turn(&self, request: Request<pb::ResumeTurnRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            self.change(&ctx, &request, &request.request_id, whose, AtDesk::Resume, &request.reason).await
        })
        .await
    }

    async fn penalise_turn(&self, request: Request<pb::PenaliseTurnRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            self.change(&ctx, &request, &request.request_id, whose, AtDesk::Penalise, &request.reason).await
        })
        .await
    }

    async fn move_turn(&self, request: Request<pb::MoveTurnRequest>) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let whose = whose(&request.name, &request.therapist)?;
            let deed = AtDesk::Move(usize::try_from(request.place).unwrap_or_default());
            self.change(&ctx, &request, &request.request_id, whose, deed, &request.reason).await
        })
        .await
    }

    async fn set_rotation_rules(
        &self,
        request: Request<pb::SetRotationRulesRequest>,
    ) -> Result<Response<pb::Rotation>, Status> {
        unary(request, |ctx, request| async move {
            let store = convert::store("name", &request.name)?;
            let rules = convert::rules(&request.rules.unwrap_or_default())?;
            let once = once(&ctx, &request.request_id, &request)?;
            rotation::set_rules(&self.0, &ctx.caller, once, store, rules).await
        })
        .await
    }
}

impl Rotations {
    async fn change<Q: Message>(
        &self,
        ctx: &Ctx,
        request: &Q,
        request_id: &str,
        whose: (StoreId, TherapistId),
        deed: AtDesk,
        reason: &str,
    ) -> kernel::Result<pb::Rotation> {
        let once = once(ctx, request_id, request)?;
        rotation::change_turn(&self.0, &ctx.caller, once, whose, deed, reason).await
    }
}

/// On which list, and whose place.
fn whose(name: &str, therapist: &str) -> kernel::Result<(StoreId, TherapistId)> {
    Ok((convert::store("name", name)?, TherapistId::parse_name("therapist", therapist)?))
}
