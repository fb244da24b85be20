//! Mails that the shop sends.

use serde::{Deserialize, Serialize};
use shared::{Id, Page, PageRequest, Time, ids::Entity, port};

/// Names a mail.
pub enum MailEntity {}
impl Entity for MailEntity {
    const PREFIX: &'static str = "mail";
    const NOUN: &'static str = "mail";
}
/// A mail's id.
pub type MailId = Id<MailEntity>;

port! {
    /// What was sent to whom. Mails are caused by events only.
    pub trait Notifications as "notification" repeats [mails, mail] {
        /// Newest first; `to` narrows to one address.
        async fn mails(&self, to: Option<String>, page: PageRequest) -> Page<Mail>;
        /// One mail.
        async fn mail(&self, id: MailId) -> Mail;
    }
}

/// A mail, queued or sent.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Mail {
    pub id: MailId,
    /// What it is about: `order_placed`, `password_reset`, …
    pub template: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub created_at: Time,
    /// Absent while it waits.
    pub sent_at: Option<Time>,
}
