//! Every role against every RPC.

mod rules;

use std::{collections::BTreeSet, time::Duration};

use kernel::{
    Clock, Currency, Money,
    ids::{LedgerTransferId, MemberId, StaffId, StoreId, TherapistId},
};
use payment::{
    db,
    domain::ledger::{Account, Kind, Transaction, Transfer},
};
use proto::{
    access::{self, Role},
    feed::v1::{SubscribeRequest, event_feed_service_client::EventFeedServiceClient},
    payment::v1::{
        self as pb,
        commission_service_client::CommissionServiceClient,
        invoice_service_client::InvoiceServiceClient,
        ledger_service_client::LedgerServiceClient,
        payment::{Purpose, Tender},
        payout_service_client::PayoutServiceClient,
        prepaid_service_client::PrepaidServiceClient,
        refund_law_contract::{Plan, StoredValue},
    },
};
use testkit::with_token;
use tonic::{Code, Request, Status, transport::Channel};

use self::rules::{READERS, RULES, SHEET_READERS};
use crate::{
    checkout,
    commission::office::{Office, new_rule},
    drawer::roles as roles_of_drawers,
    house::{House, notice},
    prepaid::roles as contracts,
    reconciliation::{client as reconciliation, formats::header},
    records, risk,
    stored_value::roles as roles_of_cards,
    tips,
    wire::{amend, close, cny, fresh, pay, refusal},
};

/// A member of staff of whom it was said which therapist he is.
const THERAPIST: StaffId = StaffId::from_uuid(kernel::Uuid::from_u128(8));

/// What whoever is let in hears: nothing is reconciled here, and an empty notice is not signed.
fn answer(rpc: &str) -> &'static str {
    match rpc {
        "NotifyPayment" => "BAD_SIGNATURE",
        "ReconcileDay" | "ImportBill" => "BILL_NOT_READY",
        "GetDayProof" | "ResolveBreak" | "GetReview" | "ResolveReview" => "NOT_FOUND",
        _ => "",
    }
}

fn token(house: &House, role: Role, store: Option<StoreId>) -> String {
    let keys = testkit::keys();
    match role {
        Role::Member => keys.member_token(house.member),
        Role::Service => keys.service_token("booking"),
        Role::Therapist => keys.staff_token(THERAPIST, [role], store),
        staff => keys.staff_token(StaffId::from_uuid(fresh()), [staff], store),
    }
}

/// The reason for which a call is refused; empty if it isn't. An order that can be paid and ended is made for it.
async fn call(house: &House, rpc: &str, token: Option<&str>) -> String {
    let order = house.order().await;
    let mut client = house.client.clone();
    match rpc {
        "CreateOrder" => reason(client.create_order(sent(house.new_order(100, 0), token)).await),
        "GetOrder" => reason(client.get_order(sent(pb::GetOrderRequest { name: order }, token)).await),
        "ListOrders" => reason(client.list_orders(sent(pb::ListOrdersRequest::default(), token)).await),
        "CreateCommissionRule" => reason(commission(house).create_commission_rule(sent(new_rule(3_000), token)).await),
        "RetireCommissionRule" => {
            let name = Office::of(house).await.rule(new_rule(3_000)).await.name;
            let request =
                pb::RetireCommissionRuleRequest { name, etag: String::new(), request_id: fresh().to_string() };
            reason(commission(house).retire_commission_rule(sent(request, token)).await)
        }
        "GetCommissionRule" => {
            let name = Office::of(house).await.rule(new_rule(3_000)).await.name;
            reason(commission(house).get_commission_rule(sent(pb::GetCommissionRuleRequest { name }, token)).await)
        }
        "ListCommissionRules" => {
            let request = pb::ListCommissionRulesRequest::default();
            reason(commission(house).list_commission_rules(sent(request, token)).await)
        }
        "PreviewCommission" => {
            reason(commission(house).preview_commission(sent(Office::of(house).await.preview(100), token)).await)
        }
        "LinkTherapist" => {
            let request = pb::LinkTherapistRequest {
                therapist: format!("therapists/{}", fresh()),
                staff: THERAPIST.name(),
                request_id: fresh().to_string(),
            };
            reason(commission(house).link_therapist(sent(request, token)).await)
        }
        "DraftSettlement" | "ConfirmSettlement" | "PaySettlement" | "GetSettlement" | "ListSettlements"
        | "ExportSettlement" => settle(house, rpc, token).await,
        "ListAccruals" => {
            reason(commission(house).list_accruals(sent(pb::ListAccrualsRequest::default(), token)).await)
        }
        "PayOrder" => reason(client.pay_order(sent(pay(&order, Purpose::Deposit, Tender::Sandbox), token)).await),
        "AmendOrder" => reason(client.amend_order(sent(amend(&order, 100), token)).await),
        "CloseOrder" => reason(client.close_order(sent(close(&order, None), token)).await),
        "StartCheckout" => reason(checkout::client(house).start_checkout(sent(checkout_of(&order), token)).await),
        "GetCheckout" => {
            let open = checkout::start(house, &checkout_of(&order)).await.expect("open");
            let request = pb::GetCheckoutRequest { name: open.name };
            reason(checkout::client(house).get_checkout(sent(request, token)).await)
        }
        "CancelCheckout" => {
            let open = checkout::start(house, &checkout_of(&order)).await.expect("open");
            reason(checkout::client(house).cancel_checkout(sent(checkout::cancel(&open), token)).await)
        }
        "RefundOrder" => reason(checkout::client(house).refund_order(sent(checkout::refund_all(&order), token)).await),
        "PreviewRefund" => {
            let what = Some(pb::preview_refund_request::What::All(true));
            let request = pb::PreviewRefundRequest { name: order, what };
            reason(checkout::client(house).preview_refund(sent(request, token)).await)
        }
        "NotifyPayment" => reason(client.notify_payment(sent(notice("sandbox", b"{}"), token)).await),
        "ListLedgerAccounts" => {
            reason(client.list_ledger_accounts(sent(pb::ListLedgerAccountsRequest::default(), token)).await)
        }
        "ListAccounts" => reason(ledger(house).list_accounts(sent(pb::ListAccountsRequest::default(), token)).await),
        "GetBalanceSheet" => {
            let request = pb::GetBalanceSheetRequest { name: format!("{}/balanceSheets/2027-03-01", house.store) };
            reason(ledger(house).get_balance_sheet(sent(request, token)).await)
        }
        "GetStatement" => reason(ledger(house).get_statement(sent(statement(house), token)).await),
        "GetTransfer" => {
            let request = pb::GetTransferRequest { name: transfer(house).await };
            reason(ledger(house).get_transfer(sent(request, token)).await)
        }
        "VerifyChain" => reason(ledger(house).verify_chain(sent(pb::VerifyChainRequest::default(), token)).await),
        "ExportEntries" => reason(ledger(house).export_entries(sent(pb::ExportEntriesRequest::default(), token)).await),
        "QuoteRefundByLaw" => {
            reason(PrepaidServiceClient::new(house.channel.clone()).quote_refund_by_law(sent(law_case(), token)).await)
        }
        "RequestInvoice" | "GetInvoice" | "ListInvoices" | "ReverseInvoice" | "DownloadInvoice" => {
            // Nobody issues invoices here, and there are none: who learns that was let in.
            let reason = invoice(house, rpc, order, token).await;
            if matches!(reason.as_str(), "INVOICES_NOT_OFFERED" | "NOT_FOUND") { String::new() } else { reason }
        }
        "ReconcileDay" => {
            let request = pb::ReconcileDayRequest { name: day(), request_id: fresh().to_string() };
            reason(reconciliation(house).reconcile_day(sent(request, token)).await)
        }
        "ImportBill" => {
            let request = sent(futures_util::stream::iter([header(&day(), b"")]), token);
            reason(reconciliation(house).import_bill(request).await)
        }
        "GetDayProof" => {
            reason(reconciliation(house).get_day_proof(sent(pb::GetDayProofRequest { name: day() }, token)).await)
        }
        "ListBreaks" => reason(reconciliation(house).list_breaks(sent(pb::ListBreaksRequest::default(), token)).await),
        "ResolveBreak" => {
            let request = pb::ResolveBreakRequest {
                name: format!("{}/breaks/1", day()),
                resolution: pb::reconciliation_break::Resolution::Explained.into(),
                note: "none".to_owned(),
                request_id: fresh().to_string(),
            };
            reason(reconciliation(house).resolve_break(sent(request, token)).await)
        }
        "ListPayouts" => reason(payouts(house).list_payouts(sent(pb::ListPayoutsRequest::default(), token)).await),
        "MakePayout" => {
            // There is none: who learns that was let in.
            let (name, request_id) = (format!("payouts/{}", fresh()), fresh().to_string());
            let method = pb::payout::Method::Cash.into();
            let request = pb::MakePayoutRequest { name, method, reference: String::new(), request_id };
            let reason = reason(payouts(house).make_payout(sent(request, token)).await);
            if reason == "NOT_FOUND" { String::new() } else { reason }
        }
        "SearchPayments" | "ExportPayments" => records::asked(house, rpc, token).await,
        "Subscribe" => {
            let request = SubscribeRequest { consumer: "test".to_owned(), partition: 0, cursor: String::new() };
            reason(EventFeedServiceClient::new(house.channel.clone()).subscribe(sent(request, token)).await)
        }
        rpc if contracts::REFUSALS.iter().any(|(known, _)| *known == rpc) => {
            reason(contracts::call(house, rpc, token).await)
        }
        "AddTip" | "GetTipBalance" | "PayOutTips" => {
            // Nobody is owed anything: who learns that was let in.
            let reason = tips::call(house, rpc, &order, token).await;
            if reason == "INSUFFICIENT_BALANCE" { String::new() } else { reason }
        }
        rpc if roles_of_drawers::RPCS.contains(&rpc) => roles_of_drawers::call(house, rpc, token).await,
        rpc if rpc.contains("Risk") || rpc.contains("Review") => risk::call(house, rpc, token).await,
        other => roles_of_cards::call(house, other, token).await,
    }
}

/// A checkout that waits for the provider.
fn checkout_of(order: &str) -> pb::StartCheckoutRequest {
    checkout::request(order, &[checkout::tender(Tender::Sandbox, 30_000)])
}

async fn invoice(house: &House, rpc: &str, order: String, token: Option<&str>) -> String {
    let mut client = InvoiceServiceClient::new(house.channel.clone());
    let (name, request_id) = (format!("invoices/{}", fresh()), fresh().to_string());
    match rpc {
        "RequestInvoice" => {
            let buyer = Some(pb::InvoiceBuyer { title: "王芳".to_owned(), ..pb::InvoiceBuyer::default() });
            let request = pb::RequestInvoiceRequest { order, buyer, amount: None, request_id };
            reason(client.request_invoice(sent(request, token)).await)
        }
        "GetInvoice" => reason(client.get_invoice(sent(pb::GetInvoiceRequest { name }, token)).await),
        "ListInvoices" => reason(client.list_invoices(sent(pb::ListInvoicesRequest::default(), token)).await),
        "ReverseInvoice" => {
            let wrong = pb::reverse_invoice_request::Reason::IssueError.into();
            let request = pb::ReverseInvoiceRequest { name, reason: wrong, request_id };
            reason(client.reverse_invoice(sent(request, token)).await)
        }
        _ => reason(client.download_invoice(sent(pb::DownloadInvoiceRequest { name }, token)).await),
    }
}

/// A call about a settlement list; one that it can be about is made for it.
async fn settle(house: &House, rpc: &str, token: Option<&str>) -> String {
    let (office, mut client) = (Office::of(house).await, commission(house));
    office.rule(new_rule(3_000)).await;
    if rpc == "DraftSettlement" {
        let request = office.draftable(house).await;
        return reason(client.draft_settlement(sent(request, token)).await);
    }
    let (name, etag, request_id) = (office.list(house).await.name, String::new(), fresh().to_string());
    match rpc {
        "ConfirmSettlement" => {
            let request = pb::ConfirmSettlementRequest { name, etag, request_id };
            reason(client.confirm_settlement(sent(request, token)).await)
        }
        "PaySettlement" => {
            office.try_confirm(&name, "").await.expect("confirmed");
            let request = pb::PaySettlementRequest { name, etag, request_id };
            reason(client.pay_settlement(sent(request, token)).await)
        }
        "GetSettlement" => reason(client.get_settlement(sent(pb::GetSettlementRequest { name }, token)).await),
        "ExportSettlement" => reason(client.export_settlement(sent(pb::ExportSettlementRequest { name }, token)).await),
        _ => reason(client.list_settlements(sent(pb::ListSettlementsRequest::default(), token)).await),
    }
}

fn payouts(house: &House) -> PayoutServiceClient<Channel> {
    PayoutServiceClient::new(house.channel.clone())
}

fn commission(house: &House) -> CommissionServiceClient<Channel> {
    CommissionServiceClient::new(house.channel.clone())
}

fn ledger(house: &House) -> LedgerServiceClient<Channel> {
    LedgerServiceClient::new(house.channel.clone())
}

/// A card that was never used.
fn law_case() -> pb::QuoteRefundByLawRequest {
    let day = Some(proto::google::r#type::Date { year: 2027, month: 3, day: 1 });
    let contract = pb::RefundLawContract {
        paid: cny(100),
        sign_date: day,
        plan: Some(Plan::StoredValue(StoredValue::default())),
        ..pb::RefundLawContract::default()
    };
    let request = pb::RefundLawRequest {
        cause: pb::RefundCause::ConsumerWish.into(),
        request_date: day,
        ..pb::RefundLawRequest::default()
    };
    pb::QuoteRefundByLawRequest { contract: Some(contract), request: Some(request) }
}

/// A day of which there is no bill yet.
fn day() -> String {
    "providers/sandbox/dayProofs/2027-03-01".to_owned()
}

/// A request for a statement of the house's own store.
fn statement(house: &House) -> pb::GetStatementRequest {
    pb::GetStatementRequest {
        account: "accounts/takings".to_owned(),
        store: house.store.name(),
        currency_code: "CNY".to_owned(),
        ..pb::GetStatementRequest::default()
    }
}

/// A transfer at the house's own store.
async fn transfer(house: &House) -> String {
    let at = |account: Account| account.at(house.store);
    let one = Money::new(1, Currency::CNY);
    let sale = Transaction::moving(Kind::Capture, fresh(), at(Account::CashDrawer), at(Account::Takings), one);
    let now = house.clock.now();
    let id = LedgerTransferId::from_uuid(fresh());
    let transfer =
        Transfer::try_new(id, sale.expect("it balances"), now, now + Duration::from_secs(60)).expect("timely");
    let mut conn = house.db.pg.conn().await.expect("a connection");
    db::ledger::reserve(&mut conn, &[transfer]).await.expect("noted");
    id.name()
}

pub fn sent<T>(message: T, token: Option<&str>) -> Request<T> {
    match token {
        Some(token) => with_token(message, token),
        None => Request::new(message),
    }
}

pub fn reason<T>(result: Result<T, Status>) -> String {
    result.err().map(|status| refusal(&status).1).unwrap_or_default()
}

#[test]
fn every_rpc_is_tried() {
    let served = ["/meridian.payment.v1.", "/meridian.feed.v1."];
    let known = access::ALL.iter().filter(|(path, _)| served.iter().any(|package| path.starts_with(package)));
    let known: BTreeSet<&str> = known.filter_map(|(path, _)| path.rsplit('/').next()).collect();
    assert_eq!(known, RULES.iter().map(|(rpc, _)| *rpc).collect());
}

#[tokio::test]
async fn every_role_reaches_what_its_rule_says_and_nothing_else() {
    let house = House::open().await;
    Office::of(&house).await.link(TherapistId::from_uuid(fresh()), THERAPIST).await;
    for (rpc, rule) in RULES.iter().copied() {
        let unsigned = answer(rpc);
        // Nothing is paid that could be given back.
        let gives_back = ["RefundOrder", "PreviewRefund"].contains(&rpc);
        let about_contracts = contracts::REFUSALS.iter().find(|(known, _)| *known == rpc);
        let let_in = about_contracts.map_or(if gives_back { "NOT_PAID" } else { unsigned }, |(_, refusal)| *refusal);
        for role in Role::ALL {
            let expected = if rule.contains(role) { let_in } else { "ROLE_NOT_ALLOWED" };
            let token = token(&house, *role, None);
            assert_eq!(call(&house, rpc, Some(&token)).await, expected, "{role}: {rpc}");
        }
        let nobody = if rpc == "NotifyPayment" { answer(rpc) } else { "TOKEN_MISSING" };
        assert_eq!(call(&house, rpc, None).await, nobody, "nobody: {rpc}");
    }
    // Commission is earned, and paid out by those who may; but nobody has paid anything to us.
    let others = house.books().await.into_iter().filter(|(code, _)| code != "bank" && !code.starts_with("commission_"));
    assert_eq!(others.collect::<Vec<_>>(), []);
}

#[tokio::test]
async fn bad_tokens_open_nothing_and_spoil_what_is_open() {
    let house = House::open().await;
    let (keys, me) = (testkit::keys(), house.member);
    let bad = [
        (keys.expired_token(me), "TOKEN_EXPIRED"),
        (keys.wrong_audience_token(me), "TOKEN_WRONG_AUDIENCE"),
        (keys.wrong_issuer_token(me), "TOKEN_INVALID"),
        (keys.forged_token(me), "TOKEN_INVALID"),
        (keys.unsigned_token(me), "TOKEN_INVALID"),
        (keys.forged_service_token("booking"), "TOKEN_INVALID"),
    ];
    for (rpc, _) in RULES {
        for (token, expected) in &bad {
            assert_eq!(call(&house, rpc, Some(token)).await, *expected, "{rpc}");
        }
    }
}

#[tokio::test]
async fn staff_of_another_store_and_other_members_reach_nothing() {
    let house = House::open().await;
    let order = house.order().await;
    let elsewhere = StoreId::from_uuid(fresh());
    let mut client = house.client.clone();
    let get = || pb::GetOrderRequest { name: order.clone() };
    let start = || pay(&order, Purpose::Deposit, Tender::Sandbox);
    let list = || pb::ListOrdersRequest { store: house.store.name(), ..Default::default() };
    for role in READERS.iter().filter(|role| !matches!(role, Role::Member | Role::Administrator)) {
        let token = token(&house, *role, Some(elsewhere));
        assert_eq!(reason(client.get_order(with_token(get(), &token)).await), "OTHER_STORE", "{role}");
        assert_eq!(reason(client.list_orders(with_token(list(), &token)).await), "OTHER_STORE", "{role}");
        let own = client.list_orders(with_token(pb::ListOrdersRequest::default(), &token)).await.expect("a page");
        assert!(own.into_inner().orders.is_empty(), "{role}");
    }
    for role in [Role::FrontDesk, Role::StoreManager] {
        let token = token(&house, role, Some(elsewhere));
        assert_eq!(reason(client.pay_order(with_token(start(), &token)).await), "OTHER_STORE", "{role}");
    }
    let mut ledger = ledger(&house);
    let transfer = transfer(&house).await;
    let whole = "OTHER_STORE";
    for role in SHEET_READERS.iter().filter(|role| **role != Role::Administrator) {
        let token = token(&house, *role, Some(elsewhere));
        let accounts = pb::ListAccountsRequest { store: house.store.name(), ..Default::default() };
        assert_eq!(reason(ledger.list_accounts(with_token(accounts, &token)).await), whole, "{role}");
        let sheet = pb::GetBalanceSheetRequest { name: format!("{}/balanceSheets/2027-03-01", house.store) };
        assert_eq!(reason(ledger.get_balance_sheet(with_token(sheet, &token)).await), whole, "{role}");
        let own = ledger.list_accounts(with_token(pb::ListAccountsRequest::default(), &token)).await.expect("a page");
        assert!(own.into_inner().accounts.iter().all(|account| account.balances.is_empty()), "{role}");
    }
    for role in [Role::Finance, Role::Auditor] {
        let token = token(&house, role, Some(elsewhere));
        assert_eq!(reason(ledger.get_statement(with_token(statement(&house), &token)).await), whole, "{role}");
        let request = pb::GetTransferRequest { name: transfer.clone() };
        assert_eq!(reason(ledger.get_transfer(with_token(request, &token)).await), whole, "{role}");
        let verify = pb::VerifyChainRequest::default();
        assert_eq!(reason(ledger.verify_chain(with_token(verify, &token)).await), whole, "{role}");
        let export = pb::ExportEntriesRequest::default();
        assert_eq!(reason(ledger.export_entries(with_token(export, &token)).await), whole, "{role}");
    }
    let stranger = testkit::keys().member_token(MemberId::from_uuid(fresh()));
    let hidden = [
        client.get_order(with_token(get(), &stranger)).await.map(drop),
        client.pay_order(with_token(start(), &stranger)).await.map(drop),
    ];
    for answer in hidden {
        assert_eq!(answer.expect_err("hidden").code(), Code::NotFound);
    }
    // An administrator is bound to no store, whatever the token says.
    let administrator = token(&house, Role::Administrator, Some(elsewhere));
    assert_eq!(reason(client.get_order(with_token(get(), &administrator)).await), "");
    assert!(house.get(&order).await.payments.is_empty());
}
