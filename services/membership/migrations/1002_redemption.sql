-- Points that pay a part of an order: set aside, then spent or free again; what was spent may come back.

alter table points_lot
    -- Set aside for redemptions that are not decided.
    add column reserved bigint not null default 0 check (reserved >= 0),
    -- Spent and not given back.
    add column spent    bigint not null default 0 check (spent >= 0),
    -- What is open, set aside, spent or outlived came with the lot; the rest was revoked.
    add constraint points_lot_whole check (remaining + reserved + spent + expired <= earned);

create table points_redemption (
    -- That of the payment.
    id              uuid        not null primary key,
    member_id       uuid        not null references member,
    order_id        uuid        not null,
    -- 0 of what was voided before anything was set aside.
    points          bigint      not null check (points >= 0),
    currency        char(3)     not null,
    worth_minor     bigint      not null check (worth_minor >= 0),
    -- Of the points and of their worth, what was given back.
    returned        bigint      not null default 0 check (returned between 0 and points),
    returned_minor  bigint      not null default 0 check (returned_minor between 0 and worth_minor),
    state           text        not null check (state in ('RESERVED', 'COMMITTED', 'VOIDED', 'EXPIRED')),
    create_time     timestamptz not null,
    -- When the points are free by themselves, unless something was decided.
    expire_time     timestamptz not null,
    decide_time     timestamptz,
    constraint points_redemption_something check (
        state = 'VOIDED' or (points > 0 and worth_minor > 0)),
    constraint points_redemption_returned check (state = 'COMMITTED' or (returned = 0 and returned_minor = 0)),
    constraint points_redemption_decided check ((state = 'RESERVED') = (decide_time is null))
);
create index points_redemption_by_order on points_redemption (order_id);
create index points_redemption_to_expire on points_redemption (expire_time) where state = 'RESERVED';

-- A redemption is decided once, and of what it took nothing ever changes but what comes back.
create function points_redemption_decided_once() returns trigger language plpgsql as $$
begin
    if (old.state <> 'RESERVED' and new.state <> old.state)
       or (to_jsonb(new) - array['state', 'decide_time', 'returned', 'returned_minor'])
          <> (to_jsonb(old) - array['state', 'decide_time', 'returned', 'returned_minor'])
       or new.returned < old.returned or new.returned_minor < old.returned_minor then
        raise exception 'points redemption % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'points_redemption_decided_once';
    end if;
    return new;
end
$$;
create trigger points_redemption_decided_once before update on points_redemption
    for each row execute function points_redemption_decided_once();
create trigger points_redemption_kept before delete or truncate on points_redemption
    for each statement execute function refuse_change();

-- From which lots they were taken.
create table points_redemption_share (
    redemption_id uuid   not null references points_redemption,
    lot_id        uuid   not null references points_lot,
    points        bigint not null check (points > 0),
    -- Given back to the lot.
    returned      bigint not null default 0 check (returned between 0 and points),
    primary key (redemption_id, lot_id)
);

-- What was given back, once for each refund.
create table points_return (
    id            uuid        not null primary key,
    redemption_id uuid        not null references points_redemption,
    amount_minor  bigint      not null check (amount_minor > 0),
    -- 0 if it is less than a point is worth; it comes with the next.
    points        bigint      not null check (points >= 0),
    create_time   timestamptz not null
);
create index points_return_by_redemption on points_return (redemption_id);
create trigger points_return_append_only before update or delete or truncate on points_return
    for each statement execute function refuse_change();

alter table points_entry
    drop constraint points_entry_kind_check,
    add constraint points_entry_kind_check check (kind in ('EARNED', 'REVOKED', 'EXPIRED', 'SPENT', 'RETURNED')),
    drop constraint points_entry_sign,
    add constraint points_entry_sign check ((points > 0) = (kind in ('EARNED', 'RETURNED')) and points <> 0);
