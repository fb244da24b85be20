-- What the metadata module says of products, as it said it last: data is its event.
create table field_definitions (
    id uuid primary key,
    version bigint not null,
    data text not null
);

create table product_fields (
    product_id uuid primary key,
    version bigint not null,
    data text not null
);
