//! Payments that are found again, and exported.

mod export;
mod search;

use std::time::Duration;

use kernel::{Timestamp, ids::PaymentId};
use proto::{
    access::Role,
    payment::v1::{
        self as pb, PaymentFilter,
        payment::{Purpose, State, Tender},
        records_service_client::RecordsServiceClient,
    },
};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt;

use crate::{
    house::House,
    reconciliation::{book, name, noon, refund, sale, sold},
    roles::{reason, sent},
};

const SECOND: Duration = Duration::from_secs(1);

/// A house in which payments were made one after the other, the oldest first: 60 yuan in cash; 40 by WeChat Pay, of which
/// 10 went back and 5 are on their way, and its provider keeps 24 fen; 7 by Alipay, which failed.
pub struct Files {
    pub house: House,
    pub cash: String,
    pub wechat: String,
    pub failed: String,
}

pub fn client(house: &House) -> RecordsServiceClient<Channel> {
    RecordsServiceClient::new(house.channel.clone())
}

fn at(time: Timestamp) -> Option<prost_types::Timestamp> {
    Some(rpc::convert::to_timestamp(time))
}

/// The fields that a refusal names.
pub fn fields(status: &Status) -> Vec<String> {
    let named = status.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default();
    named.into_iter().map(|violation| violation.field).collect()
}

/// What somebody hears who asks for the payments of the last hour.
pub async fn asked(house: &House, rpc: &str, token: Option<&str>) -> String {
    let now = house.clock_now();
    let start_time = at(now - jiff::SignedDuration::from_hours(1));
    let filter = Some(PaymentFilter { start_time, end_time: at(now), ..PaymentFilter::default() });
    let mut client = client(house);
    if rpc == "ExportPayments" {
        return reason(client.export_payments(sent(pb::ExportPaymentsRequest { filter }, token)).await);
    }
    let request = pb::SearchPaymentsRequest { filter, ..Default::default() };
    reason(client.search_payments(sent(request, token)).await)
}

impl Files {
    pub async fn open() -> Self {
        let house = House::open().await;
        let order = house.order_of(10_000, 6_000).await;
        let cash = house.cash(&order, Purpose::Deposit).await.name;
        house.clock.advance(SECOND);
        let day = jiff::civil::date(2027, 2, 26);
        let wechat = sale(&house, "wechat_native", 4_000, Some(noon(day))).await;
        refund(&house, wechat, 1_000, Some(noon(day))).await;
        refund(&house, wechat, 500, None).await;
        assert!(book(&house, &name(day), &[sold(wechat, 4_000)]).await);
        let failed = sale(&house, "alipay_page", 700, None).await;
        let pool = house.db.pg.pool();
        let noted = sqlx::query("update payment set transaction_id = $2, create_time = $3 where id = $1");
        let started = jiff_sqlx::ToSqlx::to_sqlx(house.clock_now());
        noted.bind(wechat).bind("4200000001").bind(started).execute(pool).await.expect("noted");
        house.clock.advance(SECOND);
        let failing = "update payment set state = 'failed', failure_reason = $2, create_time = $3 where id = $1";
        let started = jiff_sqlx::ToSqlx::to_sqlx(house.clock_now());
        let reason = "=HYPERLINK(\"http://x\",\"y\")";
        sqlx::query(failing).bind(failed).bind(reason).bind(started).execute(pool).await.expect("failed");
        house.clock.advance(SECOND);
        let [wechat, failed] = [wechat, failed].map(|id| PaymentId::from_uuid(id).name());
        Self { house, cash, wechat, failed }
    }

    /// A page as finance sees it.
    pub async fn page(&self, request: pb::SearchPaymentsRequest) -> Result<pb::SearchPaymentsResponse, Status> {
        let request = self.house.as_staff(request, Role::Finance, None);
        client(&self.house).search_payments(request).await.map(tonic::Response::into_inner)
    }

    /// All that a filter finds.
    pub async fn find(&self, filter: PaymentFilter) -> Vec<pb::PaymentRecord> {
        let request = pb::SearchPaymentsRequest { filter: Some(filter), ..Default::default() };
        self.page(request).await.expect("a page").payments
    }

    /// A search by somebody.
    pub async fn by(&self, request: Request<pb::SearchPaymentsRequest>) -> Result<Vec<pb::PaymentRecord>, Status> {
        client(&self.house).search_payments(request).await.map(|page| page.into_inner().payments)
    }

    pub fn store(&self) -> PaymentFilter {
        PaymentFilter { store: self.house.store.name(), ..PaymentFilter::default() }
    }
}

/// The names of what was found.
pub fn names(found: &[pb::PaymentRecord]) -> Vec<&str> {
    found.iter().map(|record| record.name.as_str()).collect()
}

/// A filter by state.
pub fn in_state(state: State) -> PaymentFilter {
    PaymentFilter { state: state.into(), ..PaymentFilter::default() }
}

/// A filter by the way to pay.
pub fn by_tender(tender: Tender) -> PaymentFilter {
    PaymentFilter { tender: tender.into(), ..PaymentFilter::default() }
}
