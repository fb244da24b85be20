//! The tables.

diesel::table! {
    carts (id) {
        id -> shared::ids::SqlId,
        version -> BigInt,
        customer_id -> Nullable<shared::ids::SqlId>,
        is_current -> Bool,
        document -> Text,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    promotions (id) {
        id -> shared::ids::SqlId,
        code_key -> Nullable<Text>,
        version -> BigInt,
        used -> BigInt,
        usage_limit -> Nullable<BigInt>,
        document -> Text,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    promotion_claims (order_id) {
        order_id -> shared::ids::SqlId,
        released -> Bool,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    promotion_uses (promotion_id, order_id) {
        promotion_id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        customer -> Text,
    }
}

diesel::table! {
    tax_rates (id) {
        id -> shared::ids::SqlId,
        country -> Text,
        region -> Text,
        tax_class -> Text,
        document -> Text,
    }
}
