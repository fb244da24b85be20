//! How mails leave.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use contracts::notification::MailId;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
};
use secrecy::ExposeSecret;
use shared::{Error, Result};

use crate::{Settings, TransportKind, mail::DueMail};

/// A mail server that says nothing for so long is taken for dead.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Sends mails from one address.
pub struct Transport {
    from: Mailbox,
    out: Out,
}

enum Out {
    File(PathBuf),
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
}

impl Transport {
    /// Fails on a sender that is no address, and on `smtp` without a usable URL.
    pub fn new(settings: &Settings) -> Result<Self> {
        let from = settings.from.parse().map_err(Error::internal)?;
        let out = match (settings.transport, &settings.smtp_url) {
            (TransportKind::File, _) => Out::File(settings.folder.clone()),
            (TransportKind::Smtp, Some(url)) => {
                let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret());
                Out::Smtp(builder.map_err(Error::internal)?.timeout(Some(TIMEOUT)).build())
            }
            (TransportKind::Smtp, None) => return Err(Error::internal("the smtp transport needs smtp_url")),
        };
        Ok(Self { from, out })
    }

    /// Sends a mail. The same mail sent twice has one `Message-ID`, and in a folder one file.
    pub async fn send(&self, due: &DueMail) -> Result<()> {
        let message = self.message(due)?;
        match &self.out {
            Out::File(folder) => {
                tokio::fs::create_dir_all(folder).await.map_err(Error::internal)?;
                tokio::fs::write(file(folder, due.mail.id), message.formatted())
                    .await
                    .map_err(Error::internal)
            }
            Out::Smtp(smtp) => smtp.send(message).await.map(|_| ()).map_err(Error::internal),
        }
    }

    /// Removes what is left of a mail here. What was sent to others is theirs.
    pub async fn forget(&self, id: MailId) -> Result<()> {
        let Out::File(folder) = &self.out else { return Ok(()) };
        match tokio::fs::remove_file(file(folder, id)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::internal(error)),
            _ => Ok(()),
        }
    }

    /// Addresses and headers are lettre's types: whatever a name contains, it stays one header.
    fn message(&self, due: &DueMail) -> Result<Message> {
        let mail = &due.mail;
        let to: Address = mail.to.parse().map_err(Error::internal)?;
        let micros = u64::try_from(mail.created_at.micros()).unwrap_or_default();
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(due.name.clone(), to))
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .subject(mail.subject.clone())
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(Error::internal)
    }
}

fn file(folder: &Path, id: MailId) -> PathBuf {
    folder.join(format!("{id}.eml"))
}
