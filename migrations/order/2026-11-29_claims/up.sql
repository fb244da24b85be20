-- Who holds the key: nobody else ends it, and who asks again with the same claim has it still.
alter table idempotency_keys add column claim text not null default '';
