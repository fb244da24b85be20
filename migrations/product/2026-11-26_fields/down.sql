drop table product_fields;
drop table field_definitions;
