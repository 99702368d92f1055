//! How long a provider's bill takes: read, matched against as many payments, kept and booked; and in how much memory.
//!
//! The bill is made as it is read, in the format of WeChat Pay, so that none of it is in memory but the piece that comes.
//! One line in a thousand has another amount, and as many payments are missing on it.

use std::{fmt::Write as _, fs, time::Instant};

use anyhow::{Context, Result, ensure};
use jiff::civil::{Date, date};
use kernel::{Clock as _, SystemClock};
use payment::{
    MIGRATOR, db,
    db::reconciliation::Spool,
    domain::reconciliation::DayName,
    flows::reconciliation::book_bill::{WholeBill, book_bill},
    peers::{crypto::Sha1, wechat::TradeBill, yuan},
};
use pg::{Pg, PgConfig};

use super::{
    house,
    machine::memory_kib,
    report::{Figure, Limit, Report},
    scale::Scale,
    servers::Servers,
};

const DATABASE: &str = "bill";
const DAY: Date = date(2026, 3, 1);
const MERCHANT: &str = "1900000001";
const STORES: i64 = 16;
/// One line in so many has another amount, and one payment in so many is missing.
const BROKEN: i64 = 1_000;
/// What was agreed: 0.6 %.
const FEE_RATE: u32 = 600;
/// How much of the bill comes at once, in bytes.
const PIECE: usize = 64 * 1024;
/// How long it may take, in seconds, and what our side may keep resident, in megabytes.
const TIME_LIMIT: Limit = Limit::AtMost(60.0);
const MEMORY_LIMIT: Limit = Limit::AtMost(300.0);

const COLUMNS: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
                       付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,\
                       商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n";
const SUMS: &str = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n";

/// Orders without lines, and what was captured for them on the day; ids count from 1.
const ORDERS: &str = "
insert into customer_order (id, booking_id, customer_id, store_id, currency, total_minor, deposit_minor, paid_minor,
                            refunded_minor, state, create_time, version)
select id, id, id, ('00000000-0000-7000-9000-' || lpad(to_hex(n % $2), 12, '0'))::uuid, 'CNY', 0, 0, 0, 0, 'open',
       '2026-03-01T02:00:00Z', 1
from generate_series(1, $1) as n
     cross join lateral (select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id) as numbered";
const PAYMENTS: &str = "
insert into payment (id, order_id, position, purpose, tender, amount_minor, state, capture_time, create_time)
select id, id, 0, 'balance', 'wechat_native', 6000 + n % 50 * 100, 'captured', '2026-03-01T02:00:00Z', '2026-03-01T02:00:00Z'
from generate_series(1, $1) as n
     cross join lateral (select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id) as numbered";

/// Measures.
pub async fn measure(servers: &Servers, scale: &Scale, report: &mut Report) -> Result<()> {
    let url = servers.migrated(DATABASE, &MIGRATOR).await?;
    let pg = Pg::connect(&PgConfig { max_connections: 2, ..house::config(&url) }).await?;
    let began = Instant::now();
    sqlx::query(ORDERS).bind(scale.bill_lines).bind(STORES).execute(pg.pool()).await?;
    sqlx::query(PAYMENTS).bind(scale.bill_lines).execute(pg.pool()).await?;
    sqlx::raw_sql("vacuum analyze").execute(pg.pool()).await?;
    servers.administer("checkpoint").await?;
    let stored = began.elapsed().as_secs_f64();

    forget_peak()?;
    let began = Instant::now();
    let bill = read(scale.bill_lines)?;
    let was_read = began.elapsed().as_secs_f64();
    let name = DayName { provider: "wechat".to_owned(), date: DAY };
    let mut tx = pg.begin().await?;
    ensure!(book_bill(&mut tx, SystemClock.now(), &name, bill, FEE_RATE).await?, "the day was matched before");
    tx.commit().await?;
    let took = began.elapsed().as_secs_f64();
    let peak = peak()?;

    let proof = db::reconciliation::find(&mut *pg.conn().await?, &name).await?.context("a proof")?;
    let wrong = scale.bill_lines / BROKEN;
    ensure!(proof.lines == scale.bill_lines - wrong, "{} lines were kept", proof.lines);
    ensure!(proof.matched == proof.lines - wrong, "{} lines fit", proof.matched);
    ensure!(proof.breaks == 2 * wrong, "{} breaks were found", proof.breaks);
    let note = format!(
        "{} lines, {} breaks; read in {was_read:.1} s of it; its payments were stored in {stored:.0} s",
        proof.lines, proof.breaks
    );
    report.add(Figure::new("bill", took, "s", note).limit(TIME_LIMIT));
    report
        .add(Figure::new("bill, peak memory", peak, "MB", "all that this process keeps resident").limit(MEMORY_LIMIT));
    Ok(())
}

/// Makes a bill of all payments but those that are missing on it, and reads it as it comes.
fn read(payments: i64) -> Result<WholeBill> {
    let (mut bill, mut lines, mut sha1) = (TradeBill::new(MERCHANT), Spool::try_new()?, Sha1::new());
    let mut sink = |line| lines.push(&line);
    let mut piece = COLUMNS.to_owned();
    let (mut count, mut sum, mut fees) = (0, 0, 0);
    for n in 1..=payments {
        if n % BROKEN != 0 {
            let amount = 6_000 + n % 50 * 100 + i64::from(n % BROKEN == 1);
            let fee = (amount * 6 + 500) / 1_000;
            (count, sum, fees) = (count + 1, sum + amount, fees + fee);
            write_line(&mut piece, n, amount, fee)?;
        }
        if n == payments {
            let [sum, fees] = [sum, fees].map(yuan::format);
            write!(piece, "{SUMS}`{count}.0,`{sum},`0.00,`0.00,`{fees},`{sum},`0.00\r\n")?;
        }
        if piece.len() >= PIECE || n == payments {
            sha1.update(piece.as_bytes());
            bill.push(piece.as_bytes(), &mut sink)?;
            piece.clear();
        }
    }
    bill.finish(&sha1.hex(), &mut sink)?;
    Ok(WholeBill { lines, sha256: Some([0; 32]) })
}

fn write_line(piece: &mut String, n: i64, amount: i64, fee: i64) -> Result<()> {
    let (amount, fee) = (yuan::format(amount), yuan::format(fee));
    write!(
        piece,
        "`2026-03-01 10:00:00,`wx0000000000000000,`{MERCHANT},`0,`,`42000000002026030100{n:08},\
         `000000000000700080000000{n:08x},`o0000000000000000000000000000,`NATIVE,`SUCCESS,`OTHERS,`CNY,`{amount},`0.00,`0,`0,`0.00,\
         `0.00,`,`,`肩颈按摩 60 分钟,`,`{fee}000,`0.60%,`{amount},`0.00,`\r\n"
    )?;
    Ok(())
}

/// Has the kernel count this process's peak anew.
fn forget_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("counting the peak of memory anew")
}

/// The most that this process has kept resident since, in megabytes.
fn peak() -> Result<f64> {
    let kib = memory_kib("/proc/self/status", "VmHWM").context("the peak of memory")?;
    Ok(kib as f64 * 1_024.0 / 1_000_000.0)
}
