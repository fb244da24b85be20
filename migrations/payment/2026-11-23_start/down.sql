drop table test_provider_events;
drop table test_provider_operations;
drop table test_provider_payments;
drop table payment_cursors;
drop table payment_webhooks;
drop table ledger_entries;
drop table payment_movements;
drop table payments;
