//! Mails on their way between databases.

use contracts::{customer::CustomerEntity, notification::MailEntity};
use shared::transfer::{KIND, Kind, id, plain, time};

use super::MAILS;

pub const KINDS: &[Kind] = &[Kind {
    table: "mails",
    key: &[id::<MailEntity>("id").called("_id")],
    members: &[
        plain("dedupe_key").called("event"),
        id::<CustomerEntity>("customer_id").optional(),
        plain("template"),
        plain("recipient").called("to"),
        plain("recipient_name").called("name").optional(),
        plain("subject"),
        plain("text"),
        plain("html"),
        time("created_at"),
        time("sent_at").optional(),
        plain("attempts"),
        time("next_at").optional(),
        plain("last_error").optional(),
    ],
    collection: MAILS,
    ..KIND
}];
