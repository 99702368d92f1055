//! Who sees invoices, and what is kept of their buyers.

use kernel::ids::{MemberId, StoreId};
use proto::{access::Role, payment::v1 as pb};
use testkit::with_token;
use tonic::Code;

use super::{EMAIL, TAX_ID, TITLE, ask, client, paid, read, request, reversal, settle};
use crate::wire::{fresh, refused};

#[tokio::test]
async fn nobody_elses_invoice_is_seen_and_who_of_the_staff_reads_one_is_recorded() {
    let (shop, order) = paid().await;
    let name = ask(&shop, request(&order, None)).await.expect("asked for").name;
    settle(&shop).await;
    let get = || pb::GetInvoiceRequest { name: name.clone() };
    let file = || pb::DownloadInvoiceRequest { name: name.clone() };
    let stranger = testkit::keys().member_token(MemberId::from_uuid(fresh()));
    let mut client = client(&shop);
    for answer in [
        client.get_invoice(with_token(get(), &stranger)).await.map(drop),
        client.download_invoice(with_token(file(), &stranger)).await.map(drop),
        client.request_invoice(with_token(request(&order, None), &stranger)).await.map(drop),
    ] {
        assert_eq!(answer.expect_err("hidden").code(), Code::NotFound);
    }
    let elsewhere = Some(StoreId::from_uuid(fresh()));
    let far = |role| (role, elsewhere);
    for (role, store) in [far(Role::FrontDesk), far(Role::StoreManager)] {
        assert_eq!(refused(client.get_invoice(shop.as_staff(get(), role, store)).await).1, "OTHER_STORE");
        assert_eq!(refused(client.download_invoice(shop.as_staff(file(), role, store)).await).1, "OTHER_STORE");
        let asked = client.request_invoice(shop.as_staff(request(&order, None), role, store)).await;
        assert_eq!(refused(asked).1, "OTHER_STORE");
        let page = client.list_invoices(shop.as_staff(pb::ListInvoicesRequest::default(), role, store)).await;
        assert!(page.expect("a page").into_inner().invoices.is_empty());
    }
    let reversed = client.reverse_invoice(shop.as_staff(reversal(&name), Role::StoreManager, elsewhere)).await;
    assert_eq!(refused(reversed).1, "OTHER_STORE");

    let reads = "select count(*) from audit_entry where action like 'payment.invoice.%'";
    read(&shop, &name).await;
    assert_eq!(shop.count(reads).await, 0, "members read their own");
    client.get_invoice(shop.as_desk(get())).await.expect("read");
    client.download_invoice(shop.as_staff(file(), Role::Finance, None)).await.expect("given");
    assert_eq!(shop.count(reads).await, 2);
    let changes = shop.count("select count(*) from audit_entry where action = 'payment.invoice'").await;
    assert_eq!(changes, 2, "asked for, and issued");
}

#[tokio::test]
async fn the_buyer_is_nowhere_in_clear_and_gone_with_the_key() {
    let (shop, order) = paid().await;
    let name = ask(&shop, request(&order, None)).await.expect("asked for").name;
    settle(&shop).await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I', tablename) from pg_tables where schemaname = 'public' order by tablename",
    )
    .fetch_all(shop.db.pg.pool())
    .await
    .expect("the tables");
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        for secret in [TITLE, TAX_ID, EMAIL] {
            // As text, and within columns of bytes, which are shown in hex.
            let sql =
                format!("select count(*) from {table} t where strpos(t::text, $1) > 0 or strpos(t::text, $2) > 0");
            let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            let found = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql)).bind(secret).bind(hex);
            assert_eq!(found.fetch_one(shop.db.pg.pool()).await.expect("a count"), 0, "{table}: {secret}");
        }
    }
    assert!(read(&shop, &name).await.buyer.is_some());
    sqlx::query("delete from vault_key").execute(shop.db.pg.pool()).await.expect("shredded");
    let shredded = read(&shop, &name).await;
    assert_eq!((shredded.buyer, shredded.number.len()), (None, 20), "the rest stays");
}

#[tokio::test]
async fn a_request_id_is_not_used_for_another_buyer() {
    let (shop, order) = paid().await;
    let first = request(&order, Some(1_000));
    let answer = ask(&shop, first.clone()).await.expect("asked for");
    let mut other = first.clone();
    other.buyer.as_mut().expect("a buyer").email = "other@firm.example".to_owned();
    assert_eq!(refused(ask(&shop, other).await).1, "REQUEST_ID_REUSED");
    assert_eq!(ask(&shop, first).await.expect("the same"), answer);
}
