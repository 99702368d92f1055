//! Keys fetched from the membership service.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use kernel::ErrorKind;
use proto::{
    google::api::HttpBody,
    membership::v1::{
        auth_service_server::{AuthService, AuthServiceServer},
        *,
    },
};
use rpc::{
    JwksKeySource, KeySource, StaticKeys,
    client::{KeepAlive, channel},
    token::PublicKey,
};
use tonic::{Request, Response, Status, transport::Server};

use crate::world::{World, listen};

/// A membership service that has these keys, and counts how often it is asked; without keys it is broken.
#[derive(Clone, Default)]
struct Membership {
    keys: Arc<Mutex<Option<Vec<&'static str>>>>,
    asked: Arc<AtomicUsize>,
}

impl Membership {
    fn with(keys: &[&'static str]) -> Self {
        let membership = Self::default();
        membership.set(Some(keys.to_vec()));
        membership
    }

    fn set(&self, keys: Option<Vec<&'static str>>) {
        *self.keys.lock().expect("not poisoned") = keys;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn source(&self) -> JwksKeySource {
        // The public RPC is served behind the same layer as all others.
        let router = Server::builder().layer(World::new().layer()).add_service(AuthServiceServer::new(self.clone()));
        JwksKeySource::new(listen(router).await.1, StaticKeys::new())
    }
}

#[tonic::async_trait]
impl AuthService for Membership {
    async fn get_jwks(&self, _: Request<GetJwksRequest>) -> Result<Response<HttpBody>, Status> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let keys = self.keys.lock().expect("not poisoned").clone().ok_or_else(|| Status::internal("broken"))?;
        let keys: Vec<_> = keys.into_iter().map(|kid| PublicKey::from_bytes([5; 32]).jwk(kid)).collect();
        let data = serde_json::json!({ "keys": keys }).to_string().into();
        Ok(Response::new(HttpBody { content_type: "application/jwk-set+json".to_owned(), data, extensions: vec![] }))
    }

    async fn send_code(&self, _: Request<SendCodeRequest>) -> Result<Response<SendCodeResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn register_member(&self, _: Request<RegisterMemberRequest>) -> Result<Response<SignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn sign_in(&self, _: Request<SignInRequest>) -> Result<Response<SignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn sign_in_staff(&self, _: Request<SignInStaffRequest>) -> Result<Response<SignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn refresh_tokens(&self, _: Request<RefreshTokensRequest>) -> Result<Response<SignInResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn sign_out(&self, _: Request<SignOutRequest>) -> Result<Response<()>, Status> {
        Err(Status::unimplemented(""))
    }
}

/// Lets time pass for the keys' age only; connections go by the real time again after it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

async fn finds(source: &JwksKeySource, kid: &str) -> Result<bool, ErrorKind> {
    source.key(kid).await.map(|found| found.is_some()).map_err(|error| error.kind())
}

#[tokio::test]
async fn keys_are_fetched_once_and_unknown_ones_do_not_flood_membership() {
    let membership = Membership::with(&["one"]);
    let source = membership.source().await;
    for _ in 0..10 {
        assert_eq!(finds(&source, "one").await, Ok(true));
        assert_eq!(finds(&source, "forged").await, Ok(false));
    }
    assert_eq!(membership.asked(), 1);
}

#[tokio::test]
async fn many_callers_at_once_ask_once() {
    let membership = Membership::with(&["one"]);
    let source = Arc::new(membership.source().await);
    let callers: Vec<_> = (0..50)
        .map(|_| {
            let source = Arc::clone(&source);
            tokio::spawn(async move { finds(&source, "one").await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.expect("no panic"), Ok(true));
    }
    assert_eq!(membership.asked(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_found_after_five_seconds() {
    let membership = Membership::with(&["one"]);
    let source = membership.source().await;
    assert_eq!(finds(&source, "one").await, Ok(true));
    membership.set(Some(vec!["one", "two"]));
    assert_eq!(finds(&source, "two").await, Ok(false));
    pass(Duration::from_secs(6)).await;
    assert_eq!(finds(&source, "two").await, Ok(true));
    membership.set(Some(vec!["two"]));
    pass(Duration::from_secs(301)).await;
    assert_eq!(finds(&source, "one").await, Ok(false), "a withdrawn key is forgotten");
}

#[tokio::test]
async fn without_membership_known_keys_go_on_and_unknown_ones_are_unavailable() {
    let membership = Membership::with(&["one"]);
    let source = membership.source().await;
    assert_eq!(finds(&source, "one").await, Ok(true));
    membership.set(None);
    pass(Duration::from_secs(301)).await;
    assert_eq!(finds(&source, "one").await, Ok(true));
    assert_eq!(finds(&source, "two").await, Err(ErrorKind::Unavailable));
    membership.set(Some(vec!["two"]));
    pass(Duration::from_secs(2)).await;
    assert_eq!(finds(&source, "two").await, Ok(true));
}

#[tokio::test]
async fn the_services_own_keys_need_no_membership() {
    let world = World::new();
    let nowhere = channel("http://127.0.0.1:1", KeepAlive::default()).expect("a valid address");
    let source = JwksKeySource::new(nowhere, StaticKeys::new().with_service_key(world.services.public_key()));
    assert_eq!(finds(&source, world.services.kid()).await, Ok(true));
    assert_eq!(finds(&source, "one").await, Err(ErrorKind::Unavailable));
}
