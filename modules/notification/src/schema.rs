//! Tables.

diesel::table! {
    use diesel::sql_types::*;
    use shared::{ids::SqlId, time::SqlTime};

    mails (id) {
        id -> SqlId,
        dedupe_key -> Text,
        customer_id -> Nullable<SqlId>,
        template -> Text,
        recipient -> Text,
        recipient_name -> Nullable<Text>,
        subject -> Text,
        text -> Text,
        html -> Text,
        created_at -> SqlTime,
        sent_at -> Nullable<SqlTime>,
        attempts -> Integer,
        next_at -> Nullable<SqlTime>,
        last_error -> Nullable<Text>,
    }
}
