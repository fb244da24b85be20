//! Our tables. The `test` provider's are in `provider/test/books.rs`, because nobody else may touch them.

diesel::table! {
    payments (id) {
        id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        provider -> Text,
        reference -> Nullable<Text>,
        token -> Nullable<Text>,
        status -> Text,
        amount -> BigInt,
        currency -> Text,
        authorized -> BigInt,
        captured -> BigInt,
        refunded -> BigInt,
        capturing -> BigInt,
        refunding -> BigInt,
        closing -> Bool,
        closed -> Bool,
        next_action_url -> Nullable<Text>,
        decline_code -> Nullable<Text>,
        version -> BigInt,
        created_at -> shared::time::SqlTime,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    payment_movements (id) {
        id -> Text,
        payment_id -> shared::ids::SqlId,
        kind -> Text,
        amount -> BigInt,
        reason -> Text,
        state -> Text,
        refusal -> Nullable<Text>,
        created_at -> shared::time::SqlTime,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    ledger_entries (transaction_id, account) {
        transaction_id -> Text,
        account -> Text,
        order_id -> shared::ids::SqlId,
        amount -> BigInt,
        currency -> Text,
        at -> shared::time::SqlTime,
    }
}

diesel::table! {
    payment_webhooks (provider, event_id) {
        provider -> Text,
        event_id -> Text,
        reference -> Text,
        kind -> Text,
        amount -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        body -> Text,
        state -> Text,
        detail -> Nullable<Text>,
        attempts -> Integer,
        next_at -> shared::time::SqlTime,
        received_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    payment_cursors (provider) {
        provider -> Text,
        since -> shared::time::SqlTime,
    }
}
