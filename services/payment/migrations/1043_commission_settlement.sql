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
