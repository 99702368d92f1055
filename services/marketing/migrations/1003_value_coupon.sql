-- Cash coupons: an amount given to a member, that pays a part of an order.

create table cash_coupon (
    id              uuid        not null primary key,
    customer_id     uuid        not null,
    currency        char(3)     not null,
    amount_minor    bigint      not null check (amount_minor > 0),
    -- What an order must cost at least.
    min_spend_minor bigint      not null check (min_spend_minor >= 0),
    -- Why it was given, a word for programs.
    reason          text        not null check (reason <> ''),
    state           text        not null check (state in ('AVAILABLE', 'RESERVED', 'REDEEMED')),
    -- What it is set aside or used for.
    redemption_id   uuid,
    create_time     timestamptz not null,
    expire_time     timestamptz not null check (expire_time > create_time),
    version         bigint      not null check (version > 0),
    constraint cash_coupon_use check ((state = 'AVAILABLE') = (redemption_id is null))
);
create index cash_coupon_by_customer on cash_coupon (customer_id, create_time desc, id desc);

create table coupon_redemption (
    -- That of the payment.
    id           uuid        not null primary key,
    coupon_id    uuid        not null references cash_coupon,
    order_id     uuid        not null,
    -- What it pays; 0 of what was voided before anything was set aside.
    amount_minor bigint      not null check (amount_minor > 0 or (amount_minor = 0 and state = 'VOIDED')),
    state        text        not null check (state in ('RESERVED', 'COMMITTED', 'VOIDED', 'EXPIRED', 'RETURNED')),
    create_time  timestamptz not null,
    -- When the coupon is free by itself, unless something was decided.
    expire_time  timestamptz not null,
    decide_time  timestamptz,
    constraint coupon_redemption_decided check ((state = 'RESERVED') = (decide_time is null))
);
-- A coupon pays once at a time.
create unique index coupon_redemption_one on coupon_redemption (coupon_id) where state in ('RESERVED', 'COMMITTED');
create index coupon_redemption_to_expire on coupon_redemption (expire_time) where state = 'RESERVED';
alter table cash_coupon add constraint cash_coupon_redemption foreign key (redemption_id) references coupon_redemption;

-- A redemption is decided once, may come back after that, and of what it is nothing else ever changes.
create function coupon_redemption_decided_once() returns trigger language plpgsql as $$
begin
    if (old.state, new.state) not in (('RESERVED', 'COMMITTED'), ('RESERVED', 'VOIDED'), ('RESERVED', 'EXPIRED'),
                                      ('COMMITTED', 'RETURNED'))
       or (to_jsonb(new) - array['state', 'decide_time']) <> (to_jsonb(old) - array['state', 'decide_time']) then
        raise exception 'coupon redemption % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'coupon_redemption_decided_once';
    end if;
    return new;
end
$$;
create trigger coupon_redemption_decided_once before update on coupon_redemption
    for each row execute function coupon_redemption_decided_once();
create trigger coupon_redemption_kept before delete or truncate on coupon_redemption
    for each statement execute function refuse_change();
