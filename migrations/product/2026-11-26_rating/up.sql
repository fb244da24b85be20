-- What reviews say of a product. Columns of their own: a rating is no change of the document, whose version staff see.
-- rating_sequence is that of the event they come from.
alter table products add column rating_average double precision not null default 0;
alter table products add column rating_count bigint not null default 0;
alter table products add column rating_sequence bigint not null default 0;
