//! A mail as it is kept, and when it is tried again.

use std::time::Duration;

use contracts::{
    customer::CustomerId,
    notification::{Mail, MailId},
};
use shared::{Time, events::EventId};

/// A day: what could not be sent for so long is given up.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A mail to be sent because of an event.
#[derive(Clone, Debug)]
pub struct NewMail {
    pub mail: Mail,
    /// The person's name, cleaned.
    pub name: Option<String>,
    /// Whose mail it is.
    pub customer_id: Option<CustomerId>,
    /// What caused it.
    pub event: EventId,
}

/// A mail whose time has come.
#[derive(Clone, Debug)]
pub struct DueMail {
    pub mail: Mail,
    pub name: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When its time came: who has seen this may claim it.
    pub next_at: Time,
}

impl DueMail {
    /// When to try again after a failure at `now`: after 10 s, 20 s, … an hour. `None` when it is a day old by then.
    pub fn retry_at(&self, now: Time) -> Option<Time> {
        let exponent = self.attempts.clamp(0, 9).unsigned_abs();
        let pause = Duration::from_secs((10 << exponent).min(3600));
        let next = now.after(pause);
        (next.since(self.mail.created_at) < PATIENCE).then_some(next)
    }
}

/// A person's name for a mail's header: one line, without control characters.
pub fn header_name(name: &str) -> Option<String> {
    let clean: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(100).collect();
    Some(clean.trim().to_owned()).filter(|name| !name.is_empty())
}

/// A person's name for "Hello". Names are chosen by strangers, and a mail of ours must not carry their link or offer.
pub fn greeting_name(name: &str) -> Option<String> {
    let name = header_name(name)?;
    let dots = name.split('.').skip(1).any(|after| after.starts_with(|c: char| c.is_alphanumeric()));
    let advertises = dots || name.contains([':', '/', '@', '\\']) || name.chars().count() > 60;
    (!advertises).then_some(name)
}

/// The position of a mail in the list.
pub type Position = (Time, MailId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(header_name("Ada\r\nBcc: all@example.com").as_deref(), Some("Ada  Bcc: all@example.com"));
        assert_eq!(header_name(" \u{0} "), None);
    }

    #[test]
    fn a_name_that_advertises_is_left_out() {
        for good in ["Ada Lovelace", "Dr. Ada King", "Ada K.", "Żółć", "<b>Bob"] {
            assert_eq!(greeting_name(good).as_deref(), Some(good));
        }
        for bad in ["visit evil.com now", "https://evil", "a@b", "x".repeat(61).as_str(), "evil.com"] {
            assert_eq!(greeting_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_mail_is_tried_for_a_day_and_ever_more_seldom() {
        let mut now = Time::from_micros(0);
        let mail = Mail {
            id: MailId::new(),
            template: String::new(),
            to: String::new(),
            subject: String::new(),
            text: String::new(),
            html: String::new(),
            created_at: now,
            sent_at: None,
        };
        let mut due = DueMail { mail, name: None, attempts: 0, next_at: now };
        let mut pauses = Vec::new();
        while let Some(next) = due.retry_at(now) {
            pauses.push(next.since(now).as_secs());
            (now, due.attempts) = (next, due.attempts + 1);
        }
        assert_eq!(pauses[..4], [10, 20, 40, 80]);
        assert!(pauses.is_sorted() && pauses.last() == Some(&3600));
        assert!((23 * 3600..24 * 3600).contains(&now.since(due.mail.created_at).as_secs()));
    }
}
