//! `PreferenceService`.

use std::sync::Arc;

use kernel::ids::MemberId;
use proto::booking::v1::{self as pb, preference_service_server::PreferenceService};
use rpc::unary;
use tonic::{Request, Response, Status};

use super::{convert::preference as convert, once};
use crate::{App, db, flows::set_preference::set_preference};

pub(super) struct Preferences(pub(super) Arc<App>);

#[tonic::async_trait]
impl PreferenceService for Preferences {
    async fn list_therapist_preferences(
        &self,
        request: Request<pb::ListTherapistPreferencesRequest>,
    ) -> Result<Response<pb::ListTherapistPreferencesResponse>, Status> {
        unary(request, |ctx, request| async move {
            let customer = MemberId::parse_name("parent", &request.parent)?;
            ctx.caller.see_own(Some(customer), None)?;
            let said = db::preference::of_customer(&mut *self.0.pg.conn().await?, customer).await?;
            let preferences =
                said.into_iter().map(|(therapist, said)| convert::to_preference(therapist, Some(said))).collect();
            Ok(pb::ListTherapistPreferencesResponse { preferences })
        })
        .await
    }

    async fn set_therapist_preference(
        &self,
        request: Request<pb::SetTherapistPreferenceRequest>,
    ) -> Result<Response<pb::TherapistPreference>, Status> {
        unary(request, |ctx, request| async move {
            let customer = MemberId::parse_name("parent", &request.parent)?;
            let said = convert::preference(request.preference.as_ref().unwrap_or(&pb::TherapistPreference::default()))?;
            let once = once(&ctx, &request.request_id, &request)?;
            set_preference(&self.0, &ctx.caller, once, customer, said).await
        })
        .await
    }
}
