-- Documents are what was written; the other columns are what they are found by.
create table metafield_definitions (
    id uuid primary key,
    owner text not null,
    namespace text not null,
    key text not null,
    version bigint not null check (version > 0),
    document text not null,
    unique (owner, namespace, key)
);

-- The entities that have or had values. version makes writes conditional and orders the events.
create table metafield_entities (
    owner text not null,
    entity_id text not null,
    version bigint not null check (version > 0),
    primary key (owner, entity_id)
);

create table metafield_values (
    owner text not null,
    entity_id text not null,
    definition_id uuid not null references metafield_definitions (id),
    value text not null,
    primary key (owner, entity_id, definition_id)
);
create index metafield_values_definition on metafield_values (definition_id, entity_id);

create table content_pages (
    id uuid primary key,
    kind text not null check (kind in ('page', 'journal', 'block')),
    status text not null check (status in ('draft', 'published')),
    title text not null,
    haystack text not null,
    published_at timestamptz,
    created_at timestamptz not null,
    version bigint not null check (version > 0),
    document text not null
);
create index content_pages_newest on content_pages (kind, status, published_at, id);
create index content_pages_titles on content_pages (kind, status, title, id);
create index content_pages_all on content_pages (created_at, id);

-- Every slug that a page has or had: the key decides who gets it.
create table content_slugs (
    slug text primary key,
    page_id uuid not null references content_pages (id)
);
create index content_slugs_page on content_slugs (page_id);

-- A row a version, never changed: the newest is in force. The key decides who writes the next one.
create table shop_settings (
    version bigint primary key check (version > 0),
    document text not null
);
