-- A session of a prepaid contract pays a visit: its use belongs to a payment, and is free again when that is given back.

alter table prepaid_use
    -- The payment by which it is used; none if it was reserved by itself.
    add column payment_id uuid references payment,
    add column return_time timestamptz,
    drop constraint prepaid_use_state_check,
    add constraint prepaid_use_state_check check (state in ('reserved', 'committed', 'voided', 'returned')),
    add constraint prepaid_use_returned check ((state = 'returned') = (return_time is not null)
                                               and (return_time is null or payment_id is not null));
create unique index prepaid_use_by_payment on prepaid_use (payment_id) where payment_id is not null;

-- A session is set aside or had once, whatever the code believes.
drop index prepaid_use_session;
create unique index prepaid_use_session on prepaid_use (contract_id, item_position, ordinal)
    where state in ('reserved', 'committed') and item_position is not null;
drop index prepaid_use_by_contract;
create index prepaid_use_by_contract on prepaid_use (contract_id) where state in ('reserved', 'committed');

-- A use is decided once, and nothing else of it ever changes, but that one of a payment is given back, once.
create or replace function prepaid_use_decided_once() returns trigger language plpgsql as $$
declare
    decided constant boolean := old.state = 'reserved' and new.state in ('committed', 'voided')
        and (to_jsonb(new) - array['state', 'decide_time']) = (to_jsonb(old) - array['state', 'decide_time']);
    returned constant boolean := old.state = 'committed' and new.state = 'returned'
        and (to_jsonb(new) - array['state', 'return_time']) = (to_jsonb(old) - array['state', 'return_time']);
begin
    if not decided and not returned then
        raise exception 'use % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'prepaid_use_decided_once';
    end if;
    return new;
end
$$;
