-- The document is what was written and decided; the other columns are what it is found by. helpful and reports are
-- counted by conditional writes, so they are not part of the document.
create table reviews (
    id uuid primary key,
    product_id uuid not null,
    -- Null once the author is erased: only the stars stay.
    customer_id uuid,
    status text not null check (status in ('pending', 'approved', 'rejected')),
    rating bigint not null check (rating between 1 and 5),
    helpful bigint not null check (helpful >= 0),
    reports bigint not null check (reports >= 0),
    version bigint not null check (version > 0),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    document text not null,
    unique (product_id, customer_id)
);
create index reviews_newest on reviews (product_id, status, created_at, id);
create index reviews_helpful on reviews (product_id, status, helpful, created_at, id);
create index reviews_rating on reviews (product_id, status, rating, created_at, id);
create index reviews_queue on reviews (status, updated_at, id);
create index reviews_all on reviews (updated_at, id);
create index reviews_reported on reviews (updated_at, id) where reports > 0;
create index reviews_customer on reviews (customer_id, created_at, id) where customer_id is not null;

create table review_votes (
    review_id uuid not null,
    customer_id uuid not null,
    product_id uuid not null,
    primary key (review_id, customer_id)
);
create index review_votes_customer on review_votes (customer_id, product_id);

create table review_reports (
    review_id uuid not null,
    customer_id uuid not null,
    reason text not null,
    created_at timestamptz not null,
    primary key (review_id, customer_id)
);
create index review_reports_customer on review_reports (customer_id);

-- The approved reviews of a product by their stars. version orders the events that tell of it.
create table review_aggregates (
    product_id uuid primary key,
    version bigint not null,
    one bigint not null check (one >= 0),
    two bigint not null check (two >= 0),
    three bigint not null check (three >= 0),
    four bigint not null check (four >= 0),
    five bigint not null check (five >= 0)
);

-- What was delivered. buyer is the SHA-256 of the e-mail address: it is compared, never read.
create table review_purchases (
    order_id uuid not null,
    product_id uuid not null,
    customer_id uuid,
    buyer text not null,
    primary key (order_id, product_id)
);
create index review_purchases_customer on review_purchases (customer_id, product_id) where customer_id is not null;
create index review_purchases_guest on review_purchases (buyer) where customer_id is null;
