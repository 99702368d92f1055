//! Many ask at once.

use futures_util::future::join_all;
use payment::worker;
use proto::payment::v1::invoice::State;

use super::{ask, paid, read, request, reverse, settle};

const STANDING: &str =
    "select coalesce(sum(amount_minor), 0)::bigint from invoice where state in ('requested', 'issued')";

#[tokio::test(flavor = "multi_thread")]
async fn of_forty_and_forty_on_sixty_one_is_issued() {
    for amount in [Some(4_000), None] {
        let (shop, order) = paid().await;
        let asked = join_all((0..16).map(|_| ask(&shop, request(&order, amount)))).await;
        assert_eq!(asked.iter().filter(|answer| answer.is_ok()).count(), 1, "{asked:?}");
        settle(&shop).await;
        assert_eq!(shop.count(STANDING).await, amount.unwrap_or(6_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_of_a_request_get_one_invoice_and_the_same_bytes() {
    let (shop, order) = paid().await;
    let wanted = request(&order, Some(1_000));
    let answers = join_all((0..16).map(|_| ask(&shop, wanted.clone()))).await;
    let first = answers[0].as_ref().expect("asked for").clone();
    assert!(answers.into_iter().all(|answer| answer.expect("asked for") == first));
    settle(&shop).await;
    assert_eq!(ask(&shop, wanted).await.expect("for ever"), first, "though it is issued by now");
    assert_eq!(shop.count("select count(*) from invoice").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_and_a_refund_at_once_leave_no_invoice_for_money_that_is_gone() {
    for _ in 0..8 {
        let (shop, order) = paid().await;
        let (asked, _) = tokio::join!(ask(&shop, request(&order, None)), shop.close(&order, None));
        assert_eq!(shop.count(STANDING).await, 0);
        if let Ok(asked) = asked {
            settle(&shop).await;
            assert_eq!(read(&shop, &asked.name).await.state(), State::Reversed);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_and_whoever_takes_back_at_once_end_alike() {
    for _ in 0..8 {
        let (shop, order) = paid().await;
        let asked = ask(&shop, request(&order, None)).await.expect("asked for");
        let work = || worker::settle_invoices(&shop.app);
        let (taken, _, _, _) = tokio::join!(reverse(&shop, &asked.name), work(), work(), work());
        taken.expect("taken back");
        settle(&shop).await;
        let read = read(&shop, &asked.name).await;
        assert_eq!(read.state(), State::Reversed);
        let number = super::number(&asked);
        let known = shop.wechat.fapiao(&number);
        assert_eq!(known.is_some(), !read.red_number.is_empty(), "what the provider has issued is red-lettered");
        assert!(known.is_none_or(|known| known.status == "REVERSED"));
    }
}
