//! The tables.

diesel::table! {
    reviews (id) {
        id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
        customer_id -> Nullable<shared::ids::SqlId>,
        status -> Text,
        rating -> BigInt,
        helpful -> BigInt,
        reports -> BigInt,
        version -> BigInt,
        created_at -> shared::time::SqlTime,
        updated_at -> shared::time::SqlTime,
        document -> Text,
    }
}

diesel::table! {
    review_votes (review_id, customer_id) {
        review_id -> shared::ids::SqlId,
        customer_id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
    }
}

diesel::table! {
    review_reports (review_id, customer_id) {
        review_id -> shared::ids::SqlId,
        customer_id -> shared::ids::SqlId,
        reason -> Text,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    review_aggregates (product_id) {
        product_id -> shared::ids::SqlId,
        version -> BigInt,
        one -> BigInt,
        two -> BigInt,
        three -> BigInt,
        four -> BigInt,
        five -> BigInt,
    }
}

diesel::table! {
    review_purchases (order_id, product_id) {
        order_id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
        customer_id -> Nullable<shared::ids::SqlId>,
        buyer -> Text,
    }
}
