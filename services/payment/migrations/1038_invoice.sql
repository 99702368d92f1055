-- Invoices (fapiao) for what was paid. An unfinished one is also the task to see to it at the provider.
create table invoice (
    id                uuid        not null primary key,
    order_id          uuid        not null references customer_order,
    customer_id       uuid        not null,
    store_id          uuid        not null,
    currency          text        not null check (currency ~ '^[A-Z]{3}$'),
    -- Tax included.
    amount_minor      bigint      not null check (amount_minor > 0),
    tax_minor         bigint      not null,
    taxation          text        not null check (taxation in ('taxed', 'not_taxable')),
    rate_bp           integer     not null check (rate_bp between 0 and 10000),
    -- The provider's own id of the payment, if it is one of the provider that issues.
    transaction_id    text,
    -- To whom it is made out: sealed with a key of its own, whose owner in vault_key is the invoice. So one is shredded when
    -- the time is over for which the law wants it kept, whatever its customer does before.
    title_sealed      bytea       not null,
    tax_id_sealed     bytea,
    email_sealed      bytea,
    state             text        not null check (state in ('requested', 'issued', 'reversing', 'reversed', 'refused')),
    number            text,
    issue_time        timestamptz,
    -- Why it is or was red-lettered, or the provider's word for why it was refused.
    reason            text,
    red_number        text,
    reverse_time      timestamptz,
    create_time       timestamptz not null,
    -- That of the newest event.
    version           bigint      not null check (version >= 1),
    -- When the provider is asked next; a claim moves it on, so that no two workers do the same at once.
    next_attempt_time timestamptz,
    attempt_count     integer     not null default 0,
    constraint invoice_tax check (tax_minor between 0 and amount_minor and (taxation = 'taxed' or tax_minor = 0)),
    constraint invoice_issue check ((number is null) = (issue_time is null)
                                    and (state <> 'issued' or number is not null)
                                    and (state not in ('requested', 'refused') or number is null)),
    constraint invoice_reason check ((reason is not null) = (state in ('reversing', 'reversed', 'refused'))),
    constraint invoice_reverse check ((reverse_time is not null) = (state = 'reversed')
                                      and (red_number is not null) = (state = 'reversed' and number is not null)),
    constraint invoice_task check ((next_attempt_time is not null) = (state in ('requested', 'reversing')))
);
create index invoice_by_order on invoice (order_id);
create index invoice_newest on invoice (create_time desc, id desc);
create index invoice_by_customer on invoice (customer_id, create_time desc, id desc);
create index invoice_by_store on invoice (store_id, create_time desc, id desc);
create index invoice_to_settle on invoice (next_attempt_time) where next_attempt_time is not null;

-- What stands for an order is never more than what was captured less what goes or went back, whatever the code believes.
-- At the end of the transaction, since one that gives money back takes invoices back too.
create function invoice_within_paid() returns trigger language plpgsql as $$
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
    if invoiced > greatest(kept, 0) then
        raise exception 'invoices of order % exceed what was paid', new.order_id
            using errcode = 'check_violation', constraint = 'invoice_within_paid';
    end if;
    return null;
end
$$;
create constraint trigger invoice_within_paid after insert or update of amount_minor, state on invoice
    deferrable initially deferred for each row execute function invoice_within_paid();
create constraint trigger invoice_within_paid after insert on refund
    deferrable initially deferred for each row execute function invoice_within_paid();
