//! A customer or the desk pays by several tenders.
//!
//! Without a provider all is captured in one transaction. With one it goes in three steps, as in
//! [`pay_order`](crate::flows::pay_order): the checkout is stored and what the other tenders pay is set aside; the provider
//! makes the charge; where the customer can pay is stored with the reply. The provider's outcome, whenever it comes,
//! captures all or frees all. What other services keep is set aside there before all that, see
//! [`peer`](crate::flows::tenders::peer).

use std::{sync::Arc, time::Duration};

use kernel::{
    Error, Money, Result,
    ids::{CheckoutId, OrderId, PaymentId},
};
use pg::{
    idempotency::{self, Begin, Key},
    tasks::may_pass,
};
use proto::payment::v1 as pb;
use rpc::Ctx;

use crate::{
    App, db,
    domain::{
        NewCheckout, NewTender, Order, Purpose, Tender,
        risk::{Operation, OperationKind},
    },
    flows::{
        charge::{answered, ask_if_nobody_is_waited_for, lock, make_charge, new_charge, request_id_reused},
        no_such_order,
        record::record,
        risk::{self, OnReview},
        tenders::peer::ask,
    },
    peers::{NewCharge, Provider},
    rpc::convert,
};

/// A tender as it is wished for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The way to pay.
    pub tender: Tender,
    /// How much.
    pub amount: Money,
    /// The number of the slip of a card terminal.
    pub reference: String,
}

/// Starts to pay by several tenders.
///
/// # Errors
/// As [`Order::start_checkout`]; `TENDER_NOT_OFFERED`, `INSUFFICIENT_BALANCE`; those of who keeps points and coupons;
/// `RISK_REFUSED`; `InvalidArgument` if a tender needs to know
/// more; `PermissionDenied` for what is taken at the desk from anybody but staff; `Unavailable` if the provider can't be
/// reached.
pub async fn start_checkout(app: &App, ctx: Ctx, request: pb::StartCheckoutRequest) -> Result<pb::Checkout> {
    let key = convert::key(&ctx, &request.request_id)?;
    let order = OrderId::parse_name("order", &request.order)?;
    let wanted = convert::checkout::wanted(&request.tenders)?;
    let owner = db::orders::owner(&mut *app.pg.conn().await?, order).await?;
    let (customer, store) = owner.ok_or_else(|| no_such_order(order))?;
    ctx.caller.see_own(Some(customer), Some(store))?;
    if wanted.iter().any(|wanted| wanted.tender.is_at_desk()) && ctx.caller.member().is_some() {
        return Err(Error::denied("cash and cards are taken at the desk, by staff"));
    }
    start_with(app, key, &request, order, wanted).await
}

/// The same for tenders that are read already, and a caller who may.
///
/// # Errors
/// As [`start_checkout`].
pub async fn start_with(
    app: &App,
    key: Key<'_>,
    request: &pb::StartCheckoutRequest,
    order: OrderId,
    wanted: Vec<Wanted>,
) -> Result<pb::Checkout> {
    let start = Start { app, key, request, order, new: new_checkout(app, key, request, wanted)? };
    if let Some(reply) = start.replay_if_peers_are_asked().await? {
        return Ok(reply);
    }
    ask::ask(app, order, &start.new).await?;
    let external = start.new.tenders.iter().find(|tender| tender.tender.provider().is_some());
    let started = match external.map(|tender| (tender.id, tender.tender)) {
        None => start.at_once().await,
        Some((payment, tender)) => start.with_provider(payment, tender).await,
    };
    match &started {
        Err(error) if !may_pass(error) && start.asks_peers() => {
            ask::give_up(app, order, &start.new).await?;
        }
        _ => {}
    }
    risk::noted(app, started).await
}

fn new_checkout(
    app: &App,
    key: Key<'_>,
    request: &pb::StartCheckoutRequest,
    wanted: Vec<Wanted>,
) -> Result<NewCheckout> {
    let id = CheckoutId::derive(key.request_id, &format!("checkout of {}", key.caller));
    // As long as the provider can be asked for an outcome.
    let seconds = u64::try_from(app.policy.abandon_after(true)).unwrap_or(0);
    let tenders = (0_usize..).zip(wanted).map(|(i, Wanted { tender, amount, reference })| {
        let id = PaymentId::derive(id.uuid(), &format!("payment {i}"));
        NewTender { id, tender, amount, reference }
    });
    Ok(NewCheckout {
        id,
        purpose: read_purpose(request)?,
        tenders: tenders.collect(),
        expire_time: app.clock.now() + Duration::from_secs(seconds),
    })
}

fn read_purpose(request: &pb::StartCheckoutRequest) -> Result<Purpose> {
    convert::read_purpose(request.purpose())
}

/// A checkout that is being started.
struct Start<'a> {
    app: &'a App,
    key: Key<'a>,
    request: &'a pb::StartCheckoutRequest,
    order: OrderId,
    new: NewCheckout,
}

impl Start<'_> {
    /// Whether something is spent that another service keeps.
    fn asks_peers(&self) -> bool {
        self.new.tenders.iter().any(|tender| tender.tender.is_kept_by_peer())
    }

    /// What was answered before, where other services would be asked first.
    async fn replay_if_peers_are_asked(&self) -> Result<Option<pb::Checkout>> {
        if !self.asks_peers() {
            return Ok(None);
        }
        idempotency::replay(&mut *self.app.pg.conn().await?, self.key, self.request).await
    }

    async fn at_once(&self) -> Result<pb::Checkout> {
        let now = self.app.clock.now();
        let mut tx = self.app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, self.key, self.request).await? {
            Begin::Replay(reply) => return Ok(reply),
            Begin::Fresh(ticket) => ticket,
        };
        let before = lock(&mut tx, self.order).await?;
        // It is stored together with its reply, so what is known by this id came from another request.
        if db::checkouts::order_of(&mut tx, self.new.id).await?.is_some() {
            return Err(request_id_reused());
        }
        let outcome = before.clone().start_checkout(self.new.clone(), now)?;
        risk::assess(&mut tx, now, &self.operation(&before)?, OnReview::Queue).await?;
        record(&mut tx, now, self.key.caller, &before, &outcome).await?;
        let reply = convert::checkout::checkout(&outcome.order, self.new.id)?;
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        kernel::crash::point("payment.checkout.committed");
        Ok(reply)
    }

    async fn with_provider(&self, payment: PaymentId, tender: Tender) -> Result<pb::Checkout> {
        let app = self.app;
        if let Some(reply) = idempotency::replay(&mut *app.pg.conn().await?, self.key, self.request).await? {
            return Ok(reply);
        }
        let provider = app.peers.providers.of(tender)?;
        let charge = self.set_aside(provider, payment).await?;
        kernel::crash::point("payment.checkout.set_aside");
        let made = match charge {
            Some(charge) => Some(make_charge(provider, charge).await?),
            None => None,
        };
        kernel::crash::point("payment.checkout.charge_made");

        let now = app.clock.now();
        let mut tx = app.pg.begin().await?;
        let ticket = match idempotency::begin(&mut tx, now, self.key, self.request).await? {
            Begin::Replay(reply) => return Ok(reply),
            Begin::Fresh(ticket) => ticket,
        };
        let before = lock(&mut tx, self.order).await?;
        let outcome = answered(before.clone(), payment, made)?;
        record(&mut tx, now, self.key.caller, &before, &outcome).await?;
        let reply = convert::checkout::checkout(&outcome.order, self.new.id)?;
        ticket.finish(&mut tx, &reply).await?;
        tx.commit().await?;
        kernel::crash::point("payment.checkout.committed");
        ask_if_nobody_is_waited_for(app, &outcome.order, payment).await;
        Ok(reply)
    }

    /// Stores the checkout and sets aside what its tenders pay, or finds the one that a twin of this request has stored.
    /// Returns the charge to be made; `None` if it is decided already.
    async fn set_aside(&self, provider: &Arc<dyn Provider>, payment: PaymentId) -> Result<Option<NewCharge>> {
        let now = self.app.clock.now();
        let mut tx = self.app.pg.begin().await?;
        let before = lock(&mut tx, self.order).await?;
        if before.checkout_state(self.new.id).is_some() {
            if !self.is_stored_in(&before) {
                return Err(request_id_reused());
            }
            let pending = before.payment(payment).filter(|payment| payment.is_pending());
            return pending.map(|payment| self.charge(&before, payment)).transpose();
        }
        if db::checkouts::order_of(&mut tx, self.new.id).await?.is_some() {
            return Err(request_id_reused());
        }
        let outcome = before.clone().start_checkout(self.new.clone(), now)?;
        let pending = outcome.order.payment(payment).filter(|payment| payment.is_pending());
        let charge = pending.map(|payment| self.charge(&outcome.order, payment)).transpose()?;
        if let Some(charge) = &charge {
            provider.check(charge)?;
        }
        risk::assess(&mut tx, now, &self.operation(&before)?, OnReview::Queue).await?;
        match record(&mut tx, now, self.key.caller, &before, &outcome).await {
            // The id is that of a checkout of another order, which was stored just now.
            Err(error) if error.reason() == "CHECKOUT_EXISTS" => return Err(request_id_reused()),
            recorded => recorded?,
        }
        tx.commit().await?;
        Ok(charge)
    }

    /// What risk looks at: all tenders together.
    fn operation(&self, order: &Order) -> Result<Operation> {
        Ok(Operation {
            kind: OperationKind::Payment,
            source: self.new.id.uuid(),
            target: order.id.name(),
            customer: order.customer,
            store: order.store,
            card: self.new.tenders.iter().find_map(|tender| tender.tender.card()),
            address: self.request.payer.as_ref().and_then(|payer| risk::address(self.app, &payer.ip)),
            actor: self.key.caller.to_owned(),
            amount: Money::try_sum(order.currency(), self.new.tenders.iter().map(|tender| tender.amount))?,
        })
    }

    fn charge(&self, order: &Order, payment: &crate::domain::Payment) -> Result<NewCharge> {
        new_charge(self.app, order, payment, self.request.payer.as_ref())
    }

    /// Whether the checkout that the order has by this id is the one that is asked for.
    fn is_stored_in(&self, order: &Order) -> bool {
        let stored = order.together(self.new.id).map(|of| (of.purpose, of.tender, of.amount, of.reference.as_str()));
        stored.eq(self.new.tenders.iter().map(|of| (self.new.purpose, of.tender, of.amount, of.reference.as_str())))
    }
}
