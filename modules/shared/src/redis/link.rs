//! What instances tell each other: the events that each has committed, for their caches and open pages.

use std::{
    sync::{Arc, PoisonError, atomic::Ordering},
    time::Duration,
};

use deadpool_redis::redis;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Redis, SILENCE};
use crate::{db::Watcher, events::Envelope, jobs::Jobs};

/// Records of drops outlive every entry that they could be about.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Messages sent with one command.
const BATCH: usize = 100;

/// A subscription that hears nothing is asked for a sign of life this often.
const PULSE: Duration = Duration::from_secs(2);

pub(super) enum Message {
    Events(Vec<Envelope>),
    Drop(String),
}

/// On the wire.
#[derive(Serialize, Deserialize)]
enum Said {
    Events(Vec<Envelope>),
    /// Something was lost: forget everything.
    Reset,
}

impl Redis {
    /// Sends what this process commits to the others: to be watched by every database.
    pub fn watcher(&self) -> Watcher {
        let redis = Arc::downgrade(&self.0);
        Arc::new(move |events: &[Envelope]| {
            if let Some(inner) = redis.upgrade() {
                Redis(inner).send(Message::Events(events.to_vec()));
            }
        })
    }

    /// Calls `watcher` with what other processes have committed.
    pub fn watch(&self, watcher: Watcher) {
        self.0.watchers.write().unwrap_or_else(PoisonError::into_inner).push(watcher);
    }

    /// Calls `forget` when something may have been missed.
    pub fn when_lost(&self, forget: Arc<dyn Fn() + Send + Sync>) {
        self.0.forget_all.write().unwrap_or_else(PoisonError::into_inner).push(forget);
    }

    /// Starts sending and listening.
    pub fn start(&self, jobs: &Jobs) {
        let queued = self.0.queued.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(queued) = queued {
            jobs.spawn_graceful("redis.send", self.clone().sender(queued, jobs.token()));
        }
        jobs.spawn_graceful("redis.listen", self.clone().listener(jobs.token()));
    }

    pub(super) fn send(&self, message: Message) {
        // Nobody takes messages in a tool that does not serve: then nothing shared is believed either.
        let _ = self.0.outgoing.send(message);
    }

    async fn sender(self, mut queued: mpsc::UnboundedReceiver<Message>, stop: CancellationToken) {
        let mut batch = Vec::new();
        // A process that died may have said less than it did: whoever starts lets everybody begin anew.
        self.deliver(Vec::new()).await;
        loop {
            tokio::select! {
                biased;
                count = queued.recv_many(&mut batch, BATCH) => if count == 0 { return },
                () = stop.cancelled() => return,
                () = tokio::time::sleep(SILENCE), if self.0.lost.load(Ordering::Acquire) => {}
            }
            self.deliver(std::mem::take(&mut batch)).await;
        }
    }

    /// Sends a batch; if that fails, all must forget everything before anything shared is believed again.
    async fn deliver(&self, batch: Vec<Message>) {
        let lost = self.0.lost.load(Ordering::Acquire);
        let (mut commands, mut events, mut tags) = (redis::pipe(), Vec::new(), Vec::new());
        for message in batch {
            match message {
                Message::Events(new) => events.extend(new),
                Message::Drop(tag) => tags.push(tag),
            }
        }
        if lost {
            commands.cmd("SET").arg(self.key("epoch", "")).arg(self.0.instance_epoch()).ignore();
            self.publish(&mut commands, &Said::Reset);
        }
        for tag in &tags {
            // The server's time, so that beginnings and drops are measured by one clock.
            commands
                .cmd("EVAL")
                .arg("local t = redis.call('TIME') redis.call('SET', KEYS[1], string.format('%.0f', t[1] * 1000000 + t[2]), 'EX', ARGV[1])")
                .arg(1)
                .arg(self.key("drop", tag))
                .arg(REMEMBERED.as_secs())
                .ignore();
        }
        if !events.is_empty() {
            self.publish(&mut commands, &Said::Events(events));
        }
        let delivered = self.ask::<()>(&commands).await.is_some();
        self.0.lost.store(!delivered, Ordering::Release);
        let mut dropping = self.0.dropping.lock().unwrap_or_else(PoisonError::into_inner);
        for tag in tags {
            if let std::collections::hash_map::Entry::Occupied(mut count) = dropping.entry(tag) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }

    fn publish(&self, commands: &mut redis::Pipeline, said: &Said) {
        if let Ok(text) = serde_json::to_string(&(&self.0.instance, said)) {
            commands.cmd("PUBLISH").arg(self.channel()).arg(text).ignore();
        }
    }

    fn channel(&self) -> String {
        self.key("said", "")
    }

    async fn listener(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let heard = tokio::select! {
                () = stop.cancelled() => Ok(()),
                heard = self.listen() => heard,
            };
            self.0.hears.store(false, Ordering::Release);
            if let Err(error) = heard {
                tracing::warn!(%error, "no word from the other instances; trying again");
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(SILENCE) => {}
            }
        }
    }

    /// Hears the others until the connection ends.
    async fn listen(&self) -> redis::RedisResult<()> {
        let connecting = tokio::time::timeout(PULSE, self.0.client.get_async_pubsub());
        let (mut sink, mut said) = connecting.await.map_err(|_| late())??.split();
        tokio::time::timeout(PULSE, sink.subscribe(self.channel())).await.map_err(|_| late())??;
        // What was said meanwhile was not heard.
        self.forget_all();
        self.0.hears.store(true, Ordering::Release);
        loop {
            match tokio::time::timeout(PULSE, said.next()).await {
                Ok(Some(message)) => self.hear(&message.get_payload::<String>()?),
                Ok(None) => return Ok(()),
                // A connection that died without a word would be silent for ever.
                Err(_) => {
                    tokio::time::timeout(PULSE, sink.ping::<()>()).await.map_err(|_| late())??;
                }
            }
        }
    }

    fn hear(&self, text: &str) {
        match serde_json::from_str::<(String, Said)>(text) {
            Ok((instance, _)) if instance == self.0.instance => {}
            Ok((_, Said::Events(events))) => {
                let watchers = self.0.watchers.read().unwrap_or_else(PoisonError::into_inner).clone();
                watchers.iter().for_each(|watcher| watcher(&events));
            }
            Ok((_, Said::Reset)) => self.forget_all(),
            Err(error) => {
                tracing::warn!(%error, "another instance said something unknown");
                self.forget_all();
            }
        }
    }

    fn forget_all(&self) {
        let forget = self.0.forget_all.read().unwrap_or_else(PoisonError::into_inner).clone();
        forget.iter().for_each(|forget| forget());
    }
}

fn late() -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::Io, "no answer in time"))
}
