//! The port, and the way of a mail from its event into the queue.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::{
    customer::CustomerId,
    notification::{Mail, MailId, Notifications},
};
use shared::{
    Clock, Database, Page, PageRequest, Result,
    events::{Consumer, EventId},
    jobs::Jobs,
    signer::Signer,
};
use tokio::sync::Notify;

use crate::{
    Settings,
    content::{Content, Writer},
    events::Ear,
    mail::{NewMail, Position, header_name},
    store::{self, Store},
    transport::Transport,
};

/// Writes and sends mails.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) transport: Transport,
    /// Woken when a mail was queued here.
    pub(crate) queued: Notify,
    signer: Signer,
}

impl Service {
    /// `signer` is the one that `customer` checks tokens with. Fails on settings that cannot send mails.
    pub async fn new(
        db: Database,
        clock: Arc<dyn Clock>,
        signer: Signer,
        settings: Settings,
    ) -> Result<Arc<Self>> {
        let transport = Transport::new(&settings)?;
        let store = store::open(db);
        Ok(Arc::new(Self { store, clock, settings, transport, queued: Notify::new(), signer }))
    }

    /// Hears of accounts and orders.
    pub fn consumers(self: &Arc<Self>) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(Ear(self.clone()))]
    }

    /// Starts sending, and the daily forgetting of old mails.
    pub fn start(self: &Arc<Self>, jobs: &Jobs) {
        self.start_sending(jobs);
        let service = self.clone();
        jobs.every_elected("notification.prune", Duration::from_secs(24 * 3600), move || {
            let service = service.clone();
            async move { service.prune().await }
        });
    }

    pub(crate) fn writer(&self) -> Writer<'_> {
        Writer { settings: &self.settings, signer: &self.signer }
    }

    /// Renders a mail and queues it, once per event.
    pub(crate) async fn queue(&self, event: EventId, content: Content) -> Result<()> {
        // What is left of an erased person's address leads nowhere.
        if content.to.as_str().ends_with(".invalid") {
            return Ok(());
        }
        let (text, html) = content.render(&self.settings)?;
        let mail = Mail {
            id: MailId::new(),
            template: content.template.to_owned(),
            to: content.to.to_string(),
            subject: content.subject,
            text,
            html,
            created_at: self.clock.now(),
            sent_at: None,
        };
        let (name, customer_id) = (header_name(&content.name), content.customer_id);
        if self.store.queue(NewMail { mail, name, customer_id, event }).await? {
            self.queued.notify_one();
        }
        Ok(())
    }

    /// Deletes a person's mails. Files first: if the process dies between, the event comes again.
    pub(crate) async fn forget(&self, event: EventId, customer: CustomerId) -> Result<()> {
        let mails = self.store.of_customer(customer).await?;
        for id in &mails {
            self.transport.forget(*id).await?;
        }
        self.store.forget(event, mails).await
    }
}

#[async_trait]
impl Notifications for Service {
    async fn mails(&self, to: Option<String>, page: PageRequest) -> Result<Page<Mail>> {
        let to = to.map(|to| to.trim().to_lowercase()).filter(|to| !to.is_empty());
        let scope = format!("mails:{}", to.as_deref().unwrap_or_default());
        let position: Option<Position> = page.position(&scope)?;
        let limit = page.limit.clamp(1, 100);
        let mails = self.store.list(to, position, i64::from(limit) + 1).await?;
        Ok(Page::cut(mails, limit, &scope, |mail| (mail.created_at, mail.id)))
    }

    async fn mail(&self, id: MailId) -> Result<Mail> {
        self.store.get(id).await?.ok_or_else(MailId::not_found)
    }
}
