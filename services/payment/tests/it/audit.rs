//! Every invariant: nothing is found after an eventful day, and whatever is planted is found and named.

use std::{collections::BTreeSet, time::Duration};

use jiff::civil::date;
use kernel::ids::CardId;
use payment::{
    db::invariants::{self, MOST_TOLD},
    flows::audit::audit,
    worker,
};
use pg::PgConnection;
use proto::{
    access::Role,
    payment::v1::{self as pb, ContractTerms, RefundCause, payment::Purpose, refund_order_request::What},
};
use sqlx::AssertSqlSafe;
use testkit::eventually;

use crate::{
    checkout::{self, spend},
    commission::office::Office,
    drawer,
    house::House,
    ledger::book::Book,
    payouts, peer_tenders,
    prepaid::{
        shop::{Shop, item, ten, year},
        tenders,
    },
    reconciliation::bill_with_breaks,
    risk,
    stored_value::{desk::Desk, refunds},
    tips,
    wire::{amend, cny},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A house after an eventful day: orders in every state, transfers with every end, a day that is closed, all of it sealed.
async fn eventful() -> House {
    let house = with_contracts(Shop::open().await).await;
    with_drawers(&house).await;
    tips::eventful(&house).await;
    let _open = house.order().await;
    let deposit_paid = house.order().await;
    house.cash(&deposit_paid, Purpose::Deposit).await;
    let paid = house.order().await;
    house.cash(&paid, Purpose::Balance).await;
    let refunding = house.order().await;
    let payment = house.start(&refunding, Purpose::Deposit).await;
    house.succeed(&payment).await;
    house.close(&refunding, Some(1_000)).await;
    let refunded = house.order().await;
    house.cash(&refunded, Purpose::Deposit).await;
    house.close(&refunded, None).await;
    let cheaper = house.order().await;
    house.cash(&cheaper, Purpose::Deposit).await;
    house.cash(&cheaper, Purpose::Balance).await;
    house.client.clone().amend_order(house.as_booking(amend(&cheaper, -7_500))).await.expect("cheaper");

    let desk = Desk { house };
    desk.campaign(desk.offer(1_000, 300)).await;
    let card = desk.card().await;
    desk.top_up(&card, 1_000).await;
    desk.begin(&card, 500).await.expect("not paid yet");
    let given_back = desk.card().await;
    desk.top_up(&given_back, 1_000).await;
    refunds::refund(&desk, &given_back, RefundCause::ConsumerWish).await.expect("given back");
    let house = desk.house;
    let (held, spent) = (house.order_of(1_000, 0).await, house.order_of(260, 0).await);
    let card = CardId::parse_name("card", &card).expect("a name");
    spend(&house, &held, card, 130, 870).await.expect("set aside");
    spend(&house, &spent, card, 260, 0).await.expect("spent");
    checkouts(&house).await;
    let office = Office::of(&house).await;
    office.rules(3_000, 1_000).await;
    let visited = house.order().await;
    house.cash(&visited, Purpose::Balance).await;
    office.complete(&office.visit(&visited).await.through("meituan")).await;
    house.close(&visited, Some(20_000)).await;
    let paid_out = house.order().await;
    house.cash(&paid_out, Purpose::Balance).await;
    let long_ago = house.clock_now() - house.app.policy.claw_back();
    office.try_complete(&office.visit(&paid_out).await.through("meituan"), long_ago).await.expect("applied");
    let list = office.list(&house).await.name;
    office.try_confirm(&list, "").await.expect("confirmed");
    office.try_pay(&list, "").await.expect("paid");
    house.close(&paid_out, Some(20_000)).await;

    risk::eventful(&house).await;

    let book = Book::of(&house);
    book.post(&[book.top_up(1_000)]).await.expect("posted");
    let transfers = [10, 20, 40].map(|minor| book.transfer(book.spend(minor)));
    book.reserve(&transfers).await.expect("set aside");
    book.commit(&[transfers[0].id]).await.expect("posted");
    book.void(&[transfers[1].id]).await.expect("voided");
    house.clock.advance(Duration::from_secs(16 * 3_600));
    book.post(&[book.sale(5)]).await.expect("posted");
    bill_with_breaks(&house, date(2027, 3, 1), &payment).await;
    let all = house.count("select count(*) from ledger_transaction").await;
    eventually(PATIENCE, || async {
        worker::seal_audit(&house.app).await.expect("sealed");
        while worker::seal_ledger(&house.app).await.expect("sealed") > 0 {}
        while worker::close_days(&house.app).await.expect("closed") > 0 {}
        let sealed = house.count("select coalesce(sum(transactions), 0)::bigint from ledger_seal").await;
        let audited = house.count("select coalesce(sum(entries), 0)::bigint from audit_seal").await;
        let recorded = house.count("select count(*) from audit_entry").await;
        sealed == all && audited == recorded && house.count("select count(*) from ledger_sheet").await == 1
    })
    .await;
    house
}

/// Contracts in use, run out to nothing, and ended.
async fn with_contracts(shop: Shop) -> House {
    let _draft = shop.draft(ten()).await;
    let active = shop.sell(ten()).await.name;
    shop.have(&active).await;
    let _reserved = shop.reserve(&active).await;
    let used_up = shop.sell(ContractTerms { items: vec![item("items/massage", 1, 0, 300_000)], ..ten() }).await.name;
    shop.have(&used_up).await;
    let ended = shop.sell(ten()).await.name;
    shop.have(&ended).await;
    shop.refund(&ended, RefundCause::ConsumerWish).await.expect("ended");
    let (_, paid) = payouts::due(&shop).await;
    payouts::hand_over(&shop, &paid).await;
    payouts::due(&shop).await;
    let (visit, session) = tenders::visit(&shop, 40_000).await;
    tenders::pay(&shop, &visit, &session, 40_000).await.expect("paid");
    let (visit, session) = tenders::visit(&shop, 35_000).await;
    tenders::pay(&shop, &visit, &session, 35_000).await.expect("paid");
    checkout::client(&shop.house)
        .refund_order(shop.as_manager(checkout::refund_all(&visit)))
        .await
        .expect("given back");
    let time = shop.sell(year()).await.name;
    let visit = shop.try_reserve(shop.new_use(&time, "items/massage")).await.expect("a use");
    shop.commit(&visit.name).await.expect("had");
    shop.house
}

/// A checkout that has come to pass, one that is open, and a line that was given back.
async fn checkouts(house: &House) {
    let (shared, waiting, returned) =
        (house.order_of(30_000, 0).await, house.order_of(30_000, 0).await, house.order_of(100, 0).await);
    let card = checkout::card(house, 20_000).await;
    let open = checkout::spend(house, &shared, card, 15_000, 15_000).await.expect("open");
    house.succeed(&checkout::external(&open)).await;
    checkout::spend(house, &waiting, card, 5_000, 25_000).await.expect("open");
    house.cash(&returned, Purpose::Balance).await;
    let line = pb::ReturnLine { line: 0, amount: cny(40) };
    let refund = checkout::refund(&returned, What::Lines(pb::ReturnLines { lines: vec![line] }));
    let refund = house.as_staff(refund, Role::StoreManager, Some(house.store));
    checkout::client(house).refund_order(refund).await.expect("given back");
    peer_tenders::one_of_each(house).await;
}

/// A drawer that was closed short, and the next one of its till, which is open.
async fn with_drawers(house: &House) {
    let first = drawer::open(house, "front", 1_000).await.expect("open");
    house.cash(&house.order_of(70, 0).await, Purpose::Balance).await;
    drawer::close(house, drawer::closing(&first, 1_050, Some(900))).await.expect("closed");
    drawer::open(house, "front", 901).await.expect("open");
    house.cash(&house.order_of(30, 0).await, Purpose::Balance).await;
}

/// The names of the invariants that are broken on a connection.
pub async fn broken(conn: &mut PgConnection) -> Vec<(&'static str, String)> {
    let mut broken = Vec::new();
    for invariant in invariants::all() {
        let finding = invariants::look(conn, invariant).await.expect(invariant.name);
        assert!(finding.breaches.len() <= MOST_TOLD);
        broken.extend(finding.breaches.into_iter().map(|breach| (invariant.name, breach)));
    }
    broken
}

/// What is planted by somebody who owns the tables and stops at nothing, and the invariants of which one must notice.
const PLANTED: &[(&str, &str)] = &[
    ("ledger.balanced", "update ledger_entry set amount_minor = amount_minor + 1 where position = 0"),
    ("ledger.balanced", "update ledger_entry set currency = 'USD' where position = 0"),
    ("ledger.balanced", "update ledger_entry set store_id = gen_random_uuid() where position = 0"),
    ("ledger.whole", "delete from ledger_entry where transaction_id = (select id from ledger_transaction limit 1)"),
    ("ledger.whole", "delete from ledger_transaction where kind = 'forfeit'"),
    ("ledger.chart", "update ledger_entry set account = 'slush_fund' where account = 'takings'"),
    ("ledger.chart", "update ledger_entry set party = null where account = 'customer_deposits'"),
    ("ledger.chart", "update ledger_entry set party = 'members/x' where account = 'takings'"),
    ("ledger.chain", "update ledger_entry set amount_minor = amount_minor * 2"),
    ("ledger.chain", "update ledger_transaction set source_id = gen_random_uuid() where kind = 'forfeit'"),
    ("ledger.chain", "update ledger_seal set hash = sha256(hash)"),
    ("ledger.rolled_up", "update ledger_rollup set debits_minor = debits_minor + 1 where account = 'cash_drawer'"),
    ("ledger.rolled_up", "delete from ledger_rollup where account = 'takings'"),
    ("ledger.rolled_up", "insert into ledger_rollup values ('bank', gen_random_uuid(), 'CNY', 1, 1)"),
    ("ledger.available", "update ledger_balance set posted_minor = posted_minor + 1"),
    ("ledger.available", "update ledger_balance set reserved_minor = reserved_minor + 1"),
    ("ledger.available", "delete from ledger_balance"),
    ("ledger.available", "insert into ledger_balance values ('stored_value_bonus', 'cards/x', 'CNY', 7, 0)"),
    ("ledger.available", "delete from ledger_transfer where state = 'pending'"),
    ("ledger.transfers", "update ledger_transfer set state = 'posted' where state = 'voided'"),
    ("ledger.transfers", "update ledger_transfer set state = 'voided' where state = 'posted'"),
    ("ledger.transfers", "update ledger_transfer_entry set amount_minor = amount_minor * 2"),
    ("ledger.days", "update ledger_day set debits_minor = debits_minor + 1, closing_minor = closing_minor + 1"),
    ("ledger.days", "delete from ledger_day where account = 'takings'"),
    ("ledger.days", "update ledger_cutoff set end_time = end_time + interval '2 hours'"),
    (
        "ledger.days",
        "insert into ledger_cutoff select store_id, date + 1, end_time + interval '1 second', end_time + interval '1 day',
                                          create_time from ledger_cutoff;
         insert into ledger_sheet select store_id, date + 1, create_time from ledger_sheet",
    ),
    ("order.lines", "update order_line set amount_minor = amount_minor - 1"),
    ("order.lines", "delete from order_line"),
    ("order.paid", "update customer_order set paid_minor = paid_minor - 1 where state = 'paid'"),
    ("order.paid", "update customer_order set refunded_minor = refunded_minor - 1 where refunded_minor > 0"),
    ("order.paid", "update refund set reason = 'ORDER_CLOSED' where reason = 'PRICE_LOWERED'"),
    ("payment.refunded", "update refund set amount_minor = 1000000"),
    ("payment.refunded", "update payment set state = 'pending', capture_time = null where id in (select payment_id from refund)"),
    ("payment.booked", "update payment set amount_minor = amount_minor + 1 where state = 'captured'"),
    ("payment.booked", "delete from refund"),
    ("payment.booked", "update refund set state = 'succeeded', succeed_time = create_time where state = 'pending'"),
    ("order.owed", "update customer_order set state = 'paid' where state = 'deposit_paid'"),
    ("order.owed", "update refund set state = 'succeeded', succeed_time = create_time where state = 'pending'"),
    ("checkout.whole", "update checkout set state = 'voided' where state = 'captured'"),
    ("checkout.whole", "update checkout set state = 'voided' where state = 'open'"),
    (
        "checkout.whole",
        "update payment set state = 'failed', failure_reason = 'X', capture_time = null
         where tender = 'stored_value' and state = 'captured'",
    ),
    ("checkout.whole", "update payment set tender = 'wechat_h5' where checkout_id is not null"),
    ("tender.set_aside", "update payment set state = 'captured', capture_time = create_time where state = 'reserved'"),
    ("tender.set_aside", "update ledger_transfer set state = 'voided' where kind = 'capture' and state = 'posted'"),
    ("order_return.lines", "update order_return_line set amount_minor = 101"),
    ("order_return.lines", "update order_return_line set line_position = 7"),
    ("peer_tender.payment", "update peer_tender set state = 'voided' where state = 'captured'"),
    ("peer_tender.payment", "update peer_tender set state = 'captured', decide_time = create_time where state = 'reserved'"),
    ("peer_tender.payment", "update peer_tender set amount_minor = amount_minor + 1 where state = 'reserved'"),
    ("peer_tender.payment", "update peer_tender set payment_id = gen_random_uuid() where state = 'reserved'"),
    ("peer_tender.returned", "update peer_tender_return set amount_minor = amount_minor + 1"),
    ("peer_tender.returned", "delete from peer_tender_return"),
    ("peer_tender.told", "update peer_tender set trouble = 'REDEMPTION_ENDED' where tell_time is not null"),
    ("peer_tender.told", "update peer_tender set tell_time = null where tell_time is not null"),
    ("peer_tender.told", "delete from task"),
    ("order.events", "delete from outbox where aggregate_version = 2"),
    ("order.events", "update outbox set aggregate_version = 1 where aggregate_version = 2"),
    ("order.events", "update customer_order set version = version + 1"),
    (
        "order.invoiced",
        "insert into invoice (id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                              title_sealed, state, create_time, version, next_attempt_time)
         select gen_random_uuid(), order_id, id, id, 'CNY', amount_minor + 1, 0, 'taxed', 0, '', 'requested', create_time,
                1, create_time from payment where state = 'captured'",
    ),
    (
        "invoice.events",
        "insert into invoice (id, order_id, customer_id, store_id, currency, amount_minor, tax_minor, taxation, rate_bp,
                              title_sealed, state, reason, create_time, version)
         select gen_random_uuid(), id, id, id, 'CNY', 1, 0, 'taxed', 0, '', 'refused', 'x', create_time, 1
         from customer_order",
    ),
    ("prepaid.owed", "update prepaid_contract set recognised_minor = recognised_minor + 1 where state = 'active'"),
    ("prepaid.owed", "update prepaid_use set state = 'voided', decide_time = create_time where state = 'reserved'"),
    ("prepaid.owed", "update prepaid_contract set state = 'refunded' where state = 'active'"),
    ("prepaid.earned", "update prepaid_use set value_minor = value_minor + 1 where state = 'committed'"),
    ("prepaid.earned", "update prepaid_contract set state = 'used_up' where state = 'active'"),
    ("prepaid.sessions", "update prepaid_use set state = 'voided' where payment_id is not null"),
    ("prepaid.sessions", "update prepaid_use set state = 'returned' where payment_id is not null"),
    ("prepaid.sessions", "update prepaid_use set payment_id = null"),
    ("prepaid.sessions", "update payment set tender = 'cash' where tender = 'prepaid_session'"),
    ("prepaid.refunded", "delete from prepaid_refund"),
    ("prepaid.refunded", "update prepaid_refund set refund_minor = refund_minor + 1"),
    ("prepaid.events", "delete from prepaid_change where version = 2"),
    ("prepaid.events", "delete from outbox where type = 'meridian.payment.v1.ContractChanged' and aggregate_version = 1"),
    ("prepaid.events", "update prepaid_contract set version = version + 1"),
    ("card.lots", "update stored_value_lot set principal_open_minor = principal_open_minor + 1"),
    ("card.lots", "update stored_value_lot set bonus_held_minor = bonus_open_minor + 1"),
    ("card.owed", "update stored_value_lot set principal_open_minor = principal_open_minor + 1"),
    ("card.owed", "update stored_value_lot set bonus_held_minor = 0"),
    ("card.owed", "update ledger_balance set posted_minor = posted_minor - 1 where account = 'stored_value_bonus'"),
    ("card.owed", "delete from stored_value_lot"),
    ("card.shares", "update stored_value_share set principal_minor = principal_minor + 1"),
    ("card.shares", "update stored_value_share set bonus_returned_minor = 1"),
    ("card.shares", "update stored_value_spending set state = 'voided'"),
    ("card.top_ups", "update top_up set state = 'open'"),
    ("card.top_ups", "update top_up set state = 'loaded'"),
    ("card.top_ups", "update top_up_campaign set budget_minor = 1"),
    ("payout.booked", "update payout set state = 'due' where state = 'paid'"),
    ("payout.booked", "update payout set state = 'paid' where state = 'due'"),
    ("card.refunded", "update card_refund_part set to_sources_minor = to_sources_minor + 1"),
    ("card.refunded", "delete from card_refund_part"),
    ("order.owed", "delete from payout where state = 'due'"),
    ("prepaid.refunded", "update payout set price_minor = price_minor - 1 where price_minor > 0"),
    ("card.events", "update stored_value_card set version = version + 1"),
    ("card.events", "delete from outbox where type = 'meridian.payment.v1.CardChanged' and aggregate_version = 2"),
    ("commission.booked", "update commission_accrual set reversed_minor = 0"),
    ("commission.booked", "update commission_accrual set amount_minor = amount_minor + 1"),
    ("commission.booked", "delete from commission_accrual where position = 1"),
    ("commission.booked", "delete from commission_claw_back"),
    ("commission.payable", "update commission_claw_back set amount_minor = amount_minor + 1"),
    ("commission.payable", "update commission_accrual set payee = payee || 'x' where settlement_id is null"),
    ("commission.settled", "update commission_claw_back set settlement_id = (select id from commission_settlement limit 1)"),
    ("commission.settled", "update commission_claw_back set payee = 'partners/x'"),
    ("commission.settled", "update commission_settlement set state = 'confirmed', pay_time = null"),
    ("commission.settled", "update commission_settlement set store_id = gen_random_uuid()"),
    ("commission.base", "update commission_visit set price_minor = price_minor + 1"),
    ("bill.lines", "update day_proof set lines = lines + 1"),
    ("bill.lines", "update day_proof set sales_minor = sales_minor + 1"),
    ("bill.lines", "delete from bill_line"),
    ("bill.lines", "delete from day_proof"),
    ("bill.breaks", "update reconciliation_break set difference_minor = difference_minor + 1"),
    ("bill.breaks", "update reconciliation_break set state = 'open', resolution = null, resolve_time = null"),
    ("bill.fees", "update day_proof set fees_minor = fees_minor + 1"),
    ("bill.ledger", "update day_proof set our_sales_minor = our_sales_minor + 1"),
    ("bill.ledger", "update ledger_entry set party = 'providers/other' where account = 'provider_receivable'"),
    ("drawer.booked", "update drawer_movement set amount_minor = amount_minor + 1 where kind = 'sale'"),
    ("drawer.booked", "update drawer_movement set source_id = gen_random_uuid() where kind = 'banked'"),
    ("drawer.booked", "update drawer set store_id = gen_random_uuid()"),
    ("drawer.opened", "update drawer set float_minor = float_minor + 1 where number = 2"),
    ("drawer.opened", "update drawer set carried_minor = carried_minor + 1 where number = 1"),
    ("drawer.opened", "update drawer set loose_in_minor = loose_in_minor + 1, float_minor = float_minor - 1"),
    ("drawer.opened", "update drawer set number = 3 where number = 2"),
    ("drawer.opened", "update drawer set state = 'closed' where number = 2; update drawer set state = 'open' where number = 1"),
    ("drawer.opened", "delete from drawer_movement where kind = 'opening_difference'"),
    ("drawer.closed", "update drawer set counted_minor = counted_minor + 1 where state = 'closed'"),
    ("drawer.closed", "delete from drawer_movement where kind = 'sale'"),
    ("drawer.closed", "update drawer_movement set drawer_id = (select id from drawer where number = 2) where kind = 'banked'"),
    ("risk.held", "delete from order_return where id in (select source_id from risk_review where state = 'approved')"),
    ("risk.held", "update risk_review set state = 'rejected' where state = 'approved'"),
    ("risk.held", "update risk_review set amount_minor = amount_minor + 1"),
    ("risk.resolved", "update risk_review set resolver = actor where state = 'approved'"),
    ("risk.resolved", "update risk_review set resolver = 'staff/nobody' where state = 'approved'"),
    ("tip.owed", "update ledger_balance set posted_minor = posted_minor + 1 where account = 'tips_payable'"),
    ("tip.owed", "update tip_payout set amount_minor = amount_minor + 1"),
    ("tip.owed", "delete from order_return_line where return_id in (select id from order_return where reason = 'TIP')"),
    ("tip.visit", "delete from tip"),
    ("tip.visit", "update tip set visit_order_id = order_id"),
    ("tip.visit", "update tip_payout set id = gen_random_uuid()"),
    ("request.answered", "update idempotency_key set reply = null"),
    ("audit.chain", "update audit_entry set actor = 'nobody'"),
];

/// Switches off all that keeps the tables in order.
const LAWLESS: &str = "do $$
declare
    item record;
begin
    for item in select oid::regclass as name from pg_class
                where relnamespace = 'public'::regnamespace and relkind = 'r' loop
        execute format('grant all on %s to current_user', item.name);
        execute format('alter table %s disable trigger user', item.name);
    end loop;
    for item in select conrelid::regclass as name, conname from pg_constraint
                where connamespace = 'public'::regnamespace and contype in ('c', 'f') and conrelid <> 0 loop
        execute format('alter table %s drop constraint if exists %I', item.name, item.conname);
    end loop;
end
$$";

#[tokio::test]
async fn an_eventful_day_breaks_nothing_and_whatever_is_planted_is_named() {
    let house = eventful().await;
    let mut seen = Vec::new();
    let findings = audit(&house.db.pg, |finding| seen.push(finding.invariant.name)).await.expect("looked");
    for finding in &findings {
        assert!(finding.breaches.is_empty() && !finding.more, "{finding:?}");
    }
    assert_eq!(seen, invariants::all().map(|invariant| invariant.name).collect::<Vec<_>>());

    for (name, plant) in PLANTED {
        let mut tx = house.db.pg.begin().await.expect("a transaction");
        sqlx::raw_sql(LAWLESS).execute(&mut *tx).await.expect("an owner may");
        sqlx::raw_sql(AssertSqlSafe((*plant).to_owned())).execute(&mut *tx).await.expect(plant);
        let broken = broken(&mut tx).await;
        assert!(broken.iter().any(|(found, _)| found == name), "{plant}: {broken:?}");
        tx.rollback().await.expect("rolled back");
    }
    let planted: BTreeSet<&str> = PLANTED.iter().map(|(name, _)| *name).collect();
    assert_eq!(planted, invariants::all().map(|invariant| invariant.name).collect(), "each is planted at least once");
    assert_eq!(broken(&mut house.db.pg.conn().await.expect("a connection")).await, []);
}

#[tokio::test]
async fn an_audit_changes_nothing_and_needs_no_right_to() {
    let house = House::open().await;
    let mut tx = house.db.pg.begin().await.expect("a transaction");
    invariants::begin(&mut tx).await.expect("begun");
    let error = sqlx::query("update customer_order set version = 1").execute(&mut *tx).await.expect_err("read-only");
    assert!(error.to_string().contains("read-only transaction"), "{error}");
}
