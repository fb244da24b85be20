create table orders (
    id uuid primary key not null,
    number text not null unique,
    cart_id uuid not null,
    cart_version bigint not null,
    checkout_key text not null,
    customer_id uuid,
    email text not null,
    name text not null,
    status text not null check (status in ('pending', 'placed', 'completed', 'cancelled')),
    payment_status text not null check (payment_status in
        ('awaiting', 'authorized', 'captured', 'partially_refunded', 'refunded', 'failed', 'disputed')),
    fulfillment_status text not null check (fulfillment_status in
        ('unfulfilled', 'partially_shipped', 'shipped', 'delivered', 'returned')),
    currency text not null,
    addresses text not null,
    pricing text not null,
    payment text not null,
    payment_sequence bigint not null,
    subtotal bigint not null check (subtotal >= 0),
    discount_total bigint not null check (discount_total >= 0),
    shipping_total bigint not null check (shipping_total >= 0),
    tax_total bigint not null check (tax_total >= 0),
    total bigint not null check (total >= 0),
    captured_total bigint not null check (captured_total >= 0),
    refunded_total bigint not null check (refunded_total >= 0 and refunded_total <= captured_total),
    prices_include_tax boolean not null,
    line_count bigint not null check (line_count > 0),
    units bigint not null check (units > 0),
    cancel_reason text,
    created_at timestamptz not null,
    placed_at timestamptz,
    updated_at timestamptz not null,
    version bigint not null,
    check (total = subtotal - discount_total + shipping_total + case when prices_include_tax then 0 else tax_total end)
);
-- A cart becomes one order, whatever the key and however many tabs; a cancelled one leaves the cart usable.
create unique index orders_live_cart on orders (cart_id) where status <> 'cancelled';
create unique index orders_live_key on orders (checkout_key) where status <> 'cancelled';
create index orders_newest on orders (created_at, id);
create index orders_of_customer on orders (customer_id, created_at, id);
create index orders_by_status on orders (status, created_at, id);
create index orders_by_payment on orders (payment_status, created_at, id);
create index orders_by_fulfillment on orders (fulfillment_status, created_at, id);
create index orders_by_email on orders (email, created_at, id);
create index orders_placed on orders (placed_at) where placed_at is not null;

create table order_lines (
    order_id uuid not null references orders (id),
    id uuid not null,
    position bigint not null,
    product_id uuid not null,
    variant_id uuid not null,
    title text not null,
    quantity bigint not null check (quantity > 0),
    total bigint not null check (total >= 0),
    shipped_quantity bigint not null check (shipped_quantity >= 0 and shipped_quantity <= quantity),
    refunded_quantity bigint not null check (refunded_quantity >= 0),
    refunding_quantity bigint not null check (refunding_quantity >= 0),
    line text not null,
    primary key (order_id, id),
    check (refunded_quantity + refunding_quantity <= quantity)
);

create table order_timeline (
    order_id uuid not null references orders (id),
    version bigint not null,
    position bigint not null,
    at timestamptz not null,
    kind text not null,
    moved_from text,
    moved_to text,
    message text,
    actor text not null,
    primary key (order_id, version, position)
);

create table order_refunds (
    id uuid primary key not null,
    order_id uuid not null references orders (id),
    amount bigint not null check (amount >= 0),
    lines text not null,
    reason text not null,
    status text not null check (status in ('pending', 'succeeded', 'failed')),
    actor text not null,
    created_at timestamptz not null
);
create index order_refunds_of_order on order_refunds (order_id, created_at);

create table order_shipments (
    id uuid primary key not null,
    order_id uuid not null references orders (id),
    shipment text not null,
    status text not null check (status in ('pending', 'shipped', 'in_transit', 'delivered')),
    created_at timestamptz not null
);
create index order_shipments_of_order on order_shipments (order_id, created_at);

create table order_sagas (
    id uuid primary key not null,
    order_id uuid not null references orders (id),
    kind text not null check (kind in ('checkout', 'cancel', 'refund', 'ship')),
    state text not null check (state in ('running', 'parked', 'waiting', 'compensating', 'done')),
    step text not null,
    version bigint not null,
    attempts bigint not null,
    next_at timestamptz not null,
    deadline timestamptz not null,
    payload text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index order_sagas_due on order_sagas (next_at) where state <> 'done';
create index order_sagas_of_order on order_sagas (order_id);

create table idempotency_keys (
    scope text not null,
    key text not null,
    request_hash text not null,
    state text not null check (state in ('started', 'done')),
    locked_until timestamptz not null,
    answer text,
    created_at timestamptz not null,
    primary key (scope, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
