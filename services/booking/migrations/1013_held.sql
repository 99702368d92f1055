-- Each index of what is held serves those alone who ask by its column: while few rows were held the planner took them for
-- equally cheap, and read all that is held to count that of one customer.
drop index booking_unpaid;
create index booking_unpaid on booking (hold_expire_time)
    where state in ('HELD', 'AWAITING_PAYMENT') and hold_expire_time is not null;
drop index booking_held_by_customer;
create index booking_held_by_customer on booking (customer_id)
    where state in ('HELD', 'AWAITING_PAYMENT') and customer_id is not null;
