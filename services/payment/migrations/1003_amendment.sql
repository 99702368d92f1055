-- Lines that were added to an order after it was made.

alter table order_line
    -- The amendment that added it; null for what the order was made from.
    add column amendment_id uuid,
    add constraint order_line_amendment unique (order_id, amendment_id);
