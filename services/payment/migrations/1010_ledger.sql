-- The ledger in depth: more accounts, entries with a store and a party, checked balances, transfers in two phases, seals,
-- rolled-up balances and the sheets of closed days. It is explained in src/domain/ledger/mod.rs; the code is in
-- src/db/ledger. What was booked before stays as it is, row by row.
--
-- Replicas of the version before can go on posting meanwhile; what they post is noted at the head office.

-- The chart of accounts, for SQL.
alter table ledger_account
    drop constraint ledger_account_kind_check,
    add constraint ledger_account_kind_check check (kind in ('asset', 'liability', 'revenue', 'expense')),
    -- What kind of party each entry names.
    add column party text,
    -- Owes something to one party and must never owe less than nothing: see ledger_balance.
    add column checked boolean not null default false,
    add constraint ledger_account_checked check (not checked or (kind = 'liability' and party is not null));
update ledger_account set party = 'provider' where code = 'provider_receivable';
update ledger_account set party = 'customer' where code in ('customer_deposits', 'refunds_payable');
insert into ledger_account (code, kind, party, checked) values
    ('card_terminal', 'asset', null, false),
    ('bank', 'asset', null, false),
    ('store_clearing', 'asset', null, false),
    ('suspense', 'asset', null, false),
    ('stored_value_principal', 'liability', 'card', true),
    ('stored_value_bonus', 'liability', 'card', true),
    ('prepaid_liability', 'liability', 'contract', true),
    ('commission_payable', 'liability', 'therapist', false),
    ('tips_payable', 'liability', 'therapist', false),
    ('partner_payable', 'liability', 'partner', false),
    ('tax_payable', 'liability', null, false),
    ('breakage', 'revenue', null, false),
    ('promotion_expense', 'expense', null, false),
    ('provider_fees', 'expense', 'provider', false),
    ('commission_expense', 'expense', null, false),
    ('cash_over_short', 'expense', null, false);

-- Constraints that lock a row of another table for each entry give way to look-ups that don't: every posting to a busy
-- account would lock the same row, and a table whose owner may not update it can't be referenced at all.
drop trigger ledger_balanced on ledger_transaction;
drop trigger ledger_balanced on ledger_entry;
drop function ledger_balanced();
alter table ledger_entry
    drop constraint ledger_entry_transaction_id_currency_fkey,
    drop constraint ledger_entry_account_fkey;
alter table ledger_transaction
    drop constraint ledger_transaction_id_currency_key,
    -- Not everything is about an order.
    alter column order_id drop not null,
    -- Nobody reads it any more: each entry has its own.
    alter column currency drop not null,
    -- The place in the order of commits, as in audit_entry.
    add column xid xid8 not null default pg_current_xact_id(),
    add column position bigint not null generated always as identity,
    -- Ids begin with the milliseconds of their time, so an index by id is one by time.
    add constraint ledger_transaction_id_is_its_time check (
        ('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint = floor(extract(epoch from create_time) * 1000)
    );
create unique index ledger_transaction_in_order on ledger_transaction (xid, position);

alter table ledger_entry
    -- Where it happened; all zeros is the head office.
    add column store_id uuid not null default '00000000-0000-0000-0000-000000000000',
    -- Whom it is about, a resource name such as members/<uuid>; exactly if the account has a kind of party.
    add column party text check (party <> '');
alter table ledger_entry disable trigger ledger_entry_append_only;
update ledger_entry entry
   set store_id = of.store_id,
       party = case entry.account when 'provider_receivable' then 'providers/sandbox'
                                  when 'customer_deposits' then 'members/' || of.customer_id
                                  when 'refunds_payable' then 'members/' || of.customer_id end
  from ledger_transaction booked join customer_order of on of.id = booked.order_id
 where booked.id = entry.transaction_id;
alter table ledger_entry enable trigger ledger_entry_append_only;
drop index ledger_entry_by_account;
create index ledger_entry_by_store on ledger_entry (store_id, transaction_id) include (account, currency, amount_minor);
create index ledger_entry_by_party on ledger_entry (party, account, currency, transaction_id) include (amount_minor)
    where party is not null;

-- What a party of a checked account is owed, over all stores. The one place in the ledger where a posting locks a row.
create table ledger_balance (
    account        text   not null,
    party          text   not null,
    currency       text   not null check (currency ~ '^[A-Z]{3}$'),
    -- Credits less debits.
    posted_minor   bigint not null,
    -- What pending transfers would take.
    reserved_minor bigint not null check (reserved_minor >= 0),
    primary key (account, party, currency),
    constraint ledger_balance_available check (posted_minor - reserved_minor >= 0)
) with (fillfactor = 70);

-- A transaction that may come to pass; it is booked under the same kind and source.
create table ledger_transfer (
    id             uuid        not null primary key,
    order_id       uuid        references customer_order,
    kind           text        not null,
    source_id      uuid        not null,
    state          text        not null check (state in ('pending', 'posted', 'voided', 'expired')),
    create_time    timestamptz not null,
    expire_time    timestamptz not null check (expire_time > create_time),
    decide_time    timestamptz,
    constraint ledger_transfer_once unique (kind, source_id),
    constraint ledger_transfer_decided check ((state = 'pending') = (decide_time is null))
);
create index ledger_transfer_to_expire on ledger_transfer (expire_time) where state = 'pending';

create table ledger_transfer_entry (
    transfer_id  uuid    not null,
    position     integer not null check (position >= 0),
    account      text    not null,
    store_id     uuid    not null,
    party        text    check (party <> ''),
    currency     text    not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint  not null check (amount_minor <> 0),
    primary key (transfer_id, position)
);

-- A transfer is decided once, and nothing else of it ever changes.
create function ledger_transfer_decided_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'pending' or new.state = 'pending'
       or (to_jsonb(new) - array['state', 'decide_time']) <> (to_jsonb(old) - array['state', 'decide_time']) then
        raise exception 'ledger transfer % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'ledger_transfer_decided_once';
    end if;
    return new;
end
$$;
create trigger ledger_transfer_decided_once before update on ledger_transfer
    for each row execute function ledger_transfer_decided_once();
create trigger ledger_transfer_kept before delete or truncate on ledger_transfer
    for each statement execute function refuse_change();
create trigger ledger_transfer_entry_append_only before update or delete or truncate on ledger_transfer_entry
    for each statement execute function refuse_change();

-- Seal n covers the transactions after those of seal n-1 up to (until_xid, until_position).
create table ledger_seal (
    number         bigint      not null primary key check (number > 0),
    until_xid      xid8        not null,
    until_position bigint      not null,
    transactions   bigint      not null check (transactions > 0),
    hash           bytea       not null check (octet_length(hash) = 32),
    create_time    timestamptz not null
);
create trigger ledger_seal_append_only before update or delete or truncate on ledger_seal
    for each statement execute function refuse_change();

-- The sums of all sealed entries. Only the sealer writes it.
create table ledger_rollup (
    account       text   not null,
    store_id      uuid   not null,
    currency      text   not null,
    debits_minor  bigint not null check (debits_minor >= 0),
    credits_minor bigint not null check (credits_minor >= 0),
    primary key (account, store_id, currency)
);

-- The time zones of stores, as booking tells them.
create table store_zone (
    store_id  uuid   not null primary key,
    time_zone text   not null,
    -- That of the store in booking.
    version   bigint not null
);

-- A store's day is cut off: from the commit of this row nothing is booked before end_time any more. What was under way
-- then is waited for before the sheet is made.
create table ledger_cutoff (
    store_id    uuid        not null,
    date        date        not null,
    start_time  timestamptz not null,
    end_time    timestamptz not null check (end_time > start_time),
    create_time timestamptz not null,
    xid         xid8        not null default pg_current_xact_id(),
    primary key (store_id, date),
    constraint ledger_cutoff_end unique (store_id, end_time)
);
create trigger ledger_cutoff_append_only before update or delete or truncate on ledger_cutoff
    for each statement execute function refuse_change();

-- The sheet of a day that was cut off; its lines are in ledger_day.
create table ledger_sheet (
    store_id    uuid        not null,
    date        date        not null,
    create_time timestamptz not null,
    primary key (store_id, date)
);
create trigger ledger_sheet_append_only before update or delete or truncate on ledger_sheet
    for each statement execute function refuse_change();

create table ledger_day (
    store_id      uuid   not null,
    date          date   not null,
    account       text   not null,
    currency      text   not null,
    -- Debits less credits of all days before.
    opening_minor bigint not null,
    debits_minor  bigint not null check (debits_minor >= 0),
    credits_minor bigint not null check (credits_minor >= 0),
    closing_minor bigint not null,
    primary key (store_id, date, account, currency),
    constraint ledger_day_adds_up check (closing_minor = opening_minor + debits_minor - credits_minor)
);
create trigger ledger_day_append_only before update or delete or truncate on ledger_day
    for each statement execute function refuse_change();

-- A transaction comes with all its entries in one statement, or not at all.
create function ledger_transaction_whole() returns trigger language plpgsql as $$
declare
    bare uuid;
begin
    select id into bare from fresh
     where not exists (select from ledger_entry where transaction_id = fresh.id) limit 1;
    if found then
        raise exception 'ledger transaction % does not balance: it has no entries', bare
            using errcode = 'check_violation', constraint = 'ledger_balanced';
    end if;
    return null;
end
$$;
create trigger ledger_transaction_whole after insert on ledger_transaction
    referencing new table as fresh for each statement execute function ledger_transaction_whole();

-- Debits equal credits per transaction, store and currency; accounts are those of the chart; nothing is added to what was
-- committed before, nor to a day that was cut off.
create function ledger_entry_sound() returns trigger language plpgsql as $$
declare
    unsound uuid;
begin
    select fresh.transaction_id into unsound
      from fresh
           left join lateral (select true as known from ledger_transaction booked
                               where booked.id = fresh.transaction_id and booked.xid = pg_current_xact_id()) as booked on true
           left join lateral (select true as known from ledger_account where code = fresh.account) as account on true
     where booked.known is null or account.known is null limit 1;
    if found then
        raise exception 'ledger transaction % is another one''s, or has an account that is not in the chart', unsound
            using errcode = 'check_violation', constraint = 'ledger_entry_sound';
    end if;

    select entry.transaction_id into unsound
      from (select distinct transaction_id from fresh) as touched
           cross join lateral (select * from ledger_entry of where of.transaction_id = touched.transaction_id) as entry
     group by entry.transaction_id, entry.store_id, entry.currency having sum(entry.amount_minor) <> 0 limit 1;
    if found then
        raise exception 'ledger transaction % does not balance', unsound
            using errcode = 'check_violation', constraint = 'ledger_balanced';
    end if;

    select fresh.transaction_id into unsound
      from fresh
           cross join lateral (select create_time from ledger_transaction of where of.id = fresh.transaction_id) as booked
           cross join lateral (select max(end_time) as end_time from ledger_cutoff of
                                where of.store_id = fresh.store_id) as cutoff
     where booked.create_time < cutoff.end_time limit 1;
    if found then
        raise exception 'ledger transaction % is in a day that was cut off', unsound
            using errcode = 'check_violation', constraint = 'ledger_day_open';
    end if;
    return null;
end
$$;
create trigger ledger_entry_sound after insert on ledger_entry
    referencing new table as fresh for each statement execute function ledger_entry_sound();

create trigger ledger_account_append_only before update or delete or truncate on ledger_account
    for each statement execute function refuse_change();

-- What is append-only is so by privileges too, for its owner as for everybody else. What an owner could still do is to
-- grant them to himself and disable the triggers; then verification against a head that has left the machine shows it.
do $$
begin
    execute format(
        'revoke update, delete, truncate on ledger_account, ledger_transaction, ledger_entry, ledger_transfer_entry, '
        'ledger_seal, ledger_cutoff, ledger_sheet, ledger_day from public, %I', current_user);
    execute format('revoke delete, truncate on ledger_transfer, ledger_balance, ledger_rollup from public, %I', current_user);
end
$$;
