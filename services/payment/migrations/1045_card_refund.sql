-- Cards that are given back, and money that goes back by hand: what can't, or must not, go back to where it was paid from.

-- Money that somebody has to get at the desk or by his bank.
create table payout (
    id           uuid        not null primary key,
    -- What it is about.
    order_id     uuid        not null references customer_order,
    store_id     uuid        not null,
    payee_id     uuid        not null,
    currency     text        not null check (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint      not null check (amount_minor > 0),
    -- Of it, what was paid for the order and goes back; the rest is beyond that, such as interest.
    price_minor  bigint      not null check (price_minor between 0 and amount_minor),
    reason       text        not null check (reason <> ''),
    state        text        not null check (state in ('due', 'paid')),
    method       text        check (method in ('cash', 'bank_transfer')),
    -- The bank's number of a transfer.
    reference    text        not null check ((reference <> '') = (method is not distinct from 'bank_transfer')),
    -- Who has paid it.
    actor        text,
    create_time  timestamptz not null,
    pay_time     timestamptz,
    constraint payout_paid check ((state = 'paid') = (method is not null) and (state = 'paid') = (pay_time is not null)
                                  and (state = 'paid') = (actor is not null))
);
create index payout_by_order on payout (order_id);
create index payout_newest on payout (create_time desc, id desc);
create index payout_by_payee on payout (payee_id, create_time desc, id desc);
create index payout_by_store on payout (store_id, create_time desc, id desc);

-- A payout is made once, and nothing else of it ever changes.
create function payout_made_once() returns trigger language plpgsql as $$
begin
    if old.state <> 'due' or new.state <> 'paid'
       or (to_jsonb(new) - array['state', 'method', 'reference', 'actor', 'pay_time'])
          <> (to_jsonb(old) - array['state', 'method', 'reference', 'actor', 'pay_time']) then
        raise exception 'payout % is %', old.id, old.state
            using errcode = 'restrict_violation', constraint = 'payout_made_once';
    end if;
    return new;
end
$$;
create trigger payout_made_once before update on payout for each row execute function payout_made_once();
create trigger payout_stays before delete or truncate on payout for each statement execute function refuse_change();

-- A card that was given back, and why.
create table card_refund (
    id          uuid        not null primary key,
    card_id     uuid        not null references stored_value_card,
    cause       text        not null,
    create_time timestamptz not null
);
create index card_refund_by_card on card_refund (card_id);
create trigger card_refund_append_only before update or delete or truncate on card_refund
    for each statement execute function refuse_change();

-- What one top-up has given back: by the law each is a contract of its own.
create table card_refund_part (
    refund_id        uuid   not null references card_refund,
    order_id         uuid   not null references customer_order,
    -- What goes back to where the top-up was paid from, and what is paid out by hand.
    to_sources_minor bigint not null check (to_sources_minor >= 0),
    at_desk_minor    bigint not null check (at_desk_minor >= 0),
    -- Which state of the law was used.
    rules            text   not null,
    -- The reckoning as it was told: meridian.payment.v1.RefundLawQuote.
    quote            bytea  not null,
    primary key (refund_id, order_id)
);
create index card_refund_part_by_order on card_refund_part (order_id);
create trigger card_refund_part_append_only before update or delete or truncate on card_refund_part
    for each statement execute function refuse_change();

-- No invoice stands for what is paid out again by hand.
create or replace function invoice_within_paid() returns trigger language plpgsql as $$
declare
    invoiced bigint;
    kept     bigint;
begin
    perform from customer_order where id = new.order_id for update;
    select coalesce(sum(amount_minor), 0) into invoiced
      from invoice where order_id = new.order_id and state in ('requested', 'issued');
    -- What a card or contract paid was invoiced when that was sold.
    select coalesce(sum(amount_minor - coalesce((select sum(amount_minor) from refund where payment_id = payment.id), 0)), 0)
      into kept from payment where order_id = new.order_id and state = 'captured' and source_id is null;
    kept := kept - coalesce((select sum(price_minor) from payout where order_id = new.order_id), 0);
    if invoiced > greatest(kept, 0) then
        raise exception 'invoices of order % exceed what was paid', new.order_id
            using errcode = 'check_violation', constraint = 'invoice_within_paid';
    end if;
    return null;
end
$$;
create constraint trigger invoice_within_paid after insert on payout
    deferrable initially deferred for each row execute function invoice_within_paid();
