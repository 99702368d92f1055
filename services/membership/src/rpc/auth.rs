//! `AuthService`.

use std::sync::Arc;

use kernel::ids::{StoreId, parse_uuid};
use proto::{
    google::api::HttpBody,
    membership::v1::{self as pb, auth_service_server::AuthService},
};
use rpc::unary;
use tonic::{Request, Response, Status};

use super::convert::optional;
use crate::{
    App,
    domain::{
        member::{Person, display_name},
        phone::Phone,
    },
    flows::{
        NewMember, once::Once, refresh_tokens::refresh_tokens, register_member::register_member, send_code::send_code,
        sign_in::sign_in, sign_in_staff::sign_in_staff, sign_out::sign_out, signing_keys::jwks,
    },
};

pub(super) struct Auth(pub(super) Arc<App>);

#[tonic::async_trait]
impl AuthService for Auth {
    async fn send_code(&self, request: Request<pb::SendCodeRequest>) -> Result<Response<pb::SendCodeResponse>, Status> {
        unary(request, |_, request| async move {
            let phone = Phone::parse("phone", &request.phone)?;
            send_code(&self.0, &phone, parse_uuid("request_id", &request.request_id)?).await
        })
        .await
    }

    async fn register_member(
        &self,
        request: Request<pb::RegisterMemberRequest>,
    ) -> Result<Response<pb::SignInResponse>, Status> {
        unary(request, |ctx, request| async move {
            let request_id = parse_uuid("request_id", &request.request_id)?;
            let once = Once::public(&self.0, ctx.method, request_id, &request);
            let new = NewMember {
                person: Person {
                    phone: Phone::parse("phone", &request.phone)?,
                    display_name: display_name("display_name", &request.display_name)?,
                },
                store: optional(&request.store, |name| StoreId::parse_name("store", name))?,
                terms_version: request.terms_version,
            };
            register_member(&self.0, &once, new, &request.code).await
        })
        .await
    }

    async fn sign_in(&self, request: Request<pb::SignInRequest>) -> Result<Response<pb::SignInResponse>, Status> {
        unary(request, |ctx, request| async move {
            let request_id = parse_uuid("request_id", &request.request_id)?;
            let once = Once::public(&self.0, ctx.method, request_id, &request);
            sign_in(&self.0, &once, &Phone::parse("phone", &request.phone)?, &request.code).await
        })
        .await
    }

    async fn sign_in_staff(
        &self,
        request: Request<pb::SignInStaffRequest>,
    ) -> Result<Response<pb::SignInResponse>, Status> {
        unary(request, |ctx, request| async move {
            let request_id = parse_uuid("request_id", &request.request_id)?;
            let once = Once::public(&self.0, ctx.method, request_id, &request);
            sign_in_staff(&self.0, &once, &request.user_name, &request.password).await
        })
        .await
    }

    async fn refresh_tokens(
        &self,
        request: Request<pb::RefreshTokensRequest>,
    ) -> Result<Response<pb::SignInResponse>, Status> {
        unary(request, |ctx, request| async move {
            let request_id = parse_uuid("request_id", &request.request_id)?;
            let once = Once::public(&self.0, ctx.method, request_id, &request);
            refresh_tokens(&self.0, &once, &request.refresh_token).await
        })
        .await
    }

    async fn sign_out(&self, request: Request<pb::SignOutRequest>) -> Result<Response<()>, Status> {
        unary(request, |_, request| async move { sign_out(&self.0, &request.refresh_token).await }).await
    }

    async fn get_jwks(&self, request: Request<pb::GetJwksRequest>) -> Result<Response<HttpBody>, Status> {
        unary(request, |_, _| async move {
            let data = jwks(&self.0).await?.into();
            Ok(HttpBody { content_type: "application/json".to_owned(), data, extensions: Vec::new() })
        })
        .await
    }
}
