-- Real payment providers: more ways to pay, and what their protocols need to be kept.

alter table payment
    drop constraint payment_tender_check,
    add constraint payment_tender check (tender in ('sandbox', 'cash', 'wechat_jsapi', 'wechat_native', 'wechat_h5',
                                                    'alipay_page', 'alipay_app', 'alipay_in_store')),
    -- What the customer's side does with pay_uri, which is an address, a code or a signed text accordingly.
    add column pay_action text check (pay_action in ('open', 'show', 'jsapi', 'app', 'wait')),
    -- The provider's own id of the money's way, by which its bills call it.
    add column transaction_id text;
update payment set pay_action = 'open' where charge_id is not null;
alter table payment
    add constraint payment_action check ((charge_id is null) = (pay_action is null));
create index payment_by_transaction on payment (transaction_id) where transaction_id is not null;

alter table notice_break
    -- How the provider calls it: what we called it, or what somebody else did.
    add column reference text not null default '';

-- The sendings of notices that were taken in: each of them counts once. What is older than the window in which a notice
-- is believed can be forgotten.
create table notice_nonce (
    provider     text        not null,
    nonce        text        not null,
    receive_time timestamptz not null,
    primary key (provider, nonce)
);
create index notice_nonce_oldest on notice_nonce (receive_time);
