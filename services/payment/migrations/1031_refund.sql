-- What is given back of orders that go on: refunds have a common cause, and lines give back no more than they cost.

create table order_return (
    id           uuid        not null primary key,
    order_id     uuid        not null references customer_order,
    -- Counts those of an order from 0.
    position     integer     not null check (position >= 0),
    amount_minor bigint      not null check (amount_minor > 0),
    reason       text        not null check (reason <> ''),
    create_time  timestamptz not null,
    constraint order_return_position unique (order_id, position)
);
create trigger order_return_append_only before update or delete or truncate on order_return
    for each statement execute function refuse_change();

-- What of which line; empty if it is not about lines.
create table order_return_line (
    return_id     uuid    not null references order_return,
    line_position integer not null,
    amount_minor  bigint  not null check (amount_minor > 0),
    primary key (return_id, line_position)
);
create trigger order_return_line_append_only before update or delete or truncate on order_return_line
    for each statement execute function refuse_change();

-- A line gives back no more than it cost, whatever the code believes. Who gives back holds the order's row.
create function order_return_within_line() returns trigger language plpgsql as $$
declare
    of       uuid := (select order_id from order_return where id = new.return_id);
    cost     bigint;
    returned bigint;
begin
    select amount_minor into cost from order_line where order_id = of and position = new.line_position;
    select sum(line.amount_minor) into returned
      from order_return_line as line join order_return on order_return.id = line.return_id
     where order_return.order_id = of and line.line_position = new.line_position;
    if cost is null or returned > cost then
        raise exception 'line % of order % gives back more than it cost', new.line_position, of
            using errcode = 'check_violation', constraint = 'order_return_within_line';
    end if;
    return null;
end
$$;
create trigger order_return_within_line after insert on order_return_line
    for each row execute function order_return_within_line();
