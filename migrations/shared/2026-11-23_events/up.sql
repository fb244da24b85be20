-- One set per database: the modules that live in it share these tables.
create table outbox (
    id uuid primary key,
    module text not null,
    kind text not null,
    version bigint not null,
    occurred_at timestamptz not null,
    aggregate_id text not null,
    sequence bigint not null,
    traceparent text,
    data text not null,
    published_at timestamptz,
    attempts bigint not null default 0,
    next_at timestamptz
);
create index outbox_waiting on outbox (id) where published_at is null;
create index outbox_waiting_aggregate on outbox (module, aggregate_id, sequence) where published_at is null;
create index outbox_published on outbox (published_at) where published_at is not null;

create table inbox (
    consumer text not null,
    event_id uuid not null,
    received_at timestamptz not null,
    primary key (consumer, event_id)
);
create index inbox_received on inbox (received_at);

create table dead_letters (
    event_id uuid not null,
    consumer text not null,
    envelope text not null,
    error text not null,
    attempts bigint not null,
    failed_at timestamptz not null,
    primary key (event_id, consumer)
);
