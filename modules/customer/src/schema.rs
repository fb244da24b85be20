//! Tables.

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    accounts (id) {
        id -> SqlId,
        email -> Text,
        name -> Text,
        name_lower -> Text,
        password_hash -> Nullable<Text>,
        email_verified -> Bool,
        customer_group -> Nullable<Text>,
        created_at -> SqlTime,
        updated_at -> SqlTime,
        version -> BigInt,
        deleted_at -> Nullable<SqlTime>,
    }
}

diesel::table! {
    roles (name) {
        name -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    role_permissions (role, permission) {
        role -> Text,
        permission -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::ids::SqlId;

    staff_roles (account_id, role) {
        account_id -> SqlId,
        role -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    sessions (id) {
        id -> SqlId,
        account_id -> SqlId,
        user_agent -> Nullable<Text>,
        created_at -> SqlTime,
        last_used_at -> SqlTime,
        expires_at -> SqlTime,
        revoked_at -> Nullable<SqlTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    refresh_tokens (hash) {
        hash -> Text,
        session_id -> SqlId,
        created_at -> SqlTime,
        used_at -> Nullable<SqlTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    browser_tokens (hash) {
        hash -> Text,
        session_id -> SqlId,
        created_at -> SqlTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    addresses (id) {
        id -> SqlId,
        account_id -> SqlId,
        address -> Text,
        created_at -> SqlTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    mailed_tokens (id) {
        id -> SqlId,
        account_id -> SqlId,
        purpose -> Text,
        email -> Text,
        created_at -> SqlTime,
        expires_at -> SqlTime,
        used_at -> Nullable<SqlTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use shared::time::SqlTime;

    signing_keys (kid) {
        kid -> Text,
        seed -> Text,
        created_at -> SqlTime,
    }
}

diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(browser_tokens -> sessions (session_id));
diesel::allow_tables_to_appear_in_same_query!(
    accounts,
    staff_roles,
    role_permissions,
    sessions,
    refresh_tokens,
    browser_tokens
);
