//! A desk where cards are issued, topped up and paid with.

use std::time::Duration;

use kernel::{
    Clock, Currency, Money, Result, Uuid,
    ids::{CardId, LedgerTransferId, MemberId, OrderId},
};
use payment::{
    Policy,
    db::ledger,
    domain::{
        ledger::{Account, Entry, Kind, OwedKey, Party, SubAccount, Transaction, Transfer},
        stored_value::{Use, Value, postings},
    },
    flows::stored_value::tender,
    worker,
};
use proto::{
    access::Role,
    payment::v1::{self as pb, payment::Purpose, stored_value_service_client::StoredValueServiceClient},
};
use rpc::convert::to_timestamp;
use tonic::{Request, Status, transport::Channel};

use crate::{
    house::House,
    wire::{cny, fresh, minor},
};

/// How long a payment with a card has: its checkout ends it long before.
pub const PATIENCE: Duration = Duration::from_secs(400 * 86_400);

/// A house with its client for cards.
pub struct Desk {
    pub house: House,
}

impl Desk {
    pub async fn open() -> Self {
        Self::open_with(Policy::default()).await
    }

    /// A house whose cards are spent in this order.
    pub async fn spending(order: &str) -> Self {
        Self::open_with(Policy { card_spending: order.to_owned(), ..Policy::default() }).await
    }

    pub async fn open_with(policy: Policy) -> Self {
        Self { house: House::open_with(policy).await }
    }

    pub fn client(&self) -> StoredValueServiceClient<Channel> {
        Self::client_of(&self.house)
    }

    pub fn client_of(house: &House) -> StoredValueServiceClient<Channel> {
        StoredValueServiceClient::new(house.channel.clone())
    }

    /// Somebody of the whole chain asks.
    pub fn ask<T>(&self, message: T) -> Request<T> {
        self.house.as_staff(message, Role::Administrator, None)
    }

    /// What issues a card for the chain to `holder`.
    pub fn wish(&self, holder: Option<MemberId>) -> pb::IssueCardRequest {
        Self::wish_at(&self.house, holder)
    }

    pub fn wish_at(house: &House, holder: Option<MemberId>) -> pb::IssueCardRequest {
        pb::IssueCardRequest {
            store: house.store.name(),
            scope: pb::card::Scope::Chain.into(),
            holder: holder.map(MemberId::name).unwrap_or_default(),
            currency_code: "CNY".to_owned(),
            request_id: fresh().to_string(),
        }
    }

    /// A card of the house's member.
    pub async fn card(&self) -> String {
        self.issue(self.wish(Some(self.house.member))).await.name
    }

    pub async fn issue(&self, wish: pb::IssueCardRequest) -> pb::Card {
        Self::issue_at(&self.house, wish).await
    }

    pub async fn issue_at(house: &House, wish: pb::IssueCardRequest) -> pb::Card {
        house.clock.advance(Duration::from_secs(1));
        Self::client_of(house).issue_card(house.as_desk(wish)).await.expect("a card").into_inner()
    }

    pub async fn get(&self, card: &str) -> pb::Card {
        let request = self.ask(pb::GetCardRequest { name: card.to_owned() });
        self.client().get_card(request).await.expect("the card").into_inner()
    }

    /// Money and bonus that are on a card.
    pub async fn balance(&self, card: &str) -> (i64, i64) {
        let card = self.get(card).await;
        (minor(&card.principal), minor(&card.bonus))
    }

    pub async fn lots(&self, card: &str) -> Vec<pb::CardLot> {
        let request = pb::ListCardLotsRequest { parent: card.to_owned(), ..Default::default() };
        self.client().list_card_lots(self.ask(request)).await.expect("lots").into_inner().lots
    }

    /// Makes the order of a top-up.
    pub async fn begin(&self, card: &str, fen: i64) -> Result<pb::Order, Status> {
        let request = pb::TopUpCardRequest {
            card: card.to_owned(),
            amount: cny(fen),
            customer: self.house.member.name(),
            request_id: fresh().to_string(),
        };
        Ok(self.client().top_up_card(self.house.as_desk(request)).await?.into_inner())
    }

    /// A top-up that is paid in cash; its order.
    pub async fn top_up(&self, card: &str, fen: i64) -> String {
        // No two lots are of one moment.
        self.house.clock.advance(Duration::from_secs(1));
        let order = self.begin(card, fen).await.expect("an order").name;
        self.house.cash(&order, Purpose::Balance).await;
        order
    }

    /// A campaign for everybody that has just begun and doesn't end.
    pub fn offer(&self, threshold: i64, bonus: i64) -> pb::TopUpCampaign {
        Self::offer_at(&self.house, threshold, bonus)
    }

    pub fn offer_at(house: &House, threshold: i64, bonus: i64) -> pb::TopUpCampaign {
        pb::TopUpCampaign {
            display_name: "Pay and get more".to_owned(),
            threshold: cny(threshold),
            bonus: cny(bonus),
            start_time: Some(to_timestamp(house.clock.now())),
            ..Default::default()
        }
    }

    pub async fn try_campaign(&self, campaign: pb::TopUpCampaign) -> Result<pb::TopUpCampaign, Status> {
        Self::campaign_at(&self.house, campaign).await
    }

    pub async fn campaign_at(house: &House, campaign: pb::TopUpCampaign) -> Result<pb::TopUpCampaign, Status> {
        let request = pb::CreateTopUpCampaignRequest { campaign: Some(campaign), request_id: fresh().to_string() };
        let request = house.as_staff(request, Role::Administrator, None);
        Ok(Self::client_of(house).create_top_up_campaign(request).await?.into_inner())
    }

    pub async fn campaign(&self, campaign: pb::TopUpCampaign) -> pb::TopUpCampaign {
        self.try_campaign(campaign).await.expect("a campaign")
    }

    /// Pays `fen` of a visit of the house's member: a use of the card that the desk has before it.
    pub async fn bill(&self, fen: i64) -> Use {
        let order = self.house.order_of(fen.max(1), 0).await;
        Use {
            id: fresh(),
            order: OrderId::parse_name("order", &order).expect("a name"),
            store: self.house.store,
            customer: self.house.member,
            shown: true,
            amount: Money::new(fen, Currency::CNY),
        }
    }

    /// Where what is paid with a card goes.
    pub fn deposits(&self) -> SubAccount {
        Account::CustomerDeposits.at(self.house.store).of(self.house.member)
    }

    pub async fn hold(&self, card: &str, of: Use) -> Result<Value> {
        let (now, mut tx) = (self.house.clock.now(), self.house.db.pg.begin().await?);
        let value = tender::hold(&mut tx, now, id(card), of).await?;
        let mut entries = Vec::new();
        for (on, amount) in postings::sides_of(id(card), of.store, value) {
            entries.push(Entry::debit(on, amount)?);
        }
        entries.push(Entry::credit(self.deposits(), of.amount)?);
        let transaction = Transaction::try_new(Kind::Capture, of.id, entries)?;
        let transfer = Transfer::try_new(transfer_of(of.id), transaction, now, now + PATIENCE)?;
        ledger::reserve(&mut tx, &[transfer]).await?;
        tx.commit().await?;
        Ok(value)
    }

    pub async fn commit(&self, spending: Uuid) -> Result<()> {
        let mut tx = self.house.db.pg.begin().await?;
        tender::spend(&mut tx, self.house.clock.now(), spending).await?;
        ledger::commit(&mut tx, self.house.clock.now(), &[transfer_of(spending)]).await?;
        Ok(tx.commit().await?)
    }

    pub async fn void(&self, spending: Uuid) -> Result<()> {
        let mut tx = self.house.db.pg.begin().await?;
        tender::release(&mut tx, self.house.clock.now(), spending).await?;
        ledger::void(&mut tx, self.house.clock.now(), &[transfer_of(spending)]).await?;
        Ok(tx.commit().await?)
    }

    pub async fn give_back(&self, spending: Uuid, fen: i64) -> Result<Value> {
        let (now, amount) = (self.house.clock.now(), Money::new(fen, Currency::CNY));
        let mut tx = self.house.db.pg.begin().await?;
        let (card, back) = tender::give_back(&mut tx, now, spending, amount).await?;
        let mut entries = vec![Entry::debit(self.deposits(), amount)?];
        for (on, amount) in postings::sides_of(card, self.house.store, back) {
            entries.push(Entry::credit(on, amount)?);
        }
        ledger::post(&mut tx, now, &Transaction::try_new(Kind::RefundDone, fresh(), entries)?).await?;
        tx.commit().await?;
        Ok(back)
    }

    /// Pays `fen` with a card; what of it was money and what bonus, and the payment.
    pub async fn pay(&self, card: &str, fen: i64) -> ((i64, i64), Uuid) {
        let of = self.bill(fen).await;
        let value = self.hold(card, of).await.expect("set aside");
        self.commit(of.id).await.expect("spent");
        (minors(value), of.id)
    }

    /// Lets end what is due.
    pub async fn lapse(&self) -> usize {
        let mut ended = 0;
        loop {
            match worker::lapse_stored_value(&self.house.app).await.expect("lapsed") {
                0 => return ended,
                some => ended += some,
            }
        }
    }

    /// What must hold at every moment: lots and ledger agree card by card, what is set aside included; every version has its
    /// event; the books balance.
    pub async fn check(&self) {
        self.house.balances().await;
        let apart = self.house.count(
            "select count(*) from (
                 select coalesce(sum(principal_open_minor), 0) as principal, coalesce(sum(principal_held_minor), 0) as principal_held,
                        coalesce(sum(bonus_open_minor), 0) as bonus, coalesce(sum(bonus_held_minor), 0) as bonus_held, card.id
                 from stored_value_card as card left join stored_value_lot as lot on lot.card_id = card.id group by card.id
             ) as lots
             left join ledger_balance as principal
                    on principal.party = 'cards/' || lots.id and principal.account = 'stored_value_principal'
             left join ledger_balance as bonus on bonus.party = 'cards/' || lots.id and bonus.account = 'stored_value_bonus'
             where (lots.principal, lots.principal_held, lots.bonus, lots.bonus_held)
                is distinct from (coalesce(principal.posted_minor, 0)::numeric, coalesce(principal.reserved_minor, 0)::numeric,
                                  coalesce(bonus.posted_minor, 0)::numeric, coalesce(bonus.reserved_minor, 0)::numeric)",
        );
        assert_eq!(apart.await, 0, "lots and ledger agree");
        let untold = self.house.count(
            "select count(*) from stored_value_card as card
             where card.version <> (select count(*) from outbox where aggregate_id = card.id)",
        );
        assert_eq!(untold.await, 0, "every version has its event");
    }

    /// What the ledger owes a card, bonus left out: in all, and what of it is set aside.
    pub async fn owed(&self, card: &str) -> (i64, i64) {
        let party = Party::from_stored(card.to_owned());
        let key = OwedKey { account: Account::StoredValuePrincipal, party, currency: Currency::CNY };
        let mut conn = self.house.db.pg.conn().await.expect("a connection");
        let owed = ledger::owed(&mut conn, &key).await.expect("a balance");
        (owed.posted.minor(), owed.reserved.minor())
    }
}

fn transfer_of(spending: Uuid) -> LedgerTransferId {
    LedgerTransferId::derive(spending, "capture")
}

pub fn id(card: &str) -> CardId {
    CardId::parse_name("card", card).expect("a name")
}

/// Money and bonus.
pub fn minors(value: Value) -> (i64, i64) {
    (value.principal.minor(), value.bonus.minor())
}

/// The reason of a refusal.
pub fn reason<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.map_err(|error| error.reason()).expect_err("a refusal")
}

/// All figures of a pot: brought, open, held, spent, refunded, expired.
pub fn figures(pot: &Option<pb::card_lot::Pot>) -> [i64; 6] {
    let pot = pot.as_ref().expect("a pot");
    [&pot.brought, &pot.open, &pot.held, &pot.spent, &pot.refunded, &pot.expired].map(minor)
}
