//! The tables.

diesel::table! {
    shipping_zones (id) {
        id -> shared::ids::SqlId,
        name -> Text,
    }
}

diesel::table! {
    shipping_zone_countries (country) {
        country -> Text,
        zone_id -> shared::ids::SqlId,
    }
}

diesel::table! {
    shipping_methods (id) {
        id -> shared::ids::SqlId,
        zone_id -> shared::ids::SqlId,
        position -> Integer,
        name -> Text,
        carrier -> Text,
        classes -> Text,
        tiers -> Text,
        free_above -> Text,
        min_days -> BigInt,
        max_days -> BigInt,
    }
}

diesel::table! {
    shipments (id) {
        id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        status -> Text,
        carrier -> Nullable<Text>,
        tracking_number -> Nullable<Text>,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    shipment_lines (shipment_id, line_id) {
        shipment_id -> shared::ids::SqlId,
        line_id -> shared::ids::SqlId,
        quantity -> BigInt,
    }
}

diesel::table! {
    tracking_events (shipment_id, sequence) {
        shipment_id -> shared::ids::SqlId,
        sequence -> BigInt,
        status -> Text,
        description -> Nullable<Text>,
        actor -> Text,
        at -> shared::time::SqlTime,
    }
}

diesel::allow_tables_to_appear_in_same_query!(shipping_zone_countries, shipping_methods);
