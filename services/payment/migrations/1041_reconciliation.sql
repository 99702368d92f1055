-- Providers' bills against our books. It is explained in src/domain/reconciliation/mod.rs.

insert into ledger_account (code, kind, party, checked) values
    ('reconciliation_differences', 'expense', null, false);

-- What the bill of a day came to. It is refused any number of times, and reconciled once.
create table day_proof (
    id                  uuid        not null primary key,
    provider            text        not null,
    -- On the provider's clock.
    date                date        not null,
    state               text        not null check (state in ('refused', 'reconciled')),
    refusal             text        not null,
    -- Of the bill as it came; empty if there is none of the day.
    sha256              bytea       not null check (octet_length(sha256) in (0, 32)),
    currency            text        not null check (currency ~ '^[A-Z]{3}$'),
    lines               bigint      not null default 0,
    matched             bigint      not null default 0,
    sales_minor         bigint      not null default 0,
    refunds_minor       bigint      not null default 0,
    fees_minor          bigint      not null default 0,
    our_sales_minor     bigint      not null default 0,
    our_refunds_minor   bigint      not null default 0,
    in_breaks_minor     bigint      not null default 0,
    on_other_days_minor bigint      not null default 0,
    create_time         timestamptz not null,
    constraint day_proof_once unique (provider, date),
    constraint day_proof_refusal check ((state = 'refused') = (refusal <> '')),
    -- What differs is in the breaks and on other days, to the fen.
    constraint day_proof_adds_up check (
        (sales_minor - refunds_minor) - (our_sales_minor - our_refunds_minor) = in_breaks_minor + on_other_days_minor
    )
);

create function day_proof_kept() returns trigger language plpgsql as $$
begin
    if old.state = 'reconciled' then
        raise exception 'the proof of % for % is kept as it is', old.date, old.provider
            using errcode = 'restrict_violation', constraint = 'day_proof_kept';
    end if;
    return new;
end
$$;
create trigger day_proof_kept before update on day_proof for each row execute function day_proof_kept();
create trigger day_proof_append_only before delete or truncate on day_proof
    for each statement execute function refuse_change();

-- The lines of bills that count, so that one that comes twice is known.
create table bill_line (
    proof_id       uuid        not null,
    position       integer     not null check (position >= 0),
    -- sale, refund or revoked
    kind           text        not null,
    -- The payment or refund that it names, if its number is one that we give.
    named_id       uuid,
    reference      text        not null,
    transaction_id text        not null,
    amount_minor   bigint      not null check (amount_minor >= 0),
    currency       text        not null,
    -- In hundred-thousandths of the currency's unit.
    fee_fine       bigint      not null,
    time           timestamptz not null,
    primary key (proof_id, position)
);
create index bill_line_named on bill_line (named_id) where named_id is not null;
create trigger bill_line_append_only before update or delete or truncate on bill_line
    for each statement execute function refuse_change();

-- In what a bill and our books differ.
create table reconciliation_break (
    proof_id         uuid        not null references day_proof,
    -- Counts from 1.
    number           integer     not null check (number > 0),
    kind             text        not null check (kind in (
                         'missing_there', 'missing_here', 'amount', 'fee', 'state', 'currency', 'date', 'duplicate',
                         'refund_without_sale', 'split', 'unknown_merchant', 'late')),
    payment_id       uuid,
    refund_id        uuid,
    reference        text        not null,
    transaction_id   text        not null,
    -- All zeros is the head office.
    store_id         uuid        not null,
    ours_minor       bigint,
    theirs_minor     bigint,
    theirs_currency  text,
    currency         text        not null check (currency ~ '^[A-Z]{3}$'),
    -- What we have more at the provider than we knew.
    difference_minor bigint      not null,
    state            text        not null check (state in ('open', 'resolved')),
    resolution       text        check (resolution in ('arrived', 'booked_here', 'corrected_there', 'written_off', 'explained')),
    note             text        not null default '',
    create_time      timestamptz not null,
    resolve_time     timestamptz,
    primary key (proof_id, number),
    constraint reconciliation_break_resolved check (
        (state = 'resolved') = (resolution is not null) and (state = 'resolved') = (resolve_time is not null)
    ),
    constraint reconciliation_break_money check (resolution <> 'explained' or difference_minor = 0)
);
create index reconciliation_break_newest on reconciliation_break (create_time desc, proof_id desc, number desc);
create index reconciliation_break_missing_there on reconciliation_break (coalesce(refund_id, payment_id))
    where kind = 'missing_there' and state = 'open';
create trigger reconciliation_break_kept before delete or truncate on reconciliation_break
    for each statement execute function refuse_change();

-- It is worked off once, and nothing else of it ever changes.
create function reconciliation_break_resolved_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'open'
       or (to_jsonb(new) - array['state', 'resolution', 'note', 'resolve_time'])
          <> (to_jsonb(old) - array['state', 'resolution', 'note', 'resolve_time']) then
        raise exception 'break % of % is %', old.number, old.proof_id, old.state
            using errcode = 'restrict_violation', constraint = 'reconciliation_break_resolved_once';
    end if;
    return new;
end
$$;
create trigger reconciliation_break_resolved_once before update on reconciliation_break
    for each row execute function reconciliation_break_resolved_once();

-- What was captured and given back on a day.
create index payment_captured on payment (capture_time) where state = 'captured';
create index refund_succeeded on refund (succeed_time) where state = 'succeeded';

do $$
begin
    execute format('revoke update, delete, truncate on bill_line from public, %I', current_user);
    execute format('revoke delete, truncate on day_proof, reconciliation_break from public, %I', current_user);
end
$$;
