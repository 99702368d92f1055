//! A shop that sells contracts, and membership, which counts their uses.

use std::time::Duration;

use kernel::ids::MemberId;
use proto::{
    access::Role,
    payment::v1::{
        self as pb,
        contract_terms::Item,
        payment::{Purpose, Tender},
        prepaid_service_client::PrepaidServiceClient,
    },
};
use testkit::with_token;
use tonic::{Request, Status, transport::Channel};

use crate::{
    house::House,
    wire::{cny, fresh, minor, pay},
};

/// A day.
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub struct Shop {
    pub house: House,
    pub client: PrepaidServiceClient<Channel>,
}

/// Ten sessions of 400 yuan each for 3,000 yuan, for half a year.
pub fn ten() -> pb::ContractTerms {
    pb::ContractTerms {
        price: cny(300_000),
        items: vec![item("items/massage", 10, 0, 40_000)],
        days: 180,
        max_freeze_days: 60,
        ..pb::ContractTerms::default()
    }
}

/// A year of unlimited service for 3,650 yuan.
pub fn year() -> pb::ContractTerms {
    pb::ContractTerms { price: cny(365_000), days: 365, max_freeze_days: 60, ..pb::ContractTerms::default() }
}

pub fn item(name: &str, quantity: i32, bonus: i32, list: i64) -> Item {
    Item {
        item: name.to_owned(),
        display_name: "Massage, 60 minutes".to_owned(),
        quantity,
        bonus_quantity: bonus,
        list_price: cny(list),
    }
}

impl Shop {
    pub async fn open() -> Self {
        let house = House::open().await;
        let client = PrepaidServiceClient::new(house.channel.clone());
        Self { house, client }
    }

    pub fn as_membership<T>(&self, message: T) -> Request<T> {
        with_token(message, &testkit::keys().service_token("membership"))
    }

    pub fn as_manager<T>(&self, message: T) -> Request<T> {
        self.house.as_staff(message, Role::StoreManager, Some(self.house.store))
    }

    pub fn new_contract(&self, terms: pb::ContractTerms) -> pb::CreateContractRequest {
        pb::CreateContractRequest {
            contract_id: fresh().to_string(),
            customer: self.house.member.name(),
            store: self.house.store.name(),
            terms: Some(terms),
            request_id: fresh().to_string(),
        }
    }

    pub async fn try_create(&self, request: pb::CreateContractRequest) -> Result<pb::Contract, Status> {
        Ok(self.client.clone().create_contract(self.house.as_desk(request)).await?.into_inner())
    }

    pub async fn draft(&self, terms: pb::ContractTerms) -> pb::Contract {
        self.try_create(self.new_contract(terms)).await.expect("a contract")
    }

    /// A contract that is paid in cash.
    pub async fn sell(&self, terms: pb::ContractTerms) -> pb::Contract {
        let draft = self.draft(terms).await;
        self.house.cash(&draft.order, Purpose::Balance).await;
        self.get(&draft.name).await
    }

    /// A contract that is paid through the provider.
    pub async fn sell_online(&self, terms: pb::ContractTerms) -> pb::Contract {
        let draft = self.draft(terms).await;
        let payment =
            self.house.try_pay(pay(&draft.order, Purpose::Balance, Tender::Sandbox)).await.expect("a payment");
        self.house.succeed(&payment).await;
        self.get(&draft.name).await
    }

    pub async fn get(&self, name: &str) -> pb::Contract {
        let request = self.house.as_member(pb::GetContractRequest { name: name.to_owned() });
        self.client.clone().get_contract(request).await.expect("the contract").into_inner()
    }

    pub fn new_use(&self, contract: &str, item: &str) -> pb::ReserveUseRequest {
        pb::ReserveUseRequest {
            name: contract.to_owned(),
            use_id: fresh().to_string(),
            item: item.to_owned(),
            store: self.house.store.name(),
            request_id: fresh().to_string(),
        }
    }

    pub async fn try_reserve(&self, request: pb::ReserveUseRequest) -> Result<pb::ContractUse, Status> {
        Ok(self.client.clone().reserve_use(self.as_membership(request)).await?.into_inner())
    }

    pub async fn reserve(&self, contract: &str) -> pb::ContractUse {
        self.try_reserve(self.new_use(contract, "items/massage")).await.expect("a use")
    }

    pub async fn commit(&self, name: &str) -> Result<pb::ContractUse, Status> {
        let request = pb::CommitUseRequest { name: name.to_owned(), request_id: fresh().to_string() };
        Ok(self.client.clone().commit_use(self.as_membership(request)).await?.into_inner())
    }

    pub async fn void(&self, name: &str) -> Result<pb::ContractUse, Status> {
        let request = pb::VoidUseRequest { name: name.to_owned(), request_id: fresh().to_string() };
        Ok(self.client.clone().void_use(self.as_membership(request)).await?.into_inner())
    }

    /// A session that is had; its value in fen.
    pub async fn have(&self, contract: &str) -> i64 {
        let one = self.reserve(contract).await;
        minor(&self.commit(&one.name).await.expect("had").value)
    }

    pub async fn freeze(&self, contract: &str, days: i32) -> Result<pb::Contract, Status> {
        let request = pb::FreezeContractRequest { name: contract.to_owned(), days, request_id: fresh().to_string() };
        Ok(self.client.clone().freeze_contract(self.house.as_member(request)).await?.into_inner())
    }

    pub async fn unfreeze(&self, contract: &str) -> Result<pb::Contract, Status> {
        let request = pb::UnfreezeContractRequest { name: contract.to_owned(), request_id: fresh().to_string() };
        Ok(self.client.clone().unfreeze_contract(self.house.as_member(request)).await?.into_inner())
    }

    pub async fn extend(&self, contract: &str, days: i32) -> Result<pb::Contract, Status> {
        let request = pb::ExtendContractRequest { name: contract.to_owned(), days, request_id: fresh().to_string() };
        Ok(self.client.clone().extend_contract(self.house.as_desk(request)).await?.into_inner())
    }

    pub async fn transfer(&self, contract: &str, holder: MemberId) -> Result<pb::Contract, Status> {
        let request = pb::TransferContractRequest {
            name: contract.to_owned(),
            holder: holder.name(),
            request_id: fresh().to_string(),
        };
        Ok(self.client.clone().transfer_contract(self.house.as_member(request)).await?.into_inner())
    }

    pub async fn preview(&self, contract: &str, cause: pb::RefundCause) -> Result<pb::ContractRefund, Status> {
        let request =
            pb::PreviewContractRefundRequest { name: contract.to_owned(), cause: cause.into(), ..Default::default() };
        Ok(self.client.clone().preview_contract_refund(self.house.as_member(request)).await?.into_inner())
    }

    pub async fn refund(&self, contract: &str, cause: pb::RefundCause) -> Result<pb::ContractRefund, Status> {
        let request = pb::RefundContractRequest {
            name: contract.to_owned(),
            cause: cause.into(),
            request_id: fresh().to_string(),
            ..Default::default()
        };
        Ok(self.client.clone().refund_contract(self.as_manager(request)).await?.into_inner())
    }

    /// What happened to a contract, by its events; their versions must be 1, 2, 3 …, and the history the same.
    pub async fn changes(&self, contract: &str) -> Vec<String> {
        let id = kernel::ids::ContractId::parse_name("contract", contract).expect("a name").uuid();
        let pool = self.house.db.pg.pool();
        let events: Vec<(Vec<u8>, i64)> =
            sqlx::query_as("select payload, aggregate_version from outbox where aggregate_id = $1 order by position")
                .bind(id)
                .fetch_all(pool)
                .await
                .expect("the outbox");
        let history: Vec<(String, i64)> =
            sqlx::query_as("select change, version from prepaid_change where contract_id = $1 order by version")
                .bind(id)
                .fetch_all(pool)
                .await
                .expect("the history");
        let told = events.iter().map(|(payload, version)| {
            let event = <pb::ContractChanged as prost::Message>::decode(payload.as_slice()).expect("an event");
            (event.change, *version)
        });
        assert_eq!(told.collect::<Vec<_>>(), history);
        let versions: Vec<i64> = history.iter().map(|(_, version)| *version).collect();
        assert_eq!(versions, (1..=i64::try_from(history.len()).expect("few")).collect::<Vec<_>>());
        history.into_iter().map(|(change, _)| change).collect()
    }
}
