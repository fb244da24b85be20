create table mails (
    id uuid primary key,
    -- The event that caused it: a second delivery of the event causes no second mail.
    dedupe_key text not null unique,
    -- Whose mail it is: deleted with them.
    customer_id uuid,
    template text not null,
    recipient text not null,
    recipient_name text,
    subject text not null,
    text text not null,
    html text not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    attempts integer not null check (attempts >= 0),
    -- When to try next; none when sent, or given up.
    next_at timestamptz,
    last_error text
);
create index mails_due on mails (next_at) where next_at is not null;
create index mails_newest on mails (created_at, id);
create index mails_recipient on mails (recipient, created_at);
create index mails_customer on mails (customer_id);
