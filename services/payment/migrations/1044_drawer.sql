-- Cash drawers: sessions of tills, what came and went in them, what was counted. It is explained in src/domain/drawer/mod.rs;
-- the code is in src/db/drawers.rs.

-- What holds at the desk of a store. Whoever opens a drawer locks its row first.
create table cash_desk (
    store_id    uuid        not null primary key,
    -- Staff take no cash while no drawer is open.
    required    boolean     not null default false,
    -- When that was said; null: never.
    update_time timestamptz
);

-- One session of a till, from its opening to its closing.
create table drawer (
    id              uuid        not null primary key,
    store_id        uuid        not null,
    till            text        not null check (till <> ''),
    currency        text        not null check (currency ~ '^[A-Z]{3}$'),
    -- Counts the sessions of a till from 1: clocks of two machines may disagree on which came first.
    number          integer     not null check (number > 0),
    state           text        not null check (state in ('open', 'closed')),
    opened_by       text        not null,
    open_time       timestamptz not null,
    -- What the till's last drawer had left in it.
    carried_in_minor bigint     not null check (carried_in_minor >= 0),
    -- What was taken at the store, or handed back, while none was open.
    loose_in_minor  bigint      not null,
    -- What was counted at the opening.
    float_minor     bigint      not null check (float_minor >= 0),
    closed_by       text,
    close_time      timestamptz,
    -- What should have been in it at the closing, what was, and what of that stays in the till.
    expected_minor  bigint,
    counted_minor   bigint      check (counted_minor >= 0),
    carried_minor   bigint      check (carried_minor between 0 and counted_minor),
    -- Why counted and expected differ; empty if they don't.
    reason          text,
    constraint drawer_close check (
        (state = 'closed') = (num_nulls(closed_by, close_time, expected_minor, counted_minor, carried_minor, reason) = 0)
        and (state = 'open') = (num_nonnulls(closed_by, close_time, expected_minor, counted_minor, carried_minor, reason) = 0)
    ),
    constraint drawer_reason check ((reason <> '') = (counted_minor <> expected_minor))
);
-- A till has one at a time.
create unique index drawer_one_open on drawer (store_id, till) where state = 'open';
create unique index drawer_number on drawer (store_id, till, currency, number);
create index drawer_newest on drawer (open_time desc, id desc);
create index drawer_by_store on drawer (store_id, open_time desc, id desc);

-- A drawer is closed once, and nothing else of it ever changes.
create function drawer_closed_once() returns trigger language plpgsql as $$
declare
    closing text[] := array['state', 'closed_by', 'close_time', 'expected_minor', 'counted_minor', 'carried_minor', 'reason'];
begin
    if old.state <> 'open' or new.state <> 'closed' or (to_jsonb(new) - closing) <> (to_jsonb(old) - closing) then
        raise exception 'drawer % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'drawer_closed_once';
    end if;
    return new;
end
$$;
create trigger drawer_closed_once before update on drawer
    for each row execute function drawer_closed_once();
create trigger drawer_kept before delete or truncate on drawer
    for each statement execute function refuse_change();

-- What came into a drawer or went out of it; what its card terminal took is noted beside. Each is one transaction of the
-- ledger, which is in one drawer at most.
create table drawer_movement (
    ledger_kind  text        not null,
    source_id    uuid        not null,
    account      text        not null check (account in ('cash_drawer', 'card_terminal')),
    drawer_id    uuid        not null references drawer,
    kind         text        not null check (kind in ('float', 'opening_difference', 'sale', 'refund', 'paid_in', 'paid_out',
                                                      'difference', 'banked')),
    -- Above zero if it came.
    amount_minor bigint      not null check (amount_minor <> 0),
    reason       text        not null,
    actor        text        not null,
    create_time  timestamptz not null,
    primary key (ledger_kind, source_id, account)
);
create index drawer_movement_by_drawer on drawer_movement (drawer_id, account, kind) include (amount_minor);
create trigger drawer_movement_append_only before update or delete or truncate on drawer_movement
    for each statement execute function refuse_change();

-- Nothing comes into a closed drawer, whatever the code believes: whoever closes one waits for what is on its way.
create function drawer_movement_into_open() returns trigger language plpgsql as $$
begin
    perform from drawer where id = new.drawer_id and state = 'open' for share;
    if not found then
        raise exception 'drawer % is closed', new.drawer_id
            using errcode = 'restrict_violation', constraint = 'drawer_movement_into_open';
    end if;
    return new;
end
$$;
create trigger drawer_movement_into_open before insert on drawer_movement
    for each row execute function drawer_movement_into_open();

-- What was counted while it was open, beside what should have been in it then.
create table drawer_count (
    id             uuid        not null primary key,
    drawer_id      uuid        not null references drawer,
    counted_minor  bigint      not null check (counted_minor >= 0),
    expected_minor bigint      not null,
    actor          text        not null,
    create_time    timestamptz not null
);
create index drawer_count_by_drawer on drawer_count (drawer_id, create_time, id);
create trigger drawer_count_append_only before update or delete or truncate on drawer_count
    for each statement execute function refuse_change();
