//! A card's statement, as of any moment and page by page.

use std::time::Duration;

use kernel::Clock;
use proto::payment::v1::{self as pb, card_statement::Balance};
use rpc::convert::to_timestamp;
use tonic::Code;

use super::desk::Desk;
use crate::wire::{minor, refused};

const HOUR: Duration = Duration::from_secs(3_600);

fn both(balance: &Option<Balance>) -> (i64, i64) {
    let balance = balance.as_ref().expect("a balance");
    (minor(&balance.principal), minor(&balance.bonus))
}

/// Opening, lines and closing over all pages.
async fn read(
    desk: &Desk,
    mut request: pb::GetCardStatementRequest,
) -> ((i64, i64), Vec<(String, (i64, i64), (i64, i64))>, (i64, i64)) {
    let mut lines = Vec::new();
    request.page_size = 2;
    loop {
        let asked = desk.house.as_member(request.clone());
        let page = desk.client().get_card_statement(asked).await.expect("a page").into_inner();
        lines.extend(page.lines.iter().map(|line| (line.kind.clone(), both(&line.change), both(&line.balance))));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (both(&page.opening), lines, both(&page.closing));
        }
        // Time goes on while somebody turns the page.
        desk.house.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn a_statement_shows_money_and_bonus_side_by_side() {
    let desk = Desk::open().await;
    desk.campaign(desk.offer(10_000, 2_000)).await;
    let card = desk.card().await;
    desk.top_up(&card, 10_000).await;
    let noon = desk.house.clock.advance(HOUR);
    let (_, spending) = desk.pay(&card, 6_000).await;
    let evening = desk.house.clock.advance(HOUR);
    desk.give_back(spending, 600).await.expect("back");
    let request = pb::GetCardStatementRequest { card: card.clone(), ..Default::default() };
    let (opening, lines, closing) = read(&desk, request.clone()).await;
    let line = |kind: &str, change, balance| (kind.to_owned(), change, balance);
    let mut brought = lines[..2].to_vec();
    brought.sort_by(|a, b| b.0.cmp(&a.0));
    assert_eq!(brought[0].1, (10_000, 0));
    assert_eq!((brought[1].0.as_str(), brought[1].1), ("bonus_granted", (0, 2_000)));
    assert_eq!(lines[1].2, (10_000, 2_000));
    let spent = line("capture", (-5_000, -1_000), (5_000, 1_000));
    let back = line("refund_done", (500, 100), (5_500, 1_100));
    assert_eq!((opening, &lines[2..], closing), ((0, 0), &[spent.clone(), back][..], (5_500, 1_100)));

    let between = pb::GetCardStatementRequest {
        start_time: Some(to_timestamp(noon)),
        end_time: Some(to_timestamp(evening)),
        ..request.clone()
    };
    assert_eq!(read(&desk, between.clone()).await, ((10_000, 2_000), vec![spent], (5_000, 1_000)));
    let backwards =
        pb::GetCardStatementRequest { start_time: between.end_time, end_time: between.start_time, ..request.clone() };
    let refusal = desk.client().get_card_statement(desk.house.as_member(backwards)).await;
    assert_eq!(refused(refusal).0, Code::InvalidArgument);
    let forged = pb::GetCardStatementRequest { page_token: "x".to_owned(), ..request };
    assert_eq!(refused(desk.client().get_card_statement(desk.house.as_member(forged)).await).0, Code::InvalidArgument);
    assert!(desk.house.clock.now() > evening);
}
