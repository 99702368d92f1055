//! A payment service in front of sandboxes that speak the protocols of real providers.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use payment::{
    App, Peers, Policy,
    peers::{Alipay, NewCharge, Provider, Providers, Wechat},
    sandbox::{alipay::AlipaySandbox, wechat::WechatSandbox},
};
use proto::{
    google::api::HttpBody,
    payment::v1::{self as pb, payment::Tender, payment_service_client::PaymentServiceClient},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, transport::Channel};

use crate::house::{House, notice, port, serve, url, vault};

/// A house with real providers' protocols beside its own sandbox.
pub struct Shop {
    pub house: House,
    pub wechat: Arc<WechatSandbox>,
    /// Where the WeChat sandbox listens.
    pub wechat_url: String,
    /// Where it sends its notices.
    pub wechat_notify_url: String,
    /// The service's client of it.
    pub wechat_client: Arc<Wechat>,
    pub alipay: Arc<AlipaySandbox>,
    /// The service's client of it.
    pub alipay_client: Arc<Alipay>,
}

impl std::ops::Deref for Shop {
    type Target = House;

    fn deref(&self) -> &House {
        &self.house
    }
}

impl Shop {
    /// With both providers in public-key mode, or both with certificates.
    pub async fn open(public_key: bool) -> Self {
        Self::open_with(public_key, Policy::default()).await
    }

    /// The same by other rules.
    pub async fn open_with(public_key: bool, policy: Policy) -> Self {
        let house = House::open_with(policy.clone()).await;
        let (wechat_port, alipay_port, relay_port) = (port().await, port().await, port().await);
        let wechat_url = url(&wechat_port);
        let wechat = WechatSandbox::try_new(&wechat_url, house.clock.clone()).expect("a sandbox");
        serve(wechat_port, wechat.router());
        let notify = |name: &str| format!("{}/v1/payments:notify/{name}", url(&relay_port));
        let wechat_notify_url = notify("wechat");
        let config = wechat.merchant(&wechat_notify_url, public_key);
        let wechat_client = Arc::new(Wechat::try_new(config, house.clock.clone()).expect("a client"));

        let alipay = AlipaySandbox::try_new(&url(&alipay_port), house.clock.clone()).expect("a sandbox");
        serve(alipay_port, alipay.router());
        let config = alipay.merchant(&notify("alipay"), !public_key);
        let alipay_client = Arc::new(Alipay::try_new(config, house.clock.clone()).expect("a client"));

        let sandbox = Arc::clone(house.app.peers.providers.named("sandbox").expect("wired"));
        let real: [Arc<dyn Provider>; 2] = [wechat_client.clone(), alipay_client.clone()];
        let providers = Providers::new([sandbox].into_iter().chain(real));
        let peers = Peers { providers, invoicing: Some(wechat_client.clone()) };
        let app = App::new(house.db.pg.clone(), vault(), house.clock.clone(), policy, peers);
        let app = Arc::new(app);
        let feed = feed::FeedServer::new(house.db.pg.clone(), watch::channel(0).1, CancellationToken::new());
        let channel = testkit::serve(payment::rpc::routes(&app, feed)).await;
        let client = PaymentServiceClient::new(channel.clone());
        serve(relay_port, Router::new().route("/v1/{verb}/{provider}", post(relay)).with_state(client.clone()));
        let house = House { app, channel, client, ..house };
        Self { house, wechat, wechat_url, wechat_notify_url, wechat_client, alipay, alipay_client }
    }

    /// What the provider calls a payment.
    pub fn number(payment: &pb::Payment) -> String {
        payment.name.trim_start_matches("payments/").replace('-', "")
    }

    /// Starts to pay the deposit of a new order of 300 yuan; the order's name and the payment.
    pub async fn deposit(&self, tender: Tender) -> (String, pb::Payment) {
        let order = self.order().await;
        let payment = self.try_pay(self.request(&order, tender)).await.expect("a payment");
        (order, payment)
    }

    /// Has a client make a charge of 60 yuan, of which payment knows nothing; the number it is called by.
    pub async fn deposit_by(&self, client: &impl Provider, tender: payment::domain::Tender) -> String {
        let id = kernel::ids::PaymentId::from_uuid(crate::wire::fresh());
        let charge = NewCharge { tender, ..crate::house::new_charge(id, 6_000) };
        client.create_charge(charge).await.expect("made").id
    }

    /// A request to pay the deposit that tells all that any tender needs.
    pub fn request(&self, order: &str, tender: Tender) -> pb::PayOrderRequest {
        let payer = pb::Payer { id: "o-payer".to_owned(), ip: "203.0.113.7".to_owned(), ..pb::Payer::default() };
        pb::PayOrderRequest { payer: Some(payer), ..crate::wire::pay(order, pb::payment::Purpose::Deposit, tender) }
    }

    /// Sends a notice as it is.
    pub async fn send_notice(
        &self,
        provider: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<HttpBody, tonic::Status> {
        let mut request = Request::new(notice(provider, body));
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<tonic::metadata::AsciiMetadataKey>(), value.parse()) else {
                continue;
            };
            request.metadata_mut().insert(name, value);
        }
        Ok(self.client.clone().notify_payment(request).await?.into_inner())
    }
}

/// What the gateway does for providers: HTTP in, gRPC out, HTTP back.
async fn relay(
    State(client): State<PaymentServiceClient<Channel>>,
    Path((_, provider)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Vec<u8>) {
    let mut request = Request::new(notice(&provider, &body));
    for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("wechatpay-")) {
        let name: tonic::metadata::AsciiMetadataKey = name.as_str().parse().expect("a name");
        request.metadata_mut().insert(name, value.to_str().expect("text").parse().expect("text"));
    }
    match client.clone().notify_payment(request).await {
        Ok(reply) => (StatusCode::OK, reply.into_inner().data.to_vec()),
        Err(status) if status.code() == Code::Unauthenticated => (StatusCode::UNAUTHORIZED, Vec::new()),
        Err(status) if status.code() == Code::InvalidArgument => (StatusCode::BAD_REQUEST, Vec::new()),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}
