create index test_provider_payments_order on test_provider_payments (order_id);
