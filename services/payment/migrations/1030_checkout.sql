-- Several tenders that come to pass together, and more ways to pay.

create table checkout (
    id          uuid        not null primary key,
    order_id    uuid        not null references customer_order,
    state       text        not null check (state in ('open', 'captured', 'voided')),
    create_time timestamptz not null,
    -- When it comes to nothing by itself.
    expire_time timestamptz not null check (expire_time > create_time)
);
-- One at a time.
create unique index checkout_one_open on checkout (order_id) where state = 'open';
create index checkout_to_expire on checkout (expire_time, id) where state = 'open';

-- A checkout is decided once, and nothing else of it ever changes.
create function checkout_decided_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'open' or new.state = 'open'
       or (to_jsonb(new) - 'state') <> (to_jsonb(old) - 'state') then
        raise exception 'checkout % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'checkout_decided_once';
    end if;
    return new;
end
$$;
create trigger checkout_decided_once before update on checkout
    for each row execute function checkout_decided_once();

alter table payment
    drop constraint payment_tender,
    add constraint payment_tender check (tender in ('sandbox', 'cash', 'card_terminal', 'wechat_jsapi', 'wechat_native',
                                                    'wechat_h5', 'alipay_page', 'alipay_app', 'alipay_in_store',
                                                    'stored_value', 'prepaid_session')),
    drop constraint payment_state_check,
    add constraint payment_state_check check (state in ('pending', 'reserved', 'captured', 'failed')),
    -- The payments with which it comes to pass, or not at all.
    add column checkout_id uuid references checkout,
    -- The card or contract that pays, and what of a contract is used.
    add column source_id uuid,
    add column item_id uuid,
    -- The number of the slip of a card terminal.
    add column reference text not null default '',
    -- What waits for others is of a checkout.
    add constraint payment_reserved check (state <> 'reserved' or checkout_id is not null),
    add constraint payment_source check ((source_id is not null) = (tender in ('stored_value', 'prepaid_session'))),
    add constraint payment_item check ((item_id is not null) = (tender = 'prepaid_session')),
    add constraint payment_reference check ((reference <> '') = (tender = 'card_terminal'));
create index payment_by_checkout on payment (checkout_id) where checkout_id is not null;
create index payment_by_source on payment (source_id, create_time) where source_id is not null;
