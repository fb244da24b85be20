alter table products drop column rating_sequence;
alter table products drop column rating_count;
alter table products drop column rating_average;
