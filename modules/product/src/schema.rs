//! The tables of `products`.

diesel::table! {
    products (id) {
        id -> shared::ids::SqlId,
        slug -> Text,
        status -> Text,
        version -> BigInt,
        created_at -> shared::time::SqlTime,
        popularity -> BigInt,
        haystack -> Text,
        data -> Text,
        rating_average -> Double,
        rating_count -> BigInt,
        rating_sequence -> BigInt,
    }
}

diesel::table! {
    product_touches (product_id) {
        product_id -> shared::ids::SqlId,
        touched_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    field_definitions (id) {
        id -> shared::ids::SqlId,
        version -> BigInt,
        data -> Text,
    }
}

diesel::table! {
    product_fields (product_id) {
        product_id -> shared::ids::SqlId,
        version -> BigInt,
        data -> Text,
    }
}

diesel::table! {
    slug_redirects (slug) {
        slug -> Text,
        product_id -> shared::ids::SqlId,
    }
}

diesel::table! {
    variants (id) {
        id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
        sku -> Nullable<Text>,
        title -> Text,
        haystack -> Text,
        tracked -> Bool,
    }
}

diesel::table! {
    categories (id) {
        id -> shared::ids::SqlId,
        slug -> Text,
        title -> Text,
        description -> Text,
        parent_id -> Nullable<shared::ids::SqlId>,
        position -> Integer,
        image -> Nullable<Text>,
        version -> BigInt,
    }
}

diesel::table! {
    category_redirects (slug) {
        slug -> Text,
        category_id -> shared::ids::SqlId,
    }
}

diesel::table! {
    product_categories (category_id, product_id) {
        category_id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
        published -> Bool,
    }
}

diesel::table! {
    collections (id) {
        id -> shared::ids::SqlId,
        slug -> Text,
        title -> Text,
        description -> Text,
    }
}

diesel::table! {
    collection_products (collection_id, product_id) {
        collection_id -> shared::ids::SqlId,
        product_id -> shared::ids::SqlId,
        position -> BigInt,
    }
}

diesel::table! {
    price_lists (id) {
        id -> shared::ids::SqlId,
        name -> Text,
        currency -> Text,
        customer_group -> Nullable<Text>,
        starts_at -> Nullable<shared::time::SqlTime>,
        ends_at -> Nullable<shared::time::SqlTime>,
    }
}

diesel::table! {
    list_prices (list_id, variant_id, min_quantity) {
        list_id -> shared::ids::SqlId,
        variant_id -> shared::ids::SqlId,
        min_quantity -> BigInt,
        amount -> BigInt,
    }
}

diesel::table! {
    locations (id) {
        id -> shared::ids::SqlId,
        name -> Text,
        priority -> Integer,
    }
}

diesel::table! {
    levels (variant_id, location_id) {
        variant_id -> shared::ids::SqlId,
        location_id -> shared::ids::SqlId,
        on_hand -> BigInt,
        reserved -> BigInt,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    movements (id) {
        id -> shared::ids::SqlId,
        variant_id -> shared::ids::SqlId,
        location_id -> shared::ids::SqlId,
        delta -> BigInt,
        kind -> Text,
        reason -> Text,
        order_id -> Nullable<shared::ids::SqlId>,
        actor -> Text,
        at -> shared::time::SqlTime,
    }
}

diesel::table! {
    reservations (order_id) {
        order_id -> shared::ids::SqlId,
        state -> Text,
        expires_at -> shared::time::SqlTime,
        updated_at -> shared::time::SqlTime,
    }
}

diesel::table! {
    reservation_lines (order_id, variant_id, location_id) {
        order_id -> shared::ids::SqlId,
        variant_id -> shared::ids::SqlId,
        location_id -> shared::ids::SqlId,
        quantity -> BigInt,
    }
}

diesel::table! {
    pictures (file) {
        file -> Text,
        due_at -> Nullable<shared::time::SqlTime>,
        tries -> BigInt,
        widths -> Text,
        avif -> Bool,
        color -> Nullable<Text>,
    }
}

diesel::joinable!(levels -> variants (variant_id));
diesel::joinable!(levels -> locations (location_id));
diesel::joinable!(list_prices -> price_lists (list_id));
diesel::joinable!(list_prices -> variants (variant_id));
diesel::joinable!(product_touches -> products (product_id));
diesel::joinable!(variants -> products (product_id));
diesel::joinable!(collection_products -> collections (collection_id));
diesel::allow_tables_to_appear_in_same_query!(
    products,
    product_touches,
    product_fields,
    variants,
    levels,
    locations,
    list_prices,
    price_lists,
    product_categories,
    collection_products,
    collections,
    slug_redirects
);
