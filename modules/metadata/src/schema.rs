//! The tables.

diesel::table! {
    metafield_definitions (id) {
        id -> shared::ids::SqlId,
        owner -> Text,
        namespace -> Text,
        key -> Text,
        version -> BigInt,
        document -> Text,
    }
}

diesel::table! {
    metafield_entities (owner, entity_id) {
        owner -> Text,
        entity_id -> Text,
        version -> BigInt,
    }
}

diesel::table! {
    metafield_values (owner, entity_id, definition_id) {
        owner -> Text,
        entity_id -> Text,
        definition_id -> shared::ids::SqlId,
        value -> Text,
    }
}

diesel::table! {
    content_pages (id) {
        id -> shared::ids::SqlId,
        kind -> Text,
        status -> Text,
        title -> Text,
        haystack -> Text,
        published_at -> Nullable<shared::time::SqlTime>,
        created_at -> shared::time::SqlTime,
        version -> BigInt,
        document -> Text,
    }
}

diesel::table! {
    content_slugs (slug) {
        slug -> Text,
        page_id -> shared::ids::SqlId,
    }
}

diesel::table! {
    shop_settings (version) {
        version -> BigInt,
        document -> Text,
    }
}

diesel::joinable!(content_slugs -> content_pages (page_id));
diesel::allow_tables_to_appear_in_same_query!(content_slugs, content_pages);
diesel::allow_tables_to_appear_in_same_query!(metafield_entities, metafield_values);
