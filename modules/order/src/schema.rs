//! The tables.

diesel::table! {
    orders (id) {
        id -> shared::ids::SqlId,
        number -> Text,
        cart_id -> shared::ids::SqlId,
        cart_version -> BigInt,
        checkout_key -> Text,
        customer_id -> Nullable<shared::ids::SqlId>,
        email -> Text,
        name -> Text,
        status -> Text,
        payment_status -> Text,
        fulfillment_status -> Text,
        currency -> Text,
        addresses -> Text,
        pricing -> Text,
        payment -> Text,
        payment_sequence -> BigInt,
        subtotal -> BigInt,
        discount_total -> BigInt,
        shipping_total -> BigInt,
        tax_total -> BigInt,
        total -> BigInt,
        captured_total -> BigInt,
        refunded_total -> BigInt,
        prices_include_tax -> Bool,
        line_count -> BigInt,
        units -> BigInt,
        cancel_reason -> Nullable<Text>,
        created_at -> shared::time::SqlTime,
        placed_at -> Nullable<shared::time::SqlTime>,
        updated_at -> shared::time::SqlTime,
        version -> BigInt,
    }
}

diesel::table! {
    order_lines (order_id, id) {
        order_id -> shared::ids::SqlId,
        id -> shared::ids::SqlId,
        position -> BigInt,
        product_id -> shared::ids::SqlId,
        variant_id -> shared::ids::SqlId,
        title -> Text,
        quantity -> BigInt,
        total -> BigInt,
        shipped_quantity -> BigInt,
        refunded_quantity -> BigInt,
        refunding_quantity -> BigInt,
        line -> Text,
    }
}

diesel::table! {
    order_timeline (order_id, version, position) {
        order_id -> shared::ids::SqlId,
        version -> BigInt,
        position -> BigInt,
        at -> shared::time::SqlTime,
        kind -> Text,
        moved_from -> Nullable<Text>,
        moved_to -> Nullable<Text>,
        message -> Nullable<Text>,
        actor -> Text,
    }
}

diesel::table! {
    order_refunds (id) {
        id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        amount -> BigInt,
        lines -> Text,
        reason -> Text,
        status -> Text,
        actor -> Text,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    order_shipments (id) {
        id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        shipment -> Text,
        status -> Text,
        created_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    order_sagas (id) {
        id -> shared::ids::SqlId,
        order_id -> shared::ids::SqlId,
        kind -> Text,
        state -> Text,
        step -> Text,
        version -> BigInt,
        attempts -> BigInt,
        next_at -> shared::time::SqlTime,
        deadline -> shared::time::SqlTime,
        payload -> Text,
        created_at -> shared::time::SqlTime,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    idempotency_keys (scope, key) {
        scope -> Text,
        key -> Text,
        request_hash -> Text,
        state -> Text,
        locked_until -> shared::time::SqlTime,
        claim -> Text,
        answer -> Nullable<Text>,
        created_at -> shared::time::SqlTime,
    }
}

diesel::joinable!(order_lines -> orders (order_id));
diesel::allow_tables_to_appear_in_same_query!(orders, order_lines);
diesel::allow_columns_to_appear_in_same_group_by_clause!(order_lines::product_id, orders::currency);
