//! A server of one service whose flow a test gives, with keys and a clock of its own.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
};

use jiff::SignedDuration;
use kernel::{Clock, Error, Result, Timestamp, ids::*};
use proto::{
    access::Role,
    membership::v1::{
        member_service_client::MemberServiceClient,
        member_service_server::{MemberService, MemberServiceServer},
        *,
    },
};
use rpc::{
    Ctx, ServerLayerConfig, StaticKeys, server_layer,
    service_token::ServiceTokens,
    token::{Claims, Signer},
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Server, server::Router},
};
use tower::layer::util::{Identity, Stack};

pub const MEMBERSHIP_KID: &str = "membership-1";

type Reply<R> = Pin<Box<dyn Future<Output = Result<R>> + Send>>;
type Flow = Arc<dyn Fn(Ctx, GetMemberRequest) -> Reply<Member> + Send + Sync>;

#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    pub fn advance(&self, by: SignedDuration) {
        *self.0.lock().expect("not poisoned") += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }
}

/// Keys and a clock.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub membership: Signer,
    pub services: Signer,
}

impl World {
    pub fn new() -> Self {
        let noon = Timestamp::from_second(1_800_000_000).expect("in range");
        Self {
            clock: Arc::new(ManualClock(Mutex::new(noon))),
            membership: Signer::try_from_seed(&[1; 32]).expect("a valid key").with_kid(MEMBERSHIP_KID),
            services: Signer::try_from_seed(&[2; 32]).expect("a valid key"),
        }
    }

    pub fn keys(&self) -> StaticKeys {
        StaticKeys::new()
            .with_membership_key(MEMBERSHIP_KID, self.membership.public_key())
            .with_service_key(self.services.public_key())
    }

    pub fn layer(&self) -> rpc::ServerLayer {
        server_layer(ServerLayerConfig { service: "test", keys: Arc::new(self.keys()), clock: self.clock.clone() })
    }

    /// What a good token about `sub` says.
    pub fn claims(&self, sub: &str) -> Claims {
        let now = self.clock.now().as_second();
        Claims {
            iss: "meridian".to_owned(),
            aud: "meridian".to_owned(),
            sub: sub.to_owned(),
            iat: now,
            exp: now + 900,
            roles: Vec::new(),
            store: None,
            sid: None,
        }
    }

    pub fn member_token(&self, id: MemberId) -> String {
        self.membership.sign(&self.claims(&id.name())).expect("signed")
    }

    pub fn staff_token(&self, roles: &[Role], store: Option<StoreId>) -> String {
        let mut claims = self.claims(&StaffId::new(self.clock.now()).name());
        claims.roles = roles.iter().map(|role| role.as_str().to_owned()).collect();
        claims.store = store.map(StoreId::name);
        self.membership.sign(&claims).expect("signed")
    }

    pub fn service_tokens(&self, name: &str) -> ServiceTokens {
        ServiceTokens::new(name, self.services.clone(), self.clock.clone())
    }

    /// The `authorization` value of a caller with this role and nothing else.
    pub fn authorization_of(&self, role: Role) -> String {
        let token = match role {
            Role::Member => self.member_token(MemberId::new(self.clock.now())),
            Role::Service => {
                let value = self.service_tokens("booking").authorization().expect("signed");
                return value.to_str().expect("ASCII").to_owned();
            }
            staff => self.staff_token(&[staff], None),
        };
        format!("Bearer {token}")
    }

    /// MemberService, whose `GetMember` is `flow`, behind the layer.
    pub fn router<F, Fut>(&self, flow: F) -> LayeredRouter
    where
        F: Fn(Ctx, GetMemberRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Member>> + Send + 'static,
    {
        let service = Members(Arc::new(move |ctx, message| Box::pin(flow(ctx, message))));
        Server::builder().layer(self.layer()).add_service(MemberServiceServer::new(service))
    }

    /// The same, serving.
    pub async fn serve<F, Fut>(&self, flow: F) -> Channel
    where
        F: Fn(Ctx, GetMemberRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Member>> + Send + 'static,
    {
        listen(self.router(flow)).await.1
    }
}

/// What tonic makes of the layer.
pub type LayeredRouter = Router<Stack<rpc::ServerLayer, Identity>>;

/// Starts a server on a port of its own; gives its address and a channel to it.
pub async fn listen(router: LayeredRouter) -> (String, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let uri = format!("http://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move { router.serve_with_incoming(TcpListenerStream::new(listener)).await });
    let channel = rpc::client::channel(&uri, rpc::client::KeepAlive::default()).expect("a valid address");
    (uri, channel)
}

/// A request with this token.
pub fn with_token<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    let value: MetadataValue<Ascii> = format!("Bearer {token}").parse().expect("ASCII");
    request.metadata_mut().insert("authorization", value);
    request
}

/// Calls `GetMember` of `name` with this token.
pub async fn get_member(channel: &Channel, token: &str, name: &str) -> Result<Response<Member>, Status> {
    let message = GetMemberRequest { name: name.to_owned() };
    MemberServiceClient::new(channel.clone()).get_member(with_token(message, token)).await
}

/// The simplest right flow: the member sees themself.
pub async fn own(ctx: Ctx, message: GetMemberRequest) -> Result<Member> {
    let id = MemberId::parse_name("name", &message.name)?;
    ctx.caller.see_own(Some(id), None)?;
    Ok(Member { name: message.name, display_name: ctx.caller.subject().to_owned(), ..Member::default() })
}

pub struct Members(pub Flow);

#[tonic::async_trait]
impl MemberService for Members {
    async fn get_member(&self, request: Request<GetMemberRequest>) -> Result<Response<Member>, Status> {
        rpc::unary(request, |ctx, message| (self.0)(ctx, message)).await
    }

    async fn list_members(
        &self,
        request: Request<ListMembersRequest>,
    ) -> Result<Response<ListMembersResponse>, Status> {
        rpc::unary(request, |_, message| async move {
            let listing = rpc::paging::Listing::new("ListMembers").with(&message.phone);
            let page = rpc::paging::PageRequest::parse(message.page_size, &message.page_token, listing)?;
            let rows = vec![Member::default(); usize::try_from(page.limit()).unwrap_or(0)];
            let (members, next_page_token) = page.cut(rows, |_| "last".to_owned());
            Ok(ListMembersResponse { members, next_page_token })
        })
        .await
    }

    async fn get_contact(&self, _: Request<GetContactRequest>) -> Result<Response<Contact>, Status> {
        Err(rpc::status(Error::unavailable("contact")))
    }

    async fn list_points_entries(
        &self,
        _: Request<ListPointsEntriesRequest>,
    ) -> Result<Response<ListPointsEntriesResponse>, Status> {
        Err(rpc::status(Error::unavailable("points")))
    }
}
