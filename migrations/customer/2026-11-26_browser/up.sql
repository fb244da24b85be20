create table browser_tokens (
    -- SHA-256 in hexadecimal: the cookie's value itself is stored nowhere.
    hash text primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    created_at timestamptz not null
);
create index browser_tokens_session on browser_tokens (session_id);
