-- Orders, the money that comes and goes for them, and the ledger of all of it.
-- Amounts are integer minor units (fen, cents) of the order's currency.

-- What a customer owes for one visit. Whoever changes anything of an order locks its row first.
create table customer_order (
    id             uuid        not null primary key,
    booking_id     uuid        not null,
    customer_id    uuid        not null,
    store_id       uuid        not null,
    currency       text        not null check (currency ~ '^[A-Z]{3}$'),
    total_minor    bigint      not null check (total_minor >= 0),
    deposit_minor  bigint      not null check (deposit_minor >= 0),
    paid_minor     bigint      not null,
    refunded_minor bigint      not null,
    state          text        not null check (state in ('open', 'deposit_paid', 'paid', 'closed')),
    close_reason   text,
    close_time     timestamptz,
    create_time    timestamptz not null,
    -- That of the newest event.
    version        bigint      not null check (version >= 1),
    constraint customer_order_deposit_within_total check (deposit_minor <= total_minor),
    constraint customer_order_paid_within_total check (paid_minor between 0 and total_minor),
    constraint customer_order_refunded_within_paid check (refunded_minor between 0 and paid_minor),
    constraint customer_order_close check ((state = 'closed') = (close_reason is not null and close_time is not null))
);
create index customer_order_newest on customer_order (create_time desc, id desc);
create index customer_order_by_customer on customer_order (customer_id, create_time desc, id desc);
create index customer_order_by_store on customer_order (store_id, create_time desc, id desc);

-- What an order is made of.
create table order_line (
    order_id     uuid    not null references customer_order,
    position     integer not null check (position >= 0),
    item         text    not null,
    display_name text    not null,
    amount_minor bigint  not null check (amount_minor >= 0),
    primary key (order_id, position)
);

-- Attempts to pay.
create table payment (
    id              uuid        not null primary key,
    order_id        uuid        not null references customer_order,
    -- Counts the attempts of an order from 0: clocks of two machines may disagree on which came first.
    position        integer     not null check (position >= 0),
    purpose         text        not null check (purpose in ('deposit', 'balance')),
    tender          text        not null check (tender in ('sandbox', 'cash')),
    amount_minor    bigint      not null check (amount_minor > 0),
    state           text        not null check (state in ('pending', 'captured', 'failed')),
    -- The provider's word for it and where the customer pays; empty until the provider has answered, and for cash.
    charge_id       text,
    pay_uri         text,
    failure_reason  text,
    capture_time    timestamptz,
    -- Came when it was no longer owed: it goes back and counts for nothing.
    surplus         boolean     not null default false,
    create_time     timestamptz not null,
    -- When the worker asks the provider for a pending one again.
    next_query_time timestamptz,
    query_count     integer     not null default 0,
    constraint payment_position unique (order_id, position),
    constraint payment_charge check ((charge_id is null) = (pay_uri is null)),
    constraint payment_capture check ((state = 'captured') = (capture_time is not null)),
    constraint payment_failure check ((state = 'failed') = (failure_reason is not null)),
    constraint payment_surplus check (state = 'captured' or not surplus)
);
create index payment_to_query on payment (next_query_time) where state = 'pending';
-- One attempt at a time.
create unique index payment_one_pending on payment (order_id) where state = 'pending';

-- Money going back. A pending one is also the task to tell the provider.
create table refund (
    id                uuid        not null primary key,
    order_id          uuid        not null references customer_order,
    -- Counts the refunds of an order from 0.
    position          integer     not null check (position >= 0),
    payment_id        uuid        not null references payment,
    amount_minor      bigint      not null check (amount_minor > 0),
    state             text        not null check (state in ('pending', 'succeeded')),
    reason            text        not null,
    create_time       timestamptz not null,
    succeed_time      timestamptz,
    -- Not to be tried before; a claim moves it on, so that no two workers send the same refund at once.
    next_attempt_time timestamptz not null,
    attempt_count     integer     not null default 0,
    constraint refund_position unique (order_id, position),
    constraint refund_success check ((state = 'succeeded') = (succeed_time is not null))
);
create index refund_by_payment on refund (payment_id);
create index refund_to_send on refund (next_attempt_time) where state = 'pending';

-- No more goes back than came, whatever the code believes.
create function refund_within_capture() returns trigger language plpgsql as $$
declare
    captured bigint;
    going    bigint;
begin
    select case when state = 'captured' then amount_minor else 0 end into captured
      from payment where id = new.payment_id for update;
    select coalesce(sum(amount_minor), 0) into going from refund where payment_id = new.payment_id;
    if going > captured then
        raise exception 'refunds of payment % exceed what was captured', new.payment_id
            using errcode = 'check_violation', constraint = 'refund_within_capture';
    end if;
    return null;
end
$$;
create trigger refund_within_capture after insert or update of amount_minor, payment_id on refund
    for each row execute function refund_within_capture();

-- The chart of accounts is explained in src/domain/ledger.rs.
create table ledger_account (
    code text not null primary key,
    kind text not null check (kind in ('asset', 'liability', 'revenue'))
);
insert into ledger_account (code, kind) values
    ('provider_receivable', 'asset'),
    ('cash_drawer', 'asset'),
    ('customer_deposits', 'liability'),
    ('refunds_payable', 'liability'),
    ('takings', 'revenue'),
    ('forfeited_deposits', 'revenue');

create table ledger_transaction (
    id          uuid        not null primary key,
    order_id    uuid        not null references customer_order,
    kind        text        not null,
    -- The payment, refund or order that it is about.
    source_id   uuid        not null,
    currency    text        not null check (currency ~ '^[A-Z]{3}$'),
    create_time timestamptz not null,
    unique (id, currency),
    -- Nothing is booked twice.
    constraint ledger_transaction_once unique (kind, source_id)
);
create index ledger_transaction_by_order on ledger_transaction (order_id);

create table ledger_entry (
    transaction_id uuid   not null,
    position       integer not null check (position >= 0),
    account        text   not null references ledger_account,
    currency       text   not null,
    -- A debit is above zero, a credit below.
    amount_minor   bigint not null check (amount_minor <> 0),
    primary key (transaction_id, position),
    foreign key (transaction_id, currency) references ledger_transaction (id, currency)
);
create index ledger_entry_by_account on ledger_entry (account, currency) include (amount_minor);

-- Debits equal credits, at the latest when the transaction commits.
create function ledger_balanced() returns trigger language plpgsql as $$
declare
    of       uuid := case tg_table_name when 'ledger_entry' then (to_jsonb(new) ->> 'transaction_id')::uuid
                                        else (to_jsonb(new) ->> 'id')::uuid end;
    entries  bigint;
    total    numeric;
begin
    select count(*), coalesce(sum(amount_minor), 0) into entries, total from ledger_entry where transaction_id = of;
    if entries < 2 or total <> 0 then
        raise exception 'ledger transaction % does not balance', of
            using errcode = 'check_violation', constraint = 'ledger_balanced';
    end if;
    return null;
end
$$;
create constraint trigger ledger_balanced after insert on ledger_transaction
    deferrable initially deferred for each row execute function ledger_balanced();
create constraint trigger ledger_balanced after insert on ledger_entry
    deferrable initially deferred for each row execute function ledger_balanced();

create trigger ledger_transaction_append_only before update or delete or truncate on ledger_transaction
    for each statement execute function refuse_change();
create trigger ledger_entry_append_only before update or delete or truncate on ledger_entry
    for each statement execute function refuse_change();

-- Providers' notices that were taken in, so that the same one twice has one effect.
create table notice (
    provider     text        not null,
    id           text        not null,
    kind         text        not null,
    payment_id   uuid        not null,
    receive_time timestamptz not null,
    primary key (provider, id)
);

-- What a provider reported that does not fit what we know: never acted upon, for finance to look at.
create table notice_break (
    provider     text        not null,
    -- The notice, or `query/<payment>` if the provider said so when asked.
    notice_id    text        not null,
    reason       text        not null,
    payment_id   uuid        not null,
    amount_minor bigint      not null,
    currency     text        not null,
    receive_time timestamptz not null,
    primary key (provider, notice_id, reason)
);
create index notice_break_by_payment on notice_break (payment_id);
