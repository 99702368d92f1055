//! Profit sharing (分账): what was paid is shared with partners before the merchant can withdraw it.
//!
//! Only what was paid with `profit_sharing` set waits for that. Money that was shared with a merchant can be called back;
//! what nobody gets is let go. Every order is named by the merchant, and that name is the idempotency key.

use kernel::{Error, Money, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Wechat, call::Reply, order::fen};

/// The provider's words for who a partner is to the merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Relation {
    /// Who provides a service to the merchant.
    ServiceProvider,
    /// One of its stores.
    Store,
    /// Whom it employs.
    Staff,
    /// Who owns one of its stores.
    StoreOwner,
    /// Who works with it.
    Partner,
    /// Its headquarters.
    Headquarter,
    /// Its brand.
    Brand,
    /// Who sells for it.
    Distributor,
    /// Who supplies it.
    Supplier,
}

/// An account that money is shared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receiver {
    /// Another merchant.
    Merchant {
        /// The merchant's id.
        id: String,
    },
    /// A person.
    Person {
        /// The person's openid in the merchant's app.
        openid: String,
    },
}

impl Receiver {
    fn kind(&self) -> &'static str {
        match self {
            Self::Merchant { .. } => "MERCHANT_ID",
            Self::Person { .. } => "PERSONAL_OPENID",
        }
    }

    fn account(&self) -> &str {
        match self {
            Self::Merchant { id } => id,
            Self::Person { openid } => openid,
        }
    }
}

/// What one partner gets.
#[derive(Debug, Clone)]
pub struct Part {
    /// Who.
    pub receiver: Receiver,
    /// How much.
    pub amount: Money,
    /// What the partner reads.
    pub description: String,
}

/// What became of the sharing of one payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Whether nothing is under way any more.
    pub finished: bool,
    /// What each partner gets, the merchant's own rest included once it is let go.
    pub parts: Vec<SharedPart>,
}

/// What became of one partner's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPart {
    /// The partner's account.
    pub account: String,
    /// How much, in fen.
    pub amount: i64,
    /// Where it is in its life.
    pub state: PartState,
}

/// Where a part is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartState {
    /// On its way.
    Pending,
    /// With the partner.
    Succeeded,
    /// It came to nothing, and is the merchant's.
    Failed {
        /// Why, in the provider's word.
        reason: String,
    },
}

#[derive(Deserialize)]
struct WireOrder {
    state: String,
    #[serde(default)]
    receivers: Vec<WirePart>,
}

#[derive(Deserialize)]
struct WirePart {
    account: String,
    amount: i64,
    result: String,
    #[serde(default)]
    fail_reason: String,
}

#[derive(Deserialize)]
struct WireReturn {
    result: String,
    #[serde(default)]
    fail_reason: String,
}

#[derive(Deserialize)]
struct WireAmount {
    unsplit_amount: i64,
}

impl WireOrder {
    fn read(self) -> Shared {
        let part = |part: WirePart| SharedPart {
            account: part.account,
            amount: part.amount,
            state: read_state(&part.result, part.fail_reason),
        };
        Shared { finished: self.state == "FINISHED", parts: self.receivers.into_iter().map(part).collect() }
    }
}

fn read_state(result: &str, reason: String) -> PartState {
    match result {
        "SUCCESS" => PartState::Succeeded,
        "CLOSED" | "FAILED" => PartState::Failed { reason },
        _ => PartState::Pending,
    }
}

impl Wechat {
    /// Makes a partner known. The name goes encrypted; that of a merchant must be its full one, that of a person may be
    /// left out.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn add_receiver(&self, receiver: &Receiver, name: Option<&str>, relation: Relation) -> Result<()> {
        let (serial, key) = self.encryption_key().await?;
        let mut body = json!({
            "appid": self.app_id,
            "type": receiver.kind(),
            "account": receiver.account(),
            "relation_type": relation,
        });
        if let Some(name) = name {
            body["name"] = key.encrypt("name", name)?.into();
        }
        self.post_sealed("/v3/profitsharing/receivers/add", &body, &serial).await?.read::<Value>().map(drop)
    }

    /// Forgets a partner.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn remove_receiver(&self, receiver: &Receiver) -> Result<()> {
        let body = json!({ "appid": self.app_id, "type": receiver.kind(), "account": receiver.account() });
        self.post("/v3/profitsharing/receivers/delete", &body).await?.read::<Value>().map(drop)
    }

    /// Shares of a payment, which is named by the provider's id; with `finish` the rest is let go.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn share(&self, transaction: &str, number: &str, parts: &[Part], finish: bool) -> Result<Shared> {
        let part = |part: &Part| {
            Ok::<_, Error>(json!({
                "type": part.receiver.kind(),
                "account": part.receiver.account(),
                "amount": fen(part.amount)?,
                "description": part.description,
            }))
        };
        let body = json!({
            "appid": self.app_id,
            "transaction_id": transaction,
            "out_order_no": number,
            "receivers": parts.iter().map(part).collect::<Result<Vec<_>>>()?,
            "unfreeze_unsplit": finish,
        });
        Ok(self.post("/v3/profitsharing/orders", &body).await?.read::<WireOrder>()?.read())
    }

    /// What became of a sharing; `None` if the provider has never heard of it.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn shared(&self, transaction: &str, number: &str) -> Result<Option<Shared>> {
        let path = format!("/v3/profitsharing/orders/{number}?transaction_id={transaction}");
        Ok(self.get(&path).await?.find::<WireOrder>()?.map(WireOrder::read))
    }

    /// Lets go of what of a payment nobody gets.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn finish_sharing(&self, transaction: &str, number: &str, why: &str) -> Result<Shared> {
        let body = json!({ "transaction_id": transaction, "out_order_no": number, "description": why });
        Ok(self.post("/v3/profitsharing/orders/unfreeze", &body).await?.read::<WireOrder>()?.read())
    }

    /// How much of a payment waits to be shared, in fen.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn unshared(&self, transaction: &str) -> Result<i64> {
        let path = format!("/v3/profitsharing/transactions/{transaction}/amounts");
        Ok(self.get(&path).await?.read::<WireAmount>()?.unsplit_amount)
    }

    /// Calls back what the merchant `from` got by the sharing `shared`; `number` is the idempotency key.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn call_back(
        &self,
        shared: &str,
        number: &str,
        from: &str,
        amount: Money,
        why: &str,
    ) -> Result<PartState> {
        let body = json!({
            "out_order_no": shared,
            "out_return_no": number,
            "return_mchid": from,
            "amount": fen(amount)?,
            "description": why,
        });
        let made: WireReturn = self.post("/v3/profitsharing/return-orders", &body).await?.read()?;
        Ok(read_state(&made.result, made.fail_reason))
    }

    /// What became of a calling back; `None` if the provider has never heard of it.
    ///
    /// # Errors
    /// The provider's refusal; `Unavailable`.
    pub async fn called_back(&self, shared: &str, number: &str) -> Result<Option<PartState>> {
        let reply = self.get(&format!("/v3/profitsharing/return-orders/{number}?out_order_no={shared}")).await?;
        Ok(reply.find::<WireReturn>()?.map(|found| read_state(&found.result, found.fail_reason)))
    }

    /// Orders something in which there is what was encrypted with the key of that serial.
    pub(super) async fn post_sealed(&self, path: &str, body: &Value, serial: &str) -> Result<Reply> {
        self.call_with(http::Method::POST, path, body.to_string().into_bytes(), Some(serial)).await
    }
}
