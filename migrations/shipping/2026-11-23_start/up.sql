create table shipping_zones (
    id uuid primary key,
    name text not null
);

-- The key says it: a country is in one zone.
create table shipping_zone_countries (
    country text primary key check (length(country) = 2),
    zone_id uuid not null references shipping_zones (id)
);
create index shipping_zone_countries_zone on shipping_zone_countries (zone_id);

-- classes, tiers and free_above are JSON: they are only ever read together with their method.
create table shipping_methods (
    id uuid primary key,
    zone_id uuid not null references shipping_zones (id),
    position integer not null,
    name text not null,
    carrier text not null,
    classes text not null,
    tiers text not null,
    free_above text not null,
    min_days bigint not null check (min_days >= 0),
    max_days bigint not null check (max_days >= min_days)
);
create index shipping_methods_zone on shipping_methods (zone_id);

create table shipments (
    id uuid primary key,
    order_id uuid not null,
    status text not null check (status in ('pending', 'shipped', 'in_transit', 'delivered')),
    carrier text,
    tracking_number text,
    created_at timestamptz not null
);
create index shipments_order on shipments (order_id);

create table shipment_lines (
    shipment_id uuid not null references shipments (id),
    line_id uuid not null,
    quantity bigint not null check (quantity > 0),
    primary key (shipment_id, line_id)
);

create table tracking_events (
    shipment_id uuid not null references shipments (id),
    sequence bigint not null,
    status text not null,
    description text,
    actor text not null,
    at timestamptz not null,
    primary key (shipment_id, sequence)
);
