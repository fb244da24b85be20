create table accounts (
    id uuid primary key,
    email text not null unique,
    name text not null,
    -- Lower-cased by us, because SQLite's lower() knows ASCII only.
    name_lower text not null,
    password_hash text,
    email_verified boolean not null,
    customer_group text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    version bigint not null check (version >= 1),
    deleted_at timestamptz
);
create index accounts_newest on accounts (created_at, id) where deleted_at is null;

create table roles (
    name text primary key,
    -- Moves with every change of who holds the role: whoever writes it first decides.
    version bigint not null
);

create table role_permissions (
    role text not null references roles (name) on delete cascade,
    permission text not null,
    primary key (role, permission)
);

create table staff_roles (
    account_id uuid not null references accounts (id),
    role text not null references roles (name),
    primary key (account_id, role)
);
create index staff_roles_role on staff_roles (role);

create table sessions (
    id uuid primary key,
    account_id uuid not null references accounts (id),
    user_agent text,
    created_at timestamptz not null,
    last_used_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
create index sessions_account on sessions (account_id);
create index sessions_expiry on sessions (expires_at);

create table refresh_tokens (
    -- SHA-256 in hexadecimal: the token itself is stored nowhere.
    hash text primary key,
    session_id uuid not null references sessions (id) on delete cascade,
    created_at timestamptz not null,
    used_at timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

create table addresses (
    id uuid primary key,
    account_id uuid not null references accounts (id),
    -- JSON.
    address text not null,
    created_at timestamptz not null
);
create index addresses_account on addresses (account_id);

create table mailed_tokens (
    id uuid primary key,
    -- No foreign key: requests for addresses without an account leave a row too, so that they take as long.
    account_id uuid not null,
    purpose text not null,
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz
);
create index mailed_tokens_account on mailed_tokens (account_id, purpose, created_at);
create index mailed_tokens_expiry on mailed_tokens (expires_at);

create table signing_keys (
    -- The RFC 7638 thumbprint of the public key.
    kid text primary key,
    -- The private key, masked with the shop's secret: a leaked database cannot sign.
    seed text not null,
    created_at timestamptz not null
);
