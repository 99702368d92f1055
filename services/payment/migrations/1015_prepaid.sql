-- Prepaid contracts, their uses and refunds; explained in src/domain/prepaid/mod.rs. Whoever changes anything of a contract
-- locks its row first, after that of its order.

create table prepaid_contract (
    id                uuid        not null primary key,
    order_id          uuid        not null unique references customer_order deferrable initially deferred,
    -- Which store sold it.
    store_id          uuid        not null,
    buyer_id          uuid        not null,
    holder_id         uuid        not null,
    -- That of the store when it was made.
    time_zone         text        not null,
    currency          text        not null check (currency ~ '^[A-Z]{3}$'),
    price_minor       bigint      not null check (price_minor > 0),
    days              integer     check (days > 0),
    max_freeze_days   integer     not null check (max_freeze_days >= 0),
    known_service     text        not null check (known_service in ('new', 'this_merchant', 'another_merchant')),
    -- What was agreed on refunds.
    cooling_off_days  integer     check (cooling_off_days > 0),
    cooling_off_known boolean     not null,
    at_discount_price boolean     not null,
    share_of_list_ppm integer     check (share_of_list_ppm between 0 and 1000000),
    interest_rate_ppm integer     check (interest_rate_ppm between 0 and 1000000),
    interest_from     text        check (interest_from in ('payment', 'request')),
    state             text        not null
                                  check (state in ('draft', 'active', 'used_up', 'expired', 'refunded', 'cancelled')),
    start_date        date,
    end_date          date,
    -- What of the price was earned, breakage included.
    recognised_minor  bigint      not null,
    breakage_minor    bigint      not null,
    create_time       timestamptz not null,
    -- That of the newest event.
    version           bigint      not null check (version >= 1),
    constraint prepaid_contract_recognised check (recognised_minor between 0 and price_minor),
    constraint prepaid_contract_breakage check (breakage_minor between 0 and recognised_minor),
    constraint prepaid_contract_started check ((state in ('draft', 'cancelled')) = (start_date is null)),
    constraint prepaid_contract_end check (end_date is null or (start_date is not null and days is not null))
);
create index prepaid_contract_newest on prepaid_contract (create_time desc, id desc);
create index prepaid_contract_by_holder on prepaid_contract (holder_id, create_time desc, id desc);
create index prepaid_contract_by_store on prepaid_contract (store_id, create_time desc, id desc);
create index prepaid_contract_to_expire on prepaid_contract (end_date) where state = 'active';
create index prepaid_contract_to_break on prepaid_contract (end_date)
    where state = 'expired' and recognised_minor < price_minor;

create table prepaid_item (
    contract_id  uuid    not null references prepaid_contract,
    position     integer not null check (position >= 0),
    item         text    not null,
    display_name text    not null,
    quantity     integer not null check (quantity > 0),
    bonus        integer not null check (bonus >= 0),
    list_minor   bigint  not null check (list_minor >= 0),
    primary key (contract_id, position),
    constraint prepaid_item_once unique (contract_id, item)
);

create table prepaid_freeze (
    contract_id uuid not null references prepaid_contract,
    first_date  date not null,
    last_date   date not null check (last_date >= first_date),
    primary key (contract_id, first_date)
);

create table prepaid_use (
    id            uuid        not null primary key,
    contract_id   uuid        not null references prepaid_contract,
    item          text        not null,
    -- Which item of the contract and which of its sessions; none if the contract is for a time.
    item_position integer,
    ordinal       integer     not null check (ordinal >= 0),
    store_id      uuid        not null,
    value_minor   bigint      not null check (value_minor >= 0),
    state         text        not null check (state in ('reserved', 'committed', 'voided')),
    create_time   timestamptz not null,
    decide_time   timestamptz,
    foreign key (contract_id, item_position) references prepaid_item (contract_id, position),
    constraint prepaid_use_decided check ((state = 'reserved') = (decide_time is null)),
    constraint prepaid_use_of_time check (item_position is not null or value_minor = 0)
);
-- A session is set aside or had once, whatever the code believes.
create unique index prepaid_use_session on prepaid_use (contract_id, item_position, ordinal)
    where state <> 'voided' and item_position is not null;
create index prepaid_use_by_contract on prepaid_use (contract_id) where state <> 'voided';

-- Only sessions that there are.
create function prepaid_use_exists() returns trigger language plpgsql as $$
begin
    if not exists (select from prepaid_item
                    where contract_id = new.contract_id and position = new.item_position
                      and new.ordinal < quantity + bonus) then
        raise exception 'contract % has no session % of item %', new.contract_id, new.ordinal, new.item_position
            using errcode = 'check_violation', constraint = 'prepaid_use_exists';
    end if;
    return null;
end
$$;
create trigger prepaid_use_exists after insert on prepaid_use
    for each row when (new.item_position is not null) execute function prepaid_use_exists();

-- A use is decided once, and nothing else of it ever changes.
create function prepaid_use_decided_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'reserved' or new.state = 'reserved'
       or (to_jsonb(new) - array['state', 'decide_time']) <> (to_jsonb(old) - array['state', 'decide_time']) then
        raise exception 'use % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'prepaid_use_decided_once';
    end if;
    return new;
end
$$;
create trigger prepaid_use_decided_once before update on prepaid_use
    for each row execute function prepaid_use_decided_once();

-- Everything that happened to a contract, in order of its version.
create table prepaid_change (
    contract_id uuid        not null references prepaid_contract,
    version     bigint      not null check (version >= 1),
    create_time timestamptz not null,
    actor       text        not null,
    change      text        not null,
    about       text        not null,
    primary key (contract_id, version)
);
create trigger prepaid_change_append_only before update or delete or truncate on prepaid_change
    for each statement execute function refuse_change();

-- What the end of a contract gave back, with the quote as it was told.
create table prepaid_refund (
    contract_id  uuid        not null primary key references prepaid_contract,
    cause        text        not null,
    refund_minor bigint      not null check (refund_minor >= 0),
    -- Of it, what is above all that was paid.
    beyond_minor bigint      not null check (beyond_minor between 0 and refund_minor),
    -- Which state of the law was used.
    rules        text        not null,
    -- meridian.payment.v1.RefundLawQuote.
    quote        bytea       not null,
    create_time  timestamptz not null
);
create trigger prepaid_refund_append_only before update or delete or truncate on prepaid_refund
    for each statement execute function refuse_change();
