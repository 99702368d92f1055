-- Orders for more than visits, and reductions.
--
-- Replicas of the version before can go on making orders of visits meanwhile: what they don't say is filled in.

alter table customer_order
    alter column booking_id drop not null,
    -- What it is for: a visit (booking_id), money for a stored-value card, or a prepaid contract (subject_id).
    add column subject_kind text not null default 'visit'
        constraint customer_order_subject_kind check (subject_kind in ('visit', 'top_up', 'contract')),
    add column subject_id uuid,
    -- The sum of the reductions of the lines; total_minor doesn't contain it.
    add column discount_minor bigint not null default 0
        constraint customer_order_discount check (discount_minor >= 0),
    -- Exactly one.
    add constraint customer_order_subject check (
        case subject_kind when 'visit' then booking_id is not null and subject_id is null
                          else booking_id is null and subject_id is not null end
    );
create index customer_order_by_subject on customer_order (subject_id, create_time) where subject_id is not null;

alter table order_line
    add column discount_minor bigint not null default 0
        constraint order_line_discount check (discount_minor >= 0);

-- The lines add up to the order, at the latest when the transaction commits.
create function customer_order_adds_up() returns trigger language plpgsql as $$
declare
    of       uuid := case tg_table_name when 'order_line' then (to_jsonb(new) ->> 'order_id')::uuid
                                        else (to_jsonb(new) ->> 'id')::uuid end;
    unfit    boolean;
begin
    select customer_order.total_minor <> lines.amount or customer_order.discount_minor <> lines.discount into unfit
      from customer_order,
           (select coalesce(sum(amount_minor), 0) as amount, coalesce(sum(discount_minor), 0) as discount
              from order_line where order_id = of) as lines
     where customer_order.id = of;
    if unfit then
        raise exception 'the lines of order % don''t add up to it', of
            using errcode = 'check_violation', constraint = 'customer_order_adds_up';
    end if;
    return null;
end
$$;
create constraint trigger customer_order_adds_up after insert on customer_order
    deferrable initially deferred for each row execute function customer_order_adds_up();
create constraint trigger customer_order_adds_up_after after update on customer_order
    deferrable initially deferred for each row
    when (old.total_minor <> new.total_minor or old.discount_minor <> new.discount_minor)
    execute function customer_order_adds_up();
