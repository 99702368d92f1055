//! The ledger.

use super::{Invariant, Look};

pub(super) const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "ledger.balanced",
        rule: "debits equal credits per transaction, store and currency",
        look: Look::Rows(
            "select format('ledgerTransactions/%s has %s %s too much at stores/%s', transaction_id, sum(amount_minor),
                           currency, store_id)
             from ledger_entry group by transaction_id, store_id, currency having sum(amount_minor) <> 0",
        ),
    },
    Invariant {
        name: "ledger.whole",
        rule: "a transaction has its entries, and an entry its transaction",
        look: Look::Rows(
            "select format('ledgerTransactions/%s has no entries', id) from ledger_transaction as booked
             where not exists (select from ledger_entry where transaction_id = booked.id)
             union all
             select format('ledgerTransactions/%s is not there, and has an entry', transaction_id)
             from ledger_entry as entry
             where not exists (select from ledger_transaction where id = entry.transaction_id)",
        ),
    },
    // What a replica of the version before booked while the ledger learned of parties is at the head office, and names
    // nobody.
    Invariant {
        name: "ledger.chart",
        rule: "accounts are those of the chart, and entries name a party exactly if the chart says so",
        look: Look::Rows(
            "select format('ledgerTransactions/%s has an entry on %s about %s', entry.transaction_id, entry.account,
                           coalesce(entry.party, 'nobody'))
             from ledger_entry as entry left join ledger_account as account on account.code = entry.account
             where account.code is null
                or account.party is null and entry.party is not null
                or account.party is not null and entry.party is null
                   and (account.checked or entry.store_id <> '00000000-0000-0000-0000-000000000000')",
        ),
    },
    Invariant {
        name: "ledger.chain",
        rule: "no sealed entry was changed, removed or slipped in, and no seal was changed",
        look: Look::LedgerChain,
    },
    Invariant {
        name: "ledger.rolled_up",
        rule: "balances that are rolled up are the sums of the sealed entries",
        look: Look::Rows(
            "with sealed as (select until_xid, until_position from ledger_seal order by number desc limit 1),
             summed as (
                 select entry.account, entry.store_id, entry.currency,
                        coalesce(sum(entry.amount_minor) filter (where entry.amount_minor > 0), 0) as debits,
                        coalesce(-sum(entry.amount_minor) filter (where entry.amount_minor < 0), 0) as credits
                 from ledger_transaction as booked join ledger_entry as entry on entry.transaction_id = booked.id
                 where (booked.xid, booked.position) <= ((select until_xid from sealed), (select until_position from sealed))
                 group by entry.account, entry.store_id, entry.currency
             )
             select format('%s at stores/%s in %s: %s debited and %s credited are rolled up, %s and %s are booked',
                           account, store_id, currency, coalesce(debits_minor, 0), coalesce(credits_minor, 0),
                           coalesce(debits, 0), coalesce(credits, 0))
             from summed full join ledger_rollup using (account, store_id, currency)
             where debits is distinct from debits_minor or credits is distinct from credits_minor",
        ),
    },
    Invariant {
        name: "ledger.available",
        rule: "what a checked account owes a party is what is booked, what of it is reserved is what pending transfers \
               take, and never is less than nothing available",
        look: Look::Rows(
            "with booked as (
                 select entry.account, entry.party, entry.currency, -sum(entry.amount_minor) as posted
                 from ledger_entry as entry join ledger_account as account on account.code = entry.account
                 where account.checked group by entry.account, entry.party, entry.currency
             ),
             taken as (
                 select entry.account, entry.party, entry.currency, sum(entry.amount_minor) as minor
                 from ledger_transfer as transfer
                      join ledger_transfer_entry as entry on entry.transfer_id = transfer.id
                      join ledger_account as account on account.code = entry.account
                 where transfer.state = 'pending' and account.checked
                 group by transfer.id, entry.account, entry.party, entry.currency
             ),
             aside as (
                 select account, party, currency, sum(minor) as reserved from taken where minor > 0
                 group by account, party, currency
             )
             select format('%s of %s in %s: %s posted and %s reserved, but %s booked and %s set aside', account, party,
                           currency, coalesce(posted_minor, 0), coalesce(reserved_minor, 0), coalesce(posted, 0),
                           coalesce(reserved, 0))
             from ledger_balance full join booked using (account, party, currency)
                                 full join aside using (account, party, currency)
             where coalesce(posted_minor, 0) <> coalesce(posted, 0)
                or coalesce(reserved_minor, 0) <> coalesce(reserved, 0)
                or posted_minor < reserved_minor or reserved_minor < 0",
        ),
    },
    Invariant {
        name: "ledger.transfers",
        rule: "a transfer is decided once: posted as it was set aside, or not booked at all",
        look: Look::Rows(
            "select format('ledgerTransfers/%s is %s, and %s', transfer.id, transfer.state,
                           case when booked.id is null then 'nothing is booked'
                                else 'ledgerTransactions/' || booked.id || ' is booked' end)
             from ledger_transfer as transfer left join ledger_transaction as booked using (kind, source_id)
             where (transfer.state = 'posted') <> (booked.id is not null)
             union all
             select format('ledgerTransfers/%s was posted as something else: ledgerTransactions/%s', transfer.id, booked.id)
             from ledger_transfer as transfer join ledger_transaction as booked using (kind, source_id)
                  cross join lateral (
                      select position, account, store_id, party, currency, amount_minor from ledger_transfer_entry
                      where transfer_id = transfer.id
                      except
                      select position, account, store_id, party, currency, amount_minor from ledger_entry
                      where transaction_id = booked.id
                      limit 1
                  ) as differing
             where transfer.state = 'posted'",
        ),
    },
    Invariant {
        name: "ledger.days",
        rule: "days follow each other, and the sheet of a closed day is what was booked on it",
        look: Look::Rows(
            "with bounded as (
                 select store_id, date, start_time,
                        lag(end_time) over (partition by store_id order by date) as before_end_time,
                        lag(date) over (partition by store_id order by date) as before_date,
                        (lpad(to_hex((extract(epoch from start_time) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                            as first_id,
                        (lpad(to_hex((extract(epoch from end_time) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
                            as end_id
                 from ledger_cutoff join ledger_sheet using (store_id, date)
             ),
             booked as (
                 select day.store_id, day.date, entry.account, entry.currency,
                        coalesce(sum(entry.amount_minor) filter (where entry.amount_minor > 0), 0) as debits,
                        coalesce(-sum(entry.amount_minor) filter (where entry.amount_minor < 0), 0) as credits
                 from bounded as day
                      join ledger_entry as entry
                           on entry.store_id = day.store_id and entry.transaction_id >= day.first_id
                          and entry.transaction_id < day.end_id
                 group by day.store_id, day.date, entry.account, entry.currency
             ),
             carried as (
                 select day.store_id, day.date, before.account, before.currency, before.closing_minor as opening
                 from bounded as day
                      join ledger_day as before on before.store_id = day.store_id and before.date = day.before_date
                 where before.closing_minor <> 0
             )
             select format('stores/%s: %s begins at %s, and the day before ends at %s', store_id, date, start_time,
                           before_end_time)
             from bounded where before_end_time <> start_time
             union all
             select format('stores/%s/balanceSheets/%s: %s in %s has opening %s, debits %s, credits %s; booked are %s, %s, %s',
                           store_id, date, account, currency, coalesce(opening_minor, 0), coalesce(debits_minor, 0),
                           coalesce(credits_minor, 0), coalesce(opening, 0), coalesce(debits, 0), coalesce(credits, 0))
             from ledger_day full join booked using (store_id, date, account, currency)
                             full join carried using (store_id, date, account, currency)
             where coalesce(opening_minor, 0) <> coalesce(opening, 0)
                or coalesce(debits_minor, 0) <> coalesce(debits, 0)
                or coalesce(credits_minor, 0) <> coalesce(credits, 0)
                or closing_minor <> opening_minor + debits_minor - credits_minor",
        ),
    },
];
