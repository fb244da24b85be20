-- Whether a category has others below it.
create index categories_parent on categories (parent_id);
