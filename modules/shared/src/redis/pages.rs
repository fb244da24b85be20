//! Ready answers that instances share.
//!
//! An entry remembers the server's time before its load began; every drop of a tag writes the server's time of the
//! drop. An entry is believed if none of its tags was dropped at or after its beginning, and if the epoch is the one
//! that it began in: a flush ends the epoch, because it takes the record of drops with it.

use std::time::Duration;

use deadpool_redis::redis;
use serde::{Deserialize, Serialize};

use super::{Redis, link::Message};
use crate::cache::Fresh;

/// What is larger stays in the process that made it.
const LARGEST: usize = 1 << 20;

/// An answer on its way through Redis.
#[derive(Serialize, Deserialize)]
struct Stored {
    content_type: String,
    note: String,
    tags: Vec<String>,
    body: Vec<u8>,
    began: Beginning,
}

/// When and in which epoch a load began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beginning {
    epoch: String,
    /// µs by the server's clock.
    at: i64,
}

/// What Redis has for a key.
pub(crate) enum Kept {
    /// An answer that may be given.
    Answer(Fresh),
    /// None; what is loaded now may be kept with this.
    Nothing(Beginning),
    /// Redis does not help.
    Unknown,
}

impl Redis {
    /// What is kept under `key`.
    pub(crate) async fn kept(&self, key: &str) -> Kept {
        if self.0.lost.load(std::sync::atomic::Ordering::Acquire) {
            return Kept::Unknown;
        }
        let mut look = redis::pipe();
        let epoch = self.key("epoch", "");
        look.cmd("GET").arg(self.key("page", key));
        // The first who comes after a flush begins an epoch.
        look.cmd("SET").arg(&epoch).arg(self.0.instance_epoch()).arg("NX").ignore();
        look.cmd("GET").arg(&epoch);
        look.cmd("TIME");
        let Some((stored, epoch, (seconds, micros))) =
            self.ask::<(Option<Vec<u8>>, String, (i64, i64))>(&look).await
        else {
            return Kept::Unknown;
        };
        let began = Beginning { epoch, at: seconds * 1_000_000 + micros };
        let stored = stored.and_then(|bytes| postcard::from_bytes::<Stored>(&bytes).ok());
        match stored {
            Some(stored) if stored.began.epoch == began.epoch => self.believed(stored, began).await,
            _ => Kept::Nothing(began),
        }
    }

    async fn believed(&self, stored: Stored, now: Beginning) -> Kept {
        let mut look = redis::pipe();
        let dropped = look.cmd("MGET");
        for tag in &stored.tags {
            dropped.arg(self.key("drop", tag));
        }
        let drops = match stored.tags.is_empty() {
            true => Vec::new(),
            false => match self.ask::<(Vec<Option<i64>>,)>(&look).await {
                Some((drops,)) => drops,
                None => return Kept::Unknown,
            },
        };
        // Looked at last: a drop of this process is in here before it is in Redis.
        let overtaken = self.is_dropping(&stored.tags);
        if overtaken || drops.into_iter().flatten().any(|at| at >= stored.began.at) {
            return Kept::Nothing(now);
        }
        let Stored { content_type, note, tags, body, .. } = stored;
        Kept::Answer(Fresh { content_type, body, tags, note, partial: false })
    }

    /// Keeps an answer, in the background: nobody waits for it.
    pub(crate) fn keep(&self, key: &str, fresh: &Fresh, began: Beginning, ttl: Duration) {
        if fresh.body.len() > LARGEST {
            return;
        }
        let stored = Stored {
            content_type: fresh.content_type.clone(),
            note: fresh.note.clone(),
            tags: fresh.tags.clone(),
            body: fresh.body.clone(),
            began,
        };
        let Ok(bytes) = postcard::to_allocvec(&stored) else { return };
        // Not all at once: what was made together would be made anew together.
        let seconds = ttl.mul_f64(rand::random_range(0.8..=1.0)).as_secs().max(1);
        let mut keep = redis::pipe();
        keep.cmd("SET").arg(self.key("page", key)).arg(bytes).arg("EX").arg(seconds).ignore();
        let redis = self.clone();
        tokio::spawn(async move { redis.ask::<()>(&keep).await });
    }

    /// Tells the others, and whoever looks later, that what has this tag is stale.
    pub(crate) fn drop_tag(&self, tag: &str) {
        let mut dropping = self.0.dropping.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *dropping.entry(tag.to_owned()).or_default() += 1;
        drop(dropping);
        self.send(Message::Drop(tag.to_owned()));
    }

    fn is_dropping(&self, tags: &[String]) -> bool {
        let dropping = self.0.dropping.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        self.0.lost.load(std::sync::atomic::Ordering::Acquire)
            || tags.iter().any(|tag| dropping.contains_key(tag))
    }
}

impl super::Inner {
    /// A name that no epoch had before.
    pub(super) fn instance_epoch(&self) -> String {
        format!("{}-{}", self.instance, self.started.elapsed().as_nanos())
    }
}
