drop index sessions_revoked;
drop index sessions_last_used;
