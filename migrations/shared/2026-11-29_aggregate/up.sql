-- What was said of somebody who is erased goes too.
create index outbox_published_aggregate on outbox (aggregate_id) where published_at is not null;
