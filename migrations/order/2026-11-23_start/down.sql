drop table idempotency_keys;
drop table order_sagas;
drop table order_shipments;
drop table order_refunds;
drop table order_timeline;
drop table order_lines;
drop table orders;
