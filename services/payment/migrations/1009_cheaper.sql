-- An amendment may make an order cheaper.
alter table order_line drop constraint order_line_amount_minor_check;
