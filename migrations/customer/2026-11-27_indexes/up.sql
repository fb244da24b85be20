-- Sessions are forgotten by any of three times; that of expiry has an index already.
create index sessions_last_used on sessions (last_used_at);
create index sessions_revoked on sessions (revoked_at) where revoked_at is not null;
