-- The files of pictures, and their smaller forms.
create table pictures (
    file text primary key,
    -- When its smaller forms may be made. Null: they are made, or cannot be.
    due_at timestamptz,
    tries bigint not null,
    -- Of the forms that there are: 240,480.
    widths text not null,
    avif boolean not null,
    color text
);
create index pictures_due on pictures (due_at) where due_at is not null;
