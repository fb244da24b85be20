drop table shop_settings;
drop table content_slugs;
drop table content_pages;
drop table metafield_values;
drop table metafield_entities;
drop table metafield_definitions;
