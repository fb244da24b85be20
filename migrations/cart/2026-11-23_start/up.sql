-- The document is the cart; the other columns are what it is found by.
create table carts (
    id uuid primary key,
    version bigint not null check (version > 0),
    customer_id uuid,
    is_current boolean not null,
    document text not null,
    updated_at timestamptz not null
);
-- A customer has one current cart, however many logins and tabs race.
create unique index carts_current on carts (customer_id) where is_current;
create index carts_customer on carts (customer_id) where customer_id is not null;
create index carts_idle on carts (updated_at) where customer_id is null;

-- used is counted by conditional writes, so it is not part of the document.
create table promotions (
    id uuid primary key,
    code_key text unique,
    version bigint not null,
    used bigint not null check (used >= 0),
    usage_limit bigint check (usage_limit > 0),
    document text not null,
    created_at timestamptz not null
);

-- One row an order: claimed, then released for good.
create table promotion_claims (
    order_id uuid primary key,
    released boolean not null,
    created_at timestamptz not null
);

-- customer is the SHA-256 of the e-mail address: it is counted by, never read.
create table promotion_uses (
    promotion_id uuid not null,
    order_id uuid not null,
    customer text not null,
    primary key (promotion_id, order_id)
);
create index promotion_uses_order on promotion_uses (order_id);
create index promotion_uses_customer on promotion_uses (promotion_id, customer);

-- region is empty for the whole country: a null would escape the unique constraint.
create table tax_rates (
    id uuid primary key,
    country text not null check (length(country) = 2),
    region text not null,
    tax_class text not null,
    document text not null,
    unique (country, region, tax_class)
);
