//! What finance reads of the ledger.

use std::time::Duration;

use kernel::{
    Clock, Timestamp,
    ids::{LedgerTransferId, StoreId},
};
use payment::{db::ledger, worker};
use proto::{
    access::Role,
    payment::v1::{self as pb, balance_sheet::State, ledger_service_client::LedgerServiceClient},
};
use rpc::convert::to_timestamp;
use tonic::{Code, Request, transport::Channel};

use super::book::Book;
use crate::{
    house::House,
    wire::{fresh, minor, refused},
};

const HOUR: Duration = Duration::from_secs(3_600);

struct Office {
    house: House,
    book: Book,
    client: LedgerServiceClient<Channel>,
}

impl Office {
    async fn open() -> Self {
        let house = House::open().await;
        let (book, client) = (Book::of(&house), LedgerServiceClient::new(house.channel.clone()));
        Self { house, book, client }
    }

    /// Somebody of finance for the whole chain asks.
    fn ask<T>(&self, message: T) -> Request<T> {
        self.house.as_staff(message, Role::Finance, None)
    }

    async fn accounts(&self, store: Option<StoreId>) -> Vec<(String, i64)> {
        let (mut accounts, mut page_token) = (Vec::new(), String::new());
        loop {
            let store = store.map(StoreId::name).unwrap_or_default();
            let request = self.ask(pb::ListAccountsRequest { store, page_size: 5, page_token });
            let page = self.client.clone().list_accounts(request).await.expect("a page").into_inner();
            assert!(page.accounts.len() <= 5);
            accounts.extend(page.accounts);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(accounts.len(), payment::domain::ledger::Account::ALL.len());
        let figures = accounts.into_iter().map(|account| {
            assert!(account.balances.len() <= 1 && account.kind != 0, "{account:?}");
            (account.name, account.balances.first().map_or(0, |balance| minor(&Some(balance.clone()))))
        });
        figures.filter(|(_, balance)| *balance != 0).collect()
    }

    async fn sheet(&self, store: StoreId, date: &str) -> Result<pb::BalanceSheet, tonic::Status> {
        let request = pb::GetBalanceSheetRequest { name: format!("{store}/balanceSheets/{date}") };
        Ok(self.client.clone().get_balance_sheet(self.ask(request)).await?.into_inner())
    }

    fn of_store(&self, code: &str) -> pb::GetStatementRequest {
        pb::GetStatementRequest {
            account: format!("accounts/{code}"),
            store: self.book.store.name(),
            currency_code: "CNY".to_owned(),
            page_size: 2,
            ..pb::GetStatementRequest::default()
        }
    }

    fn of_card(&self) -> pb::GetStatementRequest {
        let request = self.of_store("stored_value_principal");
        pb::GetStatementRequest { party: self.book.card.name().to_owned(), store: String::new(), ..request }
    }

    /// Opening, amounts and balances over all pages, and closing.
    async fn statement(&self, request: pb::GetStatementRequest) -> (i64, Vec<(i64, i64)>, i64) {
        let (mut lines, mut ends) = (Vec::new(), Vec::new());
        let mut request = request;
        loop {
            let asked = self.ask(request.clone());
            let page = self.client.clone().get_statement(asked).await.expect("a page").into_inner();
            ends.push((minor(&page.opening), minor(&page.closing), page.end_time));
            lines.extend(page.lines.iter().map(|line| (minor(&line.amount), minor(&line.balance))));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
            // Time goes on while somebody turns the page.
            self.house.clock.advance(Duration::from_secs(1));
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "the same on every page");
        (ends[0].0, lines, ends[0].1)
    }

    async fn close_days(&self) {
        testkit::eventually(Duration::from_secs(20), || async {
            while worker::seal_ledger(&self.house.app).await.expect("sealed") > 0 {}
            while worker::close_days(&self.house.app).await.expect("closed") > 0 {}
            self.house.count("select count(*) from ledger_sheet").await > 0
        })
        .await;
    }
}

#[tokio::test]
async fn the_chart_has_the_balances_of_a_store_or_of_all() {
    let office = Office::open().await;
    let elsewhere = StoreId::from_uuid(fresh());
    let mut other = Book::of(&office.house);
    other.store = elsewhere;
    office.book.post(&[office.book.sale(100)]).await.expect("posted");
    while worker::seal_ledger(&office.house.app).await.expect("sealed") > 0 {}
    other.post(&[other.sale(40)]).await.expect("posted");
    let of = |cash: i64| [("accounts/cash_drawer".to_owned(), cash), ("accounts/takings".to_owned(), -cash)];
    assert_eq!(office.accounts(None).await, of(140));
    assert_eq!(office.accounts(Some(office.book.store)).await, of(100));
    assert_eq!(office.accounts(Some(elsewhere)).await, of(40));
    let bound = office.house.as_staff(pb::ListAccountsRequest::default(), Role::StoreManager, Some(elsewhere));
    let page = office.client.clone().list_accounts(bound).await.expect("a page").into_inner();
    let cash = page.accounts.iter().find(|account| account.name == "accounts/cash_drawer").expect("listed");
    assert_eq!(minor(&cash.balances.first().cloned()), 40, "his own store's");
}

#[tokio::test]
async fn a_sheet_is_open_until_its_day_is_closed() {
    let office = Office::open().await;
    let store = office.book.store;
    office.book.post(&[office.book.top_up(100), office.book.sale(7)]).await.expect("posted");
    let figures = |sheet: &pb::BalanceSheet| -> Vec<(String, [i64; 4])> {
        let amounts =
            |line: &pb::balance_sheet::Line| [&line.opening, &line.debits, &line.credits, &line.closing].map(minor);
        sheet.lines.iter().map(|line| (line.account.replace("accounts/", ""), amounts(line))).collect()
    };
    let line = |account: &str, figures: [i64; 4]| (account.to_owned(), figures);
    let first = [
        line("cash_drawer", [0, 107, 0, 107]),
        line("stored_value_principal", [0, 0, 100, -100]),
        line("takings", [0, 0, 7, -7]),
    ];
    let open = office.sheet(store, "2027-03-01").await.expect("today");
    assert_eq!((open.state(), &open.close_time, figures(&open)), (State::Open, &None, first.to_vec()));
    assert_eq!(open.start_time, Some(to_timestamp("2027-02-28T16:00:00Z".parse().expect("an instant"))));

    office.house.clock.advance(16 * HOUR);
    office.book.post(&[office.book.spend(60)]).await.expect("posted");
    office.close_days().await;
    let closed = office.sheet(store, "2027-03-01").await.expect("yesterday");
    assert_eq!((closed.state(), figures(&closed)), (State::Closed, first.to_vec()));
    assert!(closed.close_time.is_some() && closed.end_time == open.end_time);
    let today = office.sheet(store, "2027-03-02").await.expect("today");
    assert_eq!((today.state(), today.start_time), (State::Open, open.end_time));
    assert_eq!(
        figures(&today),
        [
            line("cash_drawer", [107, 0, 0, 107]),
            line("stored_value_principal", [-100, 60, 0, -40]),
            line("takings", [-7, 0, 60, -67]),
        ]
    );
    office.house.clock.advance(48 * HOUR);
    let later = office.sheet(store, "2027-03-04").await.expect("today");
    assert_eq!(figures(&later)[1], line("stored_value_principal", [-40, 0, 0, -40]), "with what no sheet has yet");
    assert_eq!(office.sheet(store, "2027-02-20").await.expect("before all").lines, []);
    for bad in ["2027-03-06", "2027-02-30", "yesterday", ""] {
        assert_eq!(refused(office.sheet(store, bad).await).0, Code::InvalidArgument, "{bad}");
    }
}

#[tokio::test]
async fn a_statement_is_as_of_any_moment_and_page_by_page() {
    let office = Office::open().await;
    let (book, mut moments) = (&office.book, Vec::new());
    for step in [book.top_up(100), book.spend(30), book.top_up(5), book.spend(60), book.spend(15)] {
        moments.push(office.house.clock.advance(HOUR));
        book.post(&[step]).await.expect("posted");
    }
    office.house.clock.advance(HOUR);
    let all = [(-100, -100), (30, -70), (-5, -75), (60, -15), (15, 0)];
    assert_eq!(office.statement(office.of_card()).await, (0, all.to_vec(), 0));

    let between = |from: usize, until: usize| pb::GetStatementRequest {
        start_time: Some(to_timestamp(moments[from])),
        end_time: Some(to_timestamp(moments[until])),
        ..office.of_card()
    };
    assert_eq!(office.statement(between(1, 4)).await, (-100, all[1..4].to_vec(), -15));
    assert_eq!(office.statement(between(2, 2)).await, (-70, vec![], -70));
    let takings = vec![(-30, -30), (-60, -90), (-15, -105)];
    assert_eq!(office.statement(office.of_store("takings")).await, (0, takings.clone(), -105));

    // The same, reckoned from a closed day.
    office.house.clock.advance(24 * HOUR);
    office.close_days().await;
    book.post(&[book.sale(8)]).await.expect("posted");
    office.house.clock.advance(HOUR);
    let today = pb::GetStatementRequest {
        start_time: Some(to_timestamp("2027-03-01T20:00:00Z".parse().expect("an instant"))),
        ..office.of_store("takings")
    };
    assert_eq!(office.statement(today).await, (-105, vec![(-8, -113)], -113));
    let mut whole = takings;
    whole.push((-8, -113));
    assert_eq!(office.statement(office.of_store("takings")).await, (0, whole, -113));
    let here = pb::GetStatementRequest { store: book.store.name(), ..office.of_card() };
    assert_eq!(office.statement(here).await.2, 0);
    let elsewhere = pb::GetStatementRequest { store: StoreId::from_uuid(fresh()).name(), ..office.of_card() };
    assert_eq!(office.statement(elsewhere).await, (0, vec![], 0));
}

#[tokio::test]
async fn bad_questions_are_refused() {
    let office = Office::open().await;
    let card = office.of_card();
    let at = |second| Some(to_timestamp(Timestamp::from_second(second).expect("in range")));
    let bad = [
        ("account", pb::GetStatementRequest { account: "takings".to_owned(), ..card.clone() }),
        ("account", pb::GetStatementRequest { account: "accounts/slush_fund".to_owned(), ..card.clone() }),
        ("store", pb::GetStatementRequest { party: String::new(), ..card.clone() }),
        ("store", pb::GetStatementRequest { store: "stores/here".to_owned(), ..card.clone() }),
        ("currency_code", pb::GetStatementRequest { currency_code: "XXX".to_owned(), ..card.clone() }),
        ("currency_code", pb::GetStatementRequest { currency_code: String::new(), ..card.clone() }),
        ("end_time", pb::GetStatementRequest { start_time: at(2), end_time: at(1), ..card.clone() }),
        ("page_size", pb::GetStatementRequest { page_size: -1, ..card.clone() }),
        ("page_token", pb::GetStatementRequest { page_token: "x".to_owned(), ..card.clone() }),
        ("party", pb::GetStatementRequest { party: "x".repeat(201), ..card.clone() }),
    ];
    for (field, request) in bad {
        let status = office.client.clone().get_statement(office.ask(request)).await.expect_err(field);
        let details = tonic_types::StatusExt::get_details_bad_request(&status).expect("what is wrong");
        assert_eq!((status.code(), details.field_violations[0].field.as_str()), (Code::InvalidArgument, field));
    }
    let verify = pb::VerifyChainRequest { after_seal: 7, max_seals: 0 };
    assert_eq!(refused(office.client.clone().verify_chain(office.ask(verify)).await).0, Code::InvalidArgument);
    let unknown = pb::GetTransferRequest { name: LedgerTransferId::from_uuid(fresh()).name() };
    assert_eq!(refused(office.client.clone().get_transfer(office.ask(unknown)).await).0, Code::NotFound);
}

#[tokio::test]
async fn a_transfer_can_be_looked_at() {
    let office = Office::open().await;
    office.book.post(&[office.book.top_up(100)]).await.expect("posted");
    let transfer = office.book.transfer(office.book.spend(30));
    office.book.reserve(std::slice::from_ref(&transfer)).await.expect("set aside");
    let get = async || {
        let request = office.ask(pb::GetTransferRequest { name: transfer.id.name() });
        office.client.clone().get_transfer(request).await.expect("found").into_inner()
    };
    let pending = get().await;
    assert_eq!((pending.state(), &pending.decide_time), (pb::ledger_transfer::State::Pending, &None));
    let amounts: Vec<_> = pending.entries.iter().map(|entry| (entry.account.as_str(), entry.amount_minor)).collect();
    assert_eq!(amounts, [("stored_value_principal", 30), ("takings", -30)]);
    office.book.void(&[transfer.id]).await.expect("voided");
    let voided = get().await;
    assert_eq!(voided.state(), pb::ledger_transfer::State::Voided);
    assert_eq!(voided.decide_time, Some(to_timestamp(office.house.clock.now())));
}

#[tokio::test]
async fn the_chain_is_verified_here_and_can_be_elsewhere() {
    let office = Office::open().await;
    for minor in 1..=5 {
        office.book.post(&[office.book.sale(minor)]).await.expect("posted");
        office.book.seal(minor).await;
    }
    office.book.post(&[office.book.sale(6)]).await.expect("posted");
    let verify = async |after_seal, max_seals| {
        let request = office.ask(pb::VerifyChainRequest { after_seal, max_seals });
        office.client.clone().verify_chain(request).await.expect("a verdict").into_inner()
    };
    let (whole, part) = (verify(0, 0).await, verify(1, 2).await);
    assert_eq!((whole.intact, whole.seal, whole.transactions, whole.more), (true, 5, 5, false));
    assert_eq!((part.intact, part.seal, part.transactions, part.more), (true, 3, 2, true));
    assert_eq!(whole.hash, pg::seal::hex(&last_hash(&office).await));

    let (mut transactions, mut seals, mut page_token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let request = office.ask(pb::ExportEntriesRequest { page_size: 2, page_token });
        let page = office.client.clone().export_entries(request).await.expect("a page").into_inner();
        transactions.extend(page.transactions);
        seals.extend(page.seals);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert!((5..=6).contains(&transactions.len()), "the last one may still have to wait");
    assert_eq!(seals.iter().map(|seal| seal.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(seals[4].hash, whole.hash);
    assert!(transactions.iter().all(|one| one.entries.iter().map(|entry| entry.amount_minor).sum::<i64>() == 0));

    office.book.tamper("update ledger_entry set amount_minor = amount_minor * 2 where abs(amount_minor) = 3").await;
    let broken = verify(0, 0).await;
    assert_eq!((broken.intact, broken.seal, broken.more), (false, 2, true));
    assert!(broken.fault.contains("changed"), "{}", broken.fault);
}

async fn last_hash(office: &Office) -> [u8; 32] {
    ledger::last_seal(&mut office.house.db.pg.conn().await.expect("a connection")).await.expect("a seal").hash
}
