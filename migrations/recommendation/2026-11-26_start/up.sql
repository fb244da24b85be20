-- What was done with products. The id is derived from the other columns, so that the same thing is kept once. Both ids are
-- null for somebody who does not want to be remembered.
create table recommendation_interactions (
    id uuid primary key,
    customer_id uuid,
    visitor_id uuid,
    product_id uuid not null,
    kind text not null check (kind in ('view', 'cart_add', 'purchase')),
    at timestamptz not null
);
create index recommendation_interactions_time on recommendation_interactions (at, id);
create index recommendation_interactions_customer on recommendation_interactions (customer_id)
    where customer_id is not null;
create index recommendation_interactions_visitor on recommendation_interactions (visitor_id)
    where visitor_id is not null;

-- Lists that were on a screen. The document holds what was known of each product when it was shown.
create table recommendation_impressions (
    id uuid primary key,
    customer_id uuid,
    visitor_id uuid,
    at timestamptz not null,
    document text not null
);
create index recommendation_impressions_time on recommendation_impressions (at, id);
create index recommendation_impressions_customer on recommendation_impressions (customer_id)
    where customer_id is not null;
create index recommendation_impressions_visitor on recommendation_impressions (visitor_id)
    where visitor_id is not null;

create table recommendation_clicks (
    impression_id uuid not null,
    product_id uuid not null,
    primary key (impression_id, product_id)
);

-- Trained models. A model is cut into parts, as no row should be large.
create table recommendation_models (
    id uuid primary key,
    trained_at timestamptz not null,
    document text not null
);
create index recommendation_models_time on recommendation_models (trained_at, id);

create table recommendation_model_parts (
    model_id uuid not null,
    part bigint not null,
    content text not null,
    primary key (model_id, part)
);
