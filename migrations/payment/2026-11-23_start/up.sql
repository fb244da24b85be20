create table payments (
    id uuid primary key,
    order_id uuid not null unique,
    provider text not null,
    reference text,
    token text,
    status text not null check (
        status in ('pending', 'requires_action', 'authorized', 'captured', 'failed', 'voided', 'refunded')
    ),
    amount bigint not null check (amount >= 0),
    currency text not null,
    authorized bigint not null check (authorized between 0 and amount),
    captured bigint not null check (captured >= 0),
    refunded bigint not null check (refunded >= 0),
    -- Reserved by captures and refunds whose outcome is not known yet.
    capturing bigint not null check (capturing >= 0),
    refunding bigint not null check (refunding >= 0),
    -- Somebody wants the rest back; the provider has given it back.
    closing boolean not null,
    closed boolean not null,
    next_action_url text,
    decline_code text,
    version bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    check (captured + capturing <= authorized),
    check (refunded + refunding <= captured)
);
create unique index payments_reference on payments (provider, reference) where reference is not null;
create index payments_unsettled on payments (id)
    where status in ('pending', 'requires_action') or capturing > 0 or refunding > 0 or (closing and not closed);

-- Captures and refunds. The id is the provider's idempotency key and the ledger's transaction.
create table payment_movements (
    id text primary key,
    payment_id uuid not null references payments (id),
    kind text not null check (kind in ('capture', 'refund')),
    amount bigint not null check (amount > 0),
    reason text not null,
    state text not null check (state in ('pending', 'succeeded', 'failed')),
    refusal text,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index payment_movements_payment on payment_movements (payment_id);

create table ledger_entries (
    transaction_id text not null,
    account text not null check (account in ('receivable', 'provider', 'sales', 'refunds')),
    order_id uuid not null,
    amount bigint not null,
    currency text not null,
    at timestamptz not null,
    primary key (transaction_id, account)
);
create index ledger_entries_order on ledger_entries (order_id, at);

create table payment_webhooks (
    provider text not null,
    event_id text not null,
    reference text not null,
    kind text not null,
    -- What the message says it is about; null if it does not say.
    amount bigint,
    currency text,
    body text not null,
    state text not null check (state in ('stored', 'done', 'unmatched', 'review')),
    detail text,
    attempts integer not null,
    next_at timestamptz not null,
    received_at timestamptz not null,
    primary key (provider, event_id)
);
create index payment_webhooks_due on payment_webhooks (next_at) where state = 'stored';
create index payment_webhooks_open on payment_webhooks (received_at) where state in ('unmatched', 'review');

create table payment_cursors (
    provider text primary key,
    since timestamptz not null
);

-- The `test` provider's own books. Only its adapter may touch them: to the rest they are somebody else's computer.
create table test_provider_payments (
    reference text primary key,
    payment_id uuid not null unique,
    order_id uuid not null,
    token text not null,
    amount bigint not null check (amount >= 0),
    currency text not null,
    state text not null check (state in ('requires_action', 'authorized', 'failed', 'voided')),
    authorized bigint not null,
    captured bigint not null,
    refunded bigint not null,
    decline_code text,
    confirm_at timestamptz,
    updated_at timestamptz not null,
    check (0 <= refunded and refunded <= captured and captured <= authorized)
);
create index test_provider_payments_changed on test_provider_payments (updated_at, reference);
create index test_provider_payments_confirm on test_provider_payments (confirm_at)
    where confirm_at is not null and state = 'requires_action';

create table test_provider_operations (
    key text primary key,
    reference text not null,
    kind text not null,
    amount bigint not null,
    currency text not null
);

create table test_provider_events (
    id text primary key,
    body text not null,
    due_at timestamptz not null,
    delivered_at timestamptz
);
create index test_provider_events_due on test_provider_events (due_at) where delivered_at is null;
