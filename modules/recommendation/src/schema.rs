//! The tables.

diesel::table! {
    recommendation_interactions (id) {
        id -> shared::ids::SqlId,
        customer_id -> Nullable<shared::ids::SqlId>,
        visitor_id -> Nullable<shared::ids::SqlId>,
        product_id -> shared::ids::SqlId,
        kind -> Text,
        at -> shared::time::SqlTime,
    }
}

diesel::table! {
    recommendation_impressions (id) {
        id -> shared::ids::SqlId,
        customer_id -> Nullable<shared::ids::SqlId>,
        visitor_id -> Nullable<shared::ids::SqlId>,
        at -> shared::time::SqlTime,
        document -> Text,
    }
}

diesel::table! {
    recommendation_clicks (impression_id, product_id) {
        impression_id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
    }
}

diesel::allow_tables_to_appear_in_same_query!(recommendation_impressions, recommendation_clicks);

diesel::table! {
    recommendation_models (id) {
        id -> shared::ids::SqlId,
        trained_at -> shared::time::SqlTime,
        document -> Text,
    }
}

diesel::table! {
    recommendation_model_parts (model_id, part) {
        model_id -> shared::ids::SqlId,
        part -> BigInt,
        content -> Text,
    }
}
