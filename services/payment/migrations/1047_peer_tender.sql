-- Tenders that other services keep: points (membership) and cash coupons (marketing).

alter table payment
    drop constraint payment_tender,
    add constraint payment_tender check (tender in ('sandbox', 'cash', 'card_terminal', 'wechat_jsapi', 'wechat_native',
                                                    'wechat_h5', 'alipay_page', 'alipay_app', 'alipay_in_store',
                                                    'stored_value', 'prepaid_session', 'points_voucher', 'coupon')),
    drop constraint payment_source,
    add constraint payment_source check (
        (source_id is not null) = (tender in ('stored_value', 'prepaid_session', 'coupon')));

-- What such a tender sets aside, from before its keeper is asked: so whatever becomes of the request, he is told.
create table peer_tender (
    -- It is there before the payment, and under the same id at the keeper.
    payment_id   uuid        not null primary key,
    checkout_id  uuid        not null,
    order_id     uuid        not null references customer_order,
    customer_id  uuid        not null,
    tender       text        not null check (tender in ('points_voucher', 'coupon')),
    -- The coupon.
    source_id    uuid,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint      not null check (amount_minor > 0),
    state        text        not null check (state in ('asked', 'reserved', 'captured', 'voided')),
    create_time  timestamptz not null,
    -- Until when its keeper sets it aside.
    hold_until   timestamptz not null check (hold_until > create_time),
    decide_time  timestamptz,
    -- When its keeper was told what was decided, and why he will not have it.
    tell_time    timestamptz,
    trouble      text check (trouble <> ''),
    constraint peer_tender_source check ((source_id is not null) = (tender = 'coupon')),
    constraint peer_tender_decided check ((state in ('captured', 'voided')) = (decide_time is not null)),
    constraint peer_tender_told check (tell_time is null or decide_time is not null),
    constraint peer_tender_trouble check (trouble is null or tell_time is not null)
);
create index peer_tender_by_checkout on peer_tender (checkout_id);

create function peer_tender_decided_once() returns trigger language plpgsql as $$
declare
    mutable constant text[] := array['state', 'decide_time', 'tell_time', 'trouble'];
begin
    if (old.state, new.state) not in (('asked', 'asked'), ('asked', 'reserved'), ('asked', 'voided'),
                                      ('reserved', 'reserved'), ('reserved', 'captured'), ('reserved', 'voided'),
                                      ('captured', 'captured'), ('voided', 'voided'))
       or (to_jsonb(new) - mutable) <> (to_jsonb(old) - mutable) then
        raise exception 'peer tender % is %', old.payment_id, old.state
            using errcode = 'restrict_violation', constraint = 'peer_tender_decided_once';
    end if;
    return new;
end
$$;
create trigger peer_tender_decided_once before update on peer_tender
    for each row execute function peer_tender_decided_once();
create trigger peer_tender_kept before delete or truncate on peer_tender
    for each statement execute function refuse_change();

-- What of it goes back, once for each refund.
create table peer_tender_return (
    refund_id    uuid        not null primary key,
    payment_id   uuid        not null references peer_tender,
    amount_minor bigint      not null check (amount_minor > 0),
    -- Whether all of it is back by then.
    whole        boolean     not null,
    create_time  timestamptz not null,
    tell_time    timestamptz,
    trouble      text check (trouble <> ''),
    constraint peer_tender_return_trouble check (trouble is null or tell_time is not null)
);
create index peer_tender_return_by_payment on peer_tender_return (payment_id);
create trigger peer_tender_return_kept before delete or truncate on peer_tender_return
    for each statement execute function refuse_change();
