-- Stored value: cards with lots of money and bonus, what is paid with them, campaigns, and limits of what may be owed. It is
-- explained in src/domain/stored_value/mod.rs; the code is in src/db/stored_value.

-- Pay so much, get so much on top.
create table top_up_campaign (
    id              uuid        not null primary key,
    -- Only for cards of this store; null: for all.
    store_id        uuid,
    display_name    text        not null,
    currency        text        not null check (currency ~ '^[A-Z]{3}$'),
    threshold_minor bigint      not null check (threshold_minor > 0),
    bonus_minor     bigint      not null check (bonus_minor > 0),
    start_time      timestamptz not null,
    end_time        timestamptz check (end_time > start_time),
    bonus_days      integer     check (bonus_days > 0),
    per_card        integer     check (per_card > 0),
    budget_minor    bigint      check (budget_minor > 0),
    -- Given away, or promised with a top-up that is not paid yet.
    granted_minor   bigint      not null check (granted_minor >= 0),
    create_time     timestamptz not null,
    version         bigint      not null check (version >= 1),
    constraint top_up_campaign_within_budget check (granted_minor <= budget_minor)
);
create index top_up_campaign_by_currency on top_up_campaign (currency, start_time);

-- Whoever changes anything of a card, its lots or what is paid with it locks its row first.
create table stored_value_card (
    id           uuid        not null primary key,
    number       text        not null check (number ~ '^[0-9]{16}$'),
    -- The store that has issued it.
    store_id     uuid        not null,
    scope        text        not null check (scope in ('store', 'chain')),
    -- Null: whoever shows it.
    holder_id    uuid,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    spending     text        not null check (spending in ('bonus_first', 'proportional', 'principal_first')),
    state        text        not null check (state in ('active', 'lost', 'frozen', 'closed')),
    reason       text,
    replaced_by  uuid        references stored_value_card deferrable initially deferred,
    create_time  timestamptz not null,
    -- That of the newest event.
    version      bigint      not null check (version >= 1),
    constraint stored_value_card_number unique (number),
    constraint stored_value_card_state check ((state in ('frozen', 'closed')) = (reason is not null)),
    constraint stored_value_card_replaced check (replaced_by is null or state = 'closed')
);
create index stored_value_card_newest on stored_value_card (create_time desc, id desc);
create index stored_value_card_by_holder on stored_value_card (holder_id, create_time desc, id desc);
create index stored_value_card_by_store on stored_value_card (store_id, create_time desc, id desc);

-- What one top-up has brought.
create table stored_value_lot (
    id                       uuid        not null primary key,
    -- Where it is now: all lots of a card move together when it is replaced.
    card_id                  uuid        not null references stored_value_card,
    order_id                 uuid        not null references customer_order,
    campaign_id              uuid        references top_up_campaign,
    principal_minor          bigint      not null check (principal_minor > 0),
    principal_open_minor     bigint      not null check (principal_open_minor >= 0),
    principal_held_minor     bigint      not null check (principal_held_minor >= 0),
    principal_spent_minor    bigint      not null check (principal_spent_minor >= 0),
    principal_refunded_minor bigint      not null check (principal_refunded_minor >= 0),
    -- Set off when the rest was given back, for bonus that was spent.
    principal_expired_minor  bigint      not null check (principal_expired_minor >= 0),
    bonus_minor              bigint      not null check (bonus_minor >= 0),
    bonus_open_minor         bigint      not null check (bonus_open_minor >= 0),
    bonus_held_minor         bigint      not null check (bonus_held_minor >= 0),
    bonus_spent_minor        bigint      not null check (bonus_spent_minor >= 0),
    bonus_expired_minor      bigint      not null check (bonus_expired_minor >= 0),
    bonus_expire_time        timestamptz,
    create_time              timestamptz not null,
    constraint stored_value_lot_order unique (order_id),
    constraint stored_value_lot_principal
        check (principal_minor
               = principal_open_minor + principal_spent_minor + principal_refunded_minor + principal_expired_minor),
    constraint stored_value_lot_bonus
        check (bonus_minor = bonus_open_minor + bonus_spent_minor + bonus_expired_minor),
    constraint stored_value_lot_held
        check (principal_held_minor <= principal_open_minor and bonus_held_minor <= bonus_open_minor)
);
create index stored_value_lot_by_card on stored_value_lot (card_id, create_time desc, id desc);
create index stored_value_lot_open on stored_value_lot (card_id, create_time, id)
    where principal_open_minor + bonus_open_minor > 0;
create index stored_value_lot_to_expire on stored_value_lot (bonus_expire_time)
    where bonus_open_minor > bonus_held_minor;
create index stored_value_lot_by_campaign on stored_value_lot (campaign_id, card_id) where campaign_id is not null;

-- What is paid with a card.
create table stored_value_spending (
    -- That of the payment.
    id          uuid        not null primary key,
    order_id    uuid        not null references customer_order,
    store_id    uuid        not null,
    state       text        not null check (state in ('held', 'spent', 'voided')),
    create_time timestamptz not null,
    decide_time timestamptz,
    constraint stored_value_spending_decided check ((state = 'held') = (decide_time is null))
);
create index stored_value_spending_by_order on stored_value_spending (order_id);

-- What each lot bears of it.
create table stored_value_share (
    spending_id              uuid    not null references stored_value_spending,
    position                 integer not null check (position >= 0),
    lot_id                   uuid    not null references stored_value_lot,
    principal_minor          bigint  not null check (principal_minor >= 0),
    bonus_minor              bigint  not null check (bonus_minor >= 0),
    principal_returned_minor bigint  not null check (principal_returned_minor between 0 and principal_minor),
    bonus_returned_minor     bigint  not null check (bonus_returned_minor between 0 and bonus_minor),
    primary key (spending_id, position),
    constraint stored_value_share_lot unique (spending_id, lot_id),
    constraint stored_value_share_of_something check (principal_minor + bonus_minor > 0)
);
create index stored_value_share_by_lot on stored_value_share (lot_id);

-- A payment is decided once.
create function stored_value_decided_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'held' or (to_jsonb(new) - array['state', 'decide_time']) <> (to_jsonb(old) - array['state', 'decide_time']) then
        raise exception 'stored-value spending % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'stored_value_decided_once';
    end if;
    return new;
end
$$;
create trigger stored_value_decided_once before update on stored_value_spending
    for each row execute function stored_value_decided_once();

-- How much may be owed to all cards together: of a store, or (all zeros) of the chain.
create table stored_value_limit (
    store_id    uuid        not null,
    currency    text        not null check (currency ~ '^[A-Z]{3}$'),
    limit_minor bigint      not null check (limit_minor >= 0),
    update_time timestamptz not null,
    version     bigint      not null check (version >= 1),
    primary key (store_id, currency)
);

-- Orders that shall become a lot once they are paid.
create table top_up (
    order_id     uuid        not null primary key references customer_order,
    card_id      uuid        not null references stored_value_card,
    store_id     uuid        not null,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint      not null check (amount_minor > 0),
    campaign_id  uuid        references top_up_campaign,
    bonus_minor  bigint      not null check (bonus_minor >= 0),
    bonus_days   integer     check (bonus_days > 0),
    state        text        not null check (state in ('open', 'loaded', 'lapsed')),
    create_time  timestamptz not null,
    expire_time  timestamptz not null check (expire_time > create_time),
    constraint top_up_bonus check ((campaign_id is null) = (bonus_minor = 0))
);
create index top_up_by_card on top_up (card_id) where state = 'open';
create index top_up_open on top_up (currency, store_id) where state = 'open';
create index top_up_to_lapse on top_up (expire_time) where state = 'open';
