//! What the module keeps, on its way between databases.

use contracts::metadata::{
    DefinitionEntity,
    content::{ContentPage, PageEntity},
};
use shared::transfer::{Form, KIND, Kind, Part, id, json, number_id, plain, time};

use super::{definitions::DEFINITIONS, fields::ENTITIES, pages::PAGES, settings::VERSIONS};

/// A definition's `held` stays behind: it only makes transactions meet.
pub const KINDS: &[Kind] = &[
    Kind {
        table: "metafield_definitions",
        key: &[id::<DefinitionEntity>("id").called("_id")],
        members: &[plain("owner"), plain("namespace"), plain("key"), plain("version"), plain("document")],
        collection: DEFINITIONS,
        ..KIND
    },
    Kind {
        table: "metafield_entities",
        key: &[plain("owner"), plain("entity_id")],
        members: &[plain("version")],
        parts: &[Part {
            table: "metafield_values",
            key: &["owner", "entity_id"],
            form: Form::Documents("values", &[id::<DefinitionEntity>("definition_id"), plain("value")]),
            also: None,
        }],
        collection: ENTITIES,
        ..KIND
    },
    Kind {
        table: "content_pages",
        key: &[id::<PageEntity>("id").called("_id")],
        members: &[
            plain("kind"),
            plain("status"),
            plain("title"),
            plain("haystack"),
            time("published_at"),
            time("created_at"),
            plain("version"),
            json::<ContentPage>("document").called("page"),
        ],
        parts: &[Part {
            table: "content_slugs",
            key: &["page_id"],
            form: Form::Values("slugs", plain("slug")),
            also: None,
        }],
        collection: PAGES,
        ..KIND
    },
    Kind {
        table: "shop_settings",
        key: &[number_id("version")],
        members: &[plain("document")],
        collection: VERSIONS,
        ..KIND
    },
];
