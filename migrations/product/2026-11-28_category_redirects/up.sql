-- Slugs that categories had before, as slug_redirects has them of products.
create table category_redirects (
    slug text primary key,
    category_id uuid not null references categories (id)
);
create index category_redirects_category on category_redirects (category_id);
