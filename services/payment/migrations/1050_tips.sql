-- Tips: orders of their own beside those of visits, owed to therapists until they are handed over.

alter table customer_order
    drop constraint customer_order_subject_kind,
    add constraint customer_order_subject_kind check (subject_kind in ('visit', 'top_up', 'contract', 'tip'));

-- Which visit a tip is for. Its lines name who gets it.
create table tip (
    id             uuid        not null primary key,
    order_id       uuid        not null unique references customer_order,
    visit_order_id uuid        not null references customer_order,
    create_time    timestamptz not null
);
create index tip_by_visit on tip (visit_order_id, create_time);
create trigger tip_append_only before update or delete or truncate on tip
    for each statement execute function refuse_change();

-- Tips that were handed over.
create table tip_payout (
    id           uuid        not null primary key,
    therapist_id uuid        not null,
    store_id     uuid        not null,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint      not null check (amount_minor > 0),
    way          text        not null check (way in ('drawer', 'transfer')),
    actor        text        not null,
    create_time  timestamptz not null
);
create index tip_payout_by_therapist on tip_payout (therapist_id, create_time desc, id desc);
create trigger tip_payout_append_only before update or delete or truncate on tip_payout
    for each statement execute function refuse_change();

-- No more is handed over, or given back, than a therapist is owed: the account is checked from now on. Nothing was booked on
-- it so far. The chart is append-only, for its owner too, but for this.
do $$
begin
    execute format('grant update on ledger_account to %I', current_user);
    alter table ledger_account disable trigger ledger_account_append_only;
    update ledger_account set checked = true where code = 'tips_payable';
    alter table ledger_account enable trigger ledger_account_append_only;
    execute format('revoke update on ledger_account from %I', current_user);
end
$$;
