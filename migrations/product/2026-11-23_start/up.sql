-- The whole product is the document in data; the other columns are what it is found by.
create table products (
    id uuid primary key,
    slug text not null unique,
    status text not null check (status in ('draft', 'published', 'archived')),
    version bigint not null,
    created_at timestamptz not null,
    popularity bigint not null,
    -- Title, slug and SKUs in lower case, for the search of staff.
    haystack text not null,
    data text not null
);
create index products_created on products (created_at, id);
create index products_status on products (status, created_at, id);

-- When anything that search shows of a product last changed: content, stock in or out, category, price list. A table of
-- its own, because a change of one category may touch every product, and those rows are large.
create table product_touches (
    product_id uuid primary key references products (id),
    touched_at timestamptz not null
);
create index product_touches_at on product_touches (touched_at, product_id);

create table slug_redirects (
    slug text primary key,
    product_id uuid not null references products (id)
);

create table variants (
    id uuid primary key,
    product_id uuid not null references products (id),
    -- Null: no longer sold. The row stays, because stock, movements and orders refer to it.
    sku text unique,
    title text not null,
    -- SKU and title in lower case, for the search of staff.
    haystack text not null,
    tracked boolean not null
);
create index variants_product on variants (product_id);

create table categories (
    id uuid primary key,
    slug text not null unique,
    title text not null,
    description text not null,
    parent_id uuid references categories (id),
    position integer not null,
    image text,
    version bigint not null
);

create table product_categories (
    category_id uuid not null references categories (id),
    product_id uuid not null references products (id),
    published boolean not null,
    primary key (category_id, product_id)
);
create index product_categories_product on product_categories (product_id, category_id, published);

create table collections (
    id uuid primary key,
    slug text not null unique,
    title text not null,
    description text not null
);

create table collection_products (
    collection_id uuid not null references collections (id),
    product_id uuid not null references products (id),
    position bigint not null,
    primary key (collection_id, product_id)
);
create index collection_products_product on collection_products (product_id, collection_id);

create table price_lists (
    id uuid primary key,
    name text not null,
    currency text not null,
    customer_group text,
    starts_at timestamptz,
    ends_at timestamptz
);

create table list_prices (
    list_id uuid not null references price_lists (id),
    variant_id uuid not null references variants (id),
    min_quantity bigint not null check (min_quantity > 0),
    amount bigint not null check (amount >= 0),
    primary key (list_id, variant_id, min_quantity)
);
create index list_prices_variant on list_prices (variant_id);

create table locations (
    id uuid primary key,
    name text not null,
    priority integer not null
);
insert into locations (id, name, priority) values ('019ab000-0000-7000-8000-000000000001', 'Main', 0);

create table levels (
    variant_id uuid not null references variants (id),
    location_id uuid not null references locations (id),
    on_hand bigint not null,
    reserved bigint not null,
    updated_at timestamptz not null,
    primary key (variant_id, location_id),
    check (0 <= reserved and reserved <= on_hand)
);

-- Append only. For each level, the sum of its movements is what is on hand.
create table movements (
    id uuid primary key,
    variant_id uuid not null,
    location_id uuid not null,
    delta bigint not null,
    kind text not null check (kind in ('initial', 'adjustment', 'sale', 'restock')),
    reason text not null,
    order_id uuid,
    actor text not null,
    at timestamptz not null
);
create index movements_variant on movements (variant_id, at, id);

create table reservations (
    order_id uuid primary key,
    state text not null check (state in ('active', 'committed', 'released')),
    expires_at timestamptz not null,
    updated_at timestamptz not null
);
create index reservations_state on reservations (state, expires_at);

create table reservation_lines (
    order_id uuid not null references reservations (order_id),
    variant_id uuid not null,
    location_id uuid not null,
    quantity bigint not null check (quantity > 0),
    primary key (order_id, variant_id, location_id)
);
