-- What is taken back of commission after its settlement list was confirmed: it goes off what its payee gets by the next list
-- of the store. It is explained in src/domain/commission/mod.rs.

create table commission_claw_back (
    id            uuid        not null primary key,
    accrual_id    uuid        not null references commission_accrual,
    -- As of the accrual.
    payee         text        not null,
    store_id      uuid        not null,
    currency      text        not null,
    amount_minor  bigint      not null check (amount_minor > 0),
    create_time   timestamptz not null,
    -- The list by which it goes off; null: the next one.
    settlement_id uuid        references commission_settlement
);
create index commission_claw_back_by_accrual on commission_claw_back (accrual_id);
create index commission_claw_back_by_settlement on commission_claw_back (settlement_id) where settlement_id is not null;
create index commission_claw_back_open on commission_claw_back (store_id, currency, id) where settlement_id is null;

-- Never more is taken back than was earned, before and after the list was confirmed together. Whoever takes back holds the
-- lock of the visit's row, so no two of them see each half.
create function commission_claw_back_covered() returns trigger language plpgsql as $$
begin
    if (select amount_minor - reversed_minor from commission_accrual where id = new.accrual_id)
       < new.amount_minor + (select coalesce(sum(amount_minor), 0) from commission_claw_back where accrual_id = new.accrual_id)
    then
        raise exception 'more would be taken back of commission accrual % than was earned', new.accrual_id
            using errcode = 'check_violation', constraint = 'commission_claw_back_covered';
    end if;
    return new;
end
$$;
create trigger commission_claw_back_covered before insert on commission_claw_back
    for each row execute function commission_claw_back_covered();

-- It is taken into one list, once, and nothing else of it ever changes.
create function commission_claw_back_fixed() returns trigger language plpgsql as $$
begin
    if old.settlement_id is not null or (to_jsonb(new) - 'settlement_id') <> (to_jsonb(old) - 'settlement_id') then
        raise exception 'commission claw-back % is fixed', old.id
            using errcode = 'restrict_violation', constraint = 'commission_claw_back_fixed';
    end if;
    return new;
end
$$;
create trigger commission_claw_back_fixed before update on commission_claw_back
    for each row execute function commission_claw_back_fixed();
