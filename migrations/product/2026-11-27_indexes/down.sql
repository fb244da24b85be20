drop index categories_parent;
