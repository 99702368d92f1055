-- What therapists and partners earn by visits. It is explained in src/domain/commission/mod.rs.

-- By what is earned. A condition that is null fits every visit.
create table commission_rule (
    id           uuid        not null primary key,
    payee        text        not null check (payee in ('therapist', 'partner')),
    item_id      uuid,
    store_id     uuid,
    partner      text        check (partner <> ''),
    grade        smallint    check (grade between 1 and 5),
    manner       text        check (manner in ('requested', 'rotation')),
    -- 1/100 of a percent of the price, or so much.
    basis_points integer     check (basis_points between 0 and 10000),
    fixed_minor  bigint      check (fixed_minor >= 0),
    currency     text        check (currency ~ '^[A-Z]{3}$'),
    start_date   date        not null,
    end_date     date        check (end_date >= start_date),
    create_time  timestamptz not null,
    retire_time  timestamptz,
    version      bigint      not null check (version >= 1),
    constraint commission_rule_rate check ((basis_points is null) <> (fixed_minor is null)),
    constraint commission_rule_currency check ((fixed_minor is null) = (currency is null))
);
create index commission_rule_in_use on commission_rule (start_date) where retire_time is null;

-- A visit that was completed, whether anybody has earned by it or not: it is accrued once. Whoever takes back what was earned
-- by it locks its row, after that of the order.
create table commission_visit (
    booking_id    uuid        not null primary key,
    order_id      uuid        not null,
    store_id      uuid        not null,
    currency      text        not null check (currency ~ '^[A-Z]{3}$'),
    price_minor   bigint      not null check (price_minor >= 0),
    -- What of the order had gone back, as it became cheaper, before the visit was completed: the price is without it.
    lowered_minor bigint      not null check (lowered_minor >= 0),
    complete_time timestamptz not null,
    -- From when on what was earned can be paid out.
    payable_time  timestamptz not null,
    -- How often something was taken back.
    reversals     integer     not null default 0 check (reversals >= 0),
    constraint commission_visit_order unique (order_id),
    constraint commission_visit_payable check (payable_time >= complete_time)
);

-- What somebody has earned by a visit.
create table commission_accrual (
    id             uuid    not null primary key,
    booking_id     uuid    not null references commission_visit,
    position       integer not null check (position >= 0),
    -- A resource name: therapists/<uuid> or partners/<name>.
    payee          text    not null check (payee <> ''),
    store_id       uuid    not null,
    currency       text    not null,
    item_id        uuid    not null,
    rule_id        uuid    references commission_rule,
    base_minor     bigint  not null check (base_minor >= 0),
    amount_minor   bigint  not null check (amount_minor >= 0),
    reversed_minor bigint  not null default 0,
    explanation    text    not null,
    complete_time  timestamptz not null,
    payable_time   timestamptz not null,
    constraint commission_accrual_position unique (booking_id, position),
    -- Never more is taken back than was earned.
    constraint commission_accrual_reversed check (reversed_minor between 0 and amount_minor),
    -- Without a rule nothing is earned.
    constraint commission_accrual_rule check (rule_id is not null or amount_minor = 0)
);
create index commission_accrual_newest on commission_accrual (complete_time desc, id desc);
create index commission_accrual_by_payee on commission_accrual (payee, complete_time desc, id desc);
create index commission_accrual_by_store on commission_accrual (store_id, complete_time desc, id desc);

-- Which member of staff a therapist is.
create table therapist_link (
    therapist_id uuid        not null primary key,
    staff_id     uuid        not null unique,
    link_time    timestamptz not null
);

-- What a store owes its therapists and partners for a period, to be paid out. It is explained in
-- src/domain/commission/settlement.rs.

create table commission_settlement (
    id           uuid        not null primary key,
    store_id     uuid        not null,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    -- The first and the last day of the store on which visits were completed.
    start_date   date        not null,
    end_date     date        not null,
    state        text        not null check (state in ('draft', 'confirmed', 'paid')),
    create_time  timestamptz not null,
    confirm_time timestamptz,
    pay_time     timestamptz,
    version      bigint      not null check (version >= 1),
    constraint commission_settlement_period check (start_date <= end_date),
    constraint commission_settlement_confirmed check ((state <> 'draft') = (confirm_time is not null)),
    constraint commission_settlement_paid check ((state = 'paid') = (pay_time is not null))
);
create index commission_settlement_newest on commission_settlement (create_time desc, id desc);
create index commission_settlement_by_store on commission_settlement (store_id, create_time desc, id desc);

-- Each accrual is in one list at most.
alter table commission_accrual add column settlement_id uuid references commission_settlement;
create index commission_accrual_by_settlement on commission_accrual (settlement_id) where settlement_id is not null;
create index commission_accrual_open on commission_accrual (store_id, complete_time) where settlement_id is null;

-- What was confirmed stays: nothing is taken back of it, and it leaves its list no more, whatever the code believes.
create function commission_accrual_confirmed() returns trigger language plpgsql as $$
begin
    if exists (select from commission_settlement where id = old.settlement_id and state <> 'draft') then
        raise exception 'commission accrual % is in a list that is confirmed', old.id
            using errcode = 'check_violation', constraint = 'commission_accrual_confirmed';
    end if;
    return new;
end
$$;
create trigger commission_accrual_confirmed before update on commission_accrual
    for each row when (old.settlement_id is not null) execute function commission_accrual_confirmed();
