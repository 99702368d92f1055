-- Which payments, refunds and top-ups are let through, reviewed or refused. It is explained in src/domain/risk/mod.rs.

-- What is looked out for. What it looks at never changes; whether it does, its decision and its end do.
create table risk_rule (
    id             uuid        not null primary key,
    display_name   text        not null check (display_name <> ''),
    operation      text        not null check (operation in ('payment', 'refund', 'top_up')),
    -- Only at this store; null: at all.
    store_id       uuid,
    pattern        text        not null check (pattern in ('velocity', 'amount_above', 'just_below', 'after_top_up')),
    subject        text        check (subject in ('member', 'card', 'address', 'store', 'staff')),
    window_seconds bigint      check (window_seconds between 1 and 2678400),
    max_count      integer     check (max_count >= 0),
    -- Of a velocity the most that all come to together; of an amount the most of one; the limit that others are just below.
    limit_minor    bigint      check (limit_minor >= 0),
    margin_minor   bigint      check (margin_minor between 1 and limit_minor),
    currency       text        check (currency ~ '^[A-Z]{3}$'),
    decision       text        not null check (decision in ('allow', 'review', 'refuse')),
    enabled        boolean     not null,
    start_time     timestamptz not null,
    end_time       timestamptz check (end_time > start_time),
    create_time    timestamptz not null,
    version        bigint      not null check (version >= 1),
    constraint risk_rule_currency check ((limit_minor is null) = (currency is null)),
    constraint risk_rule_pattern check (
        case pattern
            when 'velocity' then subject is not null and window_seconds is not null and margin_minor is null
                                 and coalesce(max_count::bigint, limit_minor) is not null
            when 'amount_above' then limit_minor is not null and coalesce(subject, window_seconds::text, max_count::text) is null
            when 'just_below' then subject is not null and window_seconds is not null and max_count is not null
                                   and margin_minor is not null
            else operation = 'refund' and window_seconds is not null
                 and coalesce(subject, max_count::text, limit_minor::text) is null
        end)
);
create index risk_rule_newest on risk_rule (create_time desc, id desc);
create index risk_rule_in_force on risk_rule (id) where enabled;

-- What was let through, once for each by whom a rule counts it. Counting reads the index alone.
create table risk_event (
    -- The kind of subject, and which one.
    subject      text        not null,
    key          text        not null,
    operation    text        not null,
    occur_time   timestamptz not null,
    source_id    uuid        not null,
    currency     text        not null,
    amount_minor bigint      not null check (amount_minor >= 0),
    primary key (subject, key, operation, occur_time, source_id) include (currency, amount_minor)
);
create index risk_event_oldest on risk_event (occur_time);

-- What broke a rule.
create table risk_review (
    id           uuid        not null primary key,
    operation    text        not null check (operation in ('payment', 'refund', 'top_up')),
    target       text        not null,
    customer_id  uuid        not null,
    store_id     uuid        not null,
    actor        text        not null,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint      not null check (amount_minor >= 0),
    rules        uuid[]      not null check (cardinality(rules) > 0),
    reasons      text[]      not null check (cardinality(reasons) = cardinality(rules)),
    -- The request that waits for the approval; null: it has happened, or was refused.
    held         bytea,
    -- What is, or would be, made by it: an order's return, a payment, a checkout …
    source_id    uuid        not null,
    state        text        not null check (state in ('open', 'approved', 'rejected', 'refused')),
    create_time  timestamptz not null,
    resolve_time timestamptz,
    resolver     text,
    resolution   text,
    constraint risk_review_resolved
        check ((state in ('approved', 'rejected')) = (num_nonnulls(resolve_time, resolver, resolution) = 3)
               and num_nonnulls(resolve_time, resolver, resolution) in (0, 3)),
    constraint risk_review_held check (held is null or (operation = 'refund' and state <> 'refused'))
);
create index risk_review_newest on risk_review (create_time desc, id desc);
create index risk_review_by_store on risk_review (store_id, create_time desc, id desc);
create index risk_review_open on risk_review (create_time desc, id desc) where state = 'open';

-- A review is resolved once, and nothing else of it ever changes.
create function risk_review_resolved_once() returns trigger language plpgsql as $$
declare
    resolution constant text[] := array['state', 'resolve_time', 'resolver', 'resolution'];
begin
    if old.state <> 'open' or (to_jsonb(new) - resolution) <> (to_jsonb(old) - resolution) then
        raise exception 'risk review % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'risk_review_resolved_once';
    end if;
    return new;
end
$$;
create trigger risk_review_resolved_once before update on risk_review
    for each row execute function risk_review_resolved_once();

-- Rules to begin with, all of them off. The figures are ours, meant to be out of the way of an ordinary day: look at your own
-- days before you enable one.
insert into risk_rule (id, display_name, operation, pattern, subject, window_seconds, max_count, limit_minor, margin_minor,
                       currency, decision, enabled, start_time, create_time, version)
select id, display_name, operation, pattern, subject, window_seconds, max_count, limit_minor, margin_minor, currency, decision,
       false, '2026-01-01Z', '2026-01-01Z', 1
from (values
    ('0192b000-0000-7000-8000-000000000001'::uuid, 'More than 20 payments of a customer in an hour', 'payment', 'velocity',
     'member', 3600::bigint, 20, null::bigint, null::bigint, null, 'review'),
    ('0192b000-0000-7000-8000-000000000002', 'More than 30 payments from one address in ten minutes', 'payment', 'velocity',
     'address', 600, 30, null, null, null, 'refuse'),
    ('0192b000-0000-7000-8000-000000000003', 'More than 10,000 yuan paid with one card in a day', 'payment', 'velocity',
     'card', 86400, null, 1000000, null, 'CNY', 'review'),
    ('0192b000-0000-7000-8000-000000000004', 'More than 10 refunds by the same staff in a day', 'refund', 'velocity',
     'staff', 86400, 10, null, null, null, 'review'),
    ('0192b000-0000-7000-8000-000000000005', 'A refund of more than 2,000 yuan', 'refund', 'amount_above',
     null, null, null, 200000, null, 'CNY', 'review'),
    ('0192b000-0000-7000-8000-000000000006', 'A refund within an hour of a top-up', 'refund', 'after_top_up',
     null, 3600, null, null, null, null, 'review'),
    ('0192b000-0000-7000-8000-000000000007', 'More than 2 top-ups just below 1,000 yuan in a day', 'top_up', 'just_below',
     'member', 86400, 2, 100000, 5000, 'CNY', 'review')
) as rule (id, display_name, operation, pattern, subject, window_seconds, max_count, limit_minor, margin_minor, currency,
           decision);
