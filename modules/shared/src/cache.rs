//! Ready responses in memory: bytes, tagged by entity, loaded once however many ask.
//!
//! Freshness is a matter of order, not of clocks. Every drop of a tag gets the next generation; every
//! entry remembers the generation at which its load began. An entry is stale when one of its tags was
//! dropped later than that, so a load that read the database before a drop can never be served after it.

#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io::Write,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use moka::{future::Cache as Memory, ops::compute::Op};
use sha2::{Digest, Sha256};

use crate::{
    Error, Result,
    redis::{Kept, Redis},
};

/// Bodies up to this many bytes fit in one packet and are not worth compressing.
const COMPRESS_ABOVE: usize = 1024;

/// How old an entry may be while other instances' drops cannot be heard.
const UNHEARD: Duration = Duration::from_secs(1);

/// How many dropped tags are remembered one by one; about 2 MiB.
const MAX_DROPPED_TAGS: usize = 65_536;

/// What a load yields.
#[derive(Clone, Debug, Default)]
pub struct Fresh {
    /// The media type, such as `application/json`.
    pub content_type: String,
    /// The response body.
    pub body: Vec<u8>,
    /// What the body shows, such as `product:<id>`: dropping any of these makes it stale.
    pub tags: Vec<String>,
    /// What has to be known to send the body and is not in it, such as a page's script nonce.
    pub note: String,
    /// Something that is not essential is missing for a moment: this process keeps it for a second, and no other.
    pub partial: bool,
}

/// A response that is ready to be sent.
#[derive(Debug)]
pub struct Entry {
    /// The media type, such as `application/json`.
    pub content_type: String,
    /// The body as loaded.
    pub body: Bytes,
    /// A strong entity tag of `body`, with its quotes.
    pub etag: String,
    /// As loaded.
    pub note: String,
    partial: bool,
    compressed: OnceLock<Compressed>,
    compressing: AtomicBool,
    /// Hashes, because equal hashes of different tags only cost a load too many.
    tags: Box<[u64]>,
    /// The generation at which the load began.
    loaded_at: u64,
    /// When it was made.
    made: Instant,
    /// The latest generation at which the entry was found fresh, so that a hit between two drops compares one number.
    checked_at: AtomicU64,
}

#[derive(Debug, Default)]
struct Compressed {
    gzip: Option<Bytes>,
    brotli: Option<Bytes>,
}

impl Entry {
    fn new(fresh: Fresh, loaded_at: u64, hash: impl Fn(&str) -> u64) -> Self {
        Self {
            etag: format!("\"{}\"", BASE64URL_NOPAD.encode(&Sha256::digest(&fresh.body)[..18])),
            content_type: fresh.content_type,
            note: fresh.note,
            partial: fresh.partial,
            body: fresh.body.into(),
            compressed: OnceLock::new(),
            compressing: AtomicBool::new(false),
            tags: fresh.tags.iter().map(|tag| hash(tag)).collect(),
            loaded_at,
            made: Instant::now(),
            checked_at: AtomicU64::new(loaded_at),
        }
    }

    /// The body for `Content-Encoding: gzip`, once it is there: see [`Cache::get_or_insert`].
    pub fn gzip(&self) -> Option<&Bytes> {
        self.compressed.get()?.gzip.as_ref()
    }

    /// The body for `Content-Encoding: br`, once it is there: see [`Cache::get_or_insert`].
    pub fn brotli(&self) -> Option<&Bytes> {
        self.compressed.get()?.brotli.as_ref()
    }

    /// What to send to a client with these `If-None-Match` and `Accept-Encoding` headers (empty when absent).
    pub fn negotiate(&self, if_none_match: &str, accept_encoding: &str) -> Negotiated {
        let matches = |tag: &str| tag == "*" || tag.trim_start_matches("W/") == self.etag;
        if if_none_match.split(',').map(str::trim).any(matches) {
            return Negotiated::NotModified;
        }
        let accepts = |coding: &str| accept_encoding.split(',').any(|entry| takes(entry, coding));
        match (self.brotli(), self.gzip()) {
            (Some(body), _) if accepts("br") => Negotiated::Body { coding: Some("br"), body: body.clone() },
            (_, Some(body)) if accepts("gzip") => {
                Negotiated::Body { coding: Some("gzip"), body: body.clone() }
            }
            _ => Negotiated::Body { coding: None, body: self.body.clone() },
        }
    }

    /// What the entry may come to occupy: each compressed form is at most half of the body.
    fn weight(&self) -> u32 {
        let forms = if self.body.len() > COMPRESS_ABOVE { 2 } else { 1 };
        let rest = size_of::<Self>() + self.etag.len() + self.tags.len() * size_of::<u64>();
        u32::try_from(self.body.len() * forms + rest).unwrap_or(u32::MAX)
    }
}

/// An entry as one client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Negotiated {
    /// The client has it already: 304.
    NotModified,
    /// The body, with its `Content-Encoding` if it has one.
    Body { coding: Option<&'static str>, body: Bytes },
}

/// One entry of `Accept-Encoding`: `gzip`, `gzip;q=0.5`, but not `gzip;q=0`.
fn takes(entry: &str, coding: &str) -> bool {
    let (name, quality) = entry.split_once(';').unwrap_or((entry, "q=1"));
    let quality = quality.trim().trim_start_matches("q=").parse::<f32>().unwrap_or(1.0);
    name.trim() == coding && quality > 0.0
}

/// How well a cache does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Requests answered from memory.
    pub hits: u64,
    /// Requests that had to wait for a load, their own or another's.
    pub misses: u64,
    /// Entries in memory, approximately.
    pub entries: u64,
    /// Bytes they occupy, approximately.
    pub bytes: u64,
}

/// A cache of ready responses. A clone is another handle to the same cache.
#[derive(Clone)]
pub struct Cache {
    here: Arc<Inner>,
    /// What several instances share.
    shared: Option<Redis>,
}

struct Inner {
    memory: Memory<String, Arc<Entry>>,
    ttl: Duration,
    /// The latest generation whose drop is visible in `dropped`.
    generation: AtomicU64,
    dropped: RwLock<Dropped>,
    hasher: RandomState,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Dropped {
    /// The generation of each tag's last drop.
    tags: HashMap<u64, u64>,
    /// Drops up to this generation are forgotten, so whatever was loaded before it counts as stale.
    floor: u64,
}

impl Cache {
    /// Keeps at most about `max_bytes`, and no entry longer than `ttl`.
    ///
    /// With Redis, a miss looks there first, and a drop is a drop for all instances. While their drops cannot be heard,
    /// no entry is older than a second.
    pub fn new(max_bytes: u64, ttl: Duration, shared: Option<Redis>) -> Self {
        let memory = Memory::builder()
            .max_capacity(max_bytes)
            .weigher(|key: &String, entry: &Arc<Entry>| {
                entry.weight().saturating_add(u32::try_from(key.len()).unwrap_or(u32::MAX))
            })
            .time_to_live(ttl)
            .build();
        let here = Arc::new(Inner {
            memory,
            ttl,
            generation: AtomicU64::new(0),
            dropped: RwLock::default(),
            hasher: RandomState::new(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        });
        if let Some(redis) = &shared {
            let here = Arc::downgrade(&here);
            redis.when_lost(Arc::new(move || {
                if let Some(here) = here.upgrade() {
                    here.drop_all();
                }
            }));
        }
        Self { here, shared }
    }

    /// The same entries, for those who hear what another instance has dropped: it has told Redis already.
    #[must_use]
    pub fn unshared(&self) -> Self {
        Self { here: self.here.clone(), shared: None }
    }

    /// The entry under `key`; `load` makes it if it is absent or stale.
    ///
    /// Of all who ask at the same time one loads, and the others wait for its entry or its error. Errors
    /// are not kept. The answer is never older than the call: a load that a drop has overtaken is repeated.
    /// The first hit of a body above 1 KiB has it compressed in the background, so that a body nobody
    /// asks for twice costs nothing; whoever comes before that gets the plain body.
    ///
    /// # Errors
    /// Whatever `load` answers.
    pub async fn get_or_insert(
        &self,
        key: &str,
        load: impl AsyncFnOnce() -> Result<Fresh>,
    ) -> Result<Arc<Entry>> {
        let inner = &*self.here;
        if let Some(entry) = inner.memory.get(key).await
            && inner.is_fresh(&entry)
            && !self.is_unsure(&entry)
        {
            inner.hits.fetch_add(1, Ordering::Relaxed);
            compress_once(&entry);
            return Ok(entry);
        }
        inner.misses.fetch_add(1, Ordering::Relaxed);
        let asked_at = inner.generation.load(Ordering::Acquire);
        let mut load = Some(load);
        loop {
            let entry = inner
                .memory
                .try_get_with_by_ref(key, async {
                    let loaded_at = inner.generation.load(Ordering::Acquire);
                    let load =
                        load.take().expect("a caller's own load begins after the call and ends the loop");
                    let fresh = self.load(key, load).await?;
                    Ok(Arc::new(Entry::new(fresh, loaded_at, |tag| inner.hasher.hash_one(tag))))
                })
                .await
                .map_err(|error: Arc<Error>| Error::clone(&error))?;
            let unsure = self.is_unsure(&entry);
            if !unsure && (entry.loaded_at >= asked_at || inner.is_fresh(&entry)) {
                return Ok(entry);
            }
            inner.remove(key, |entry| !inner.is_fresh(entry) || self.is_unsure(entry)).await;
        }
    }

    /// From Redis, or by `load` and then into Redis.
    async fn load(&self, key: &str, load: impl AsyncFnOnce() -> Result<Fresh>) -> Result<Fresh> {
        let Some(redis) = &self.shared else { return load().await };
        match redis.kept(key).await {
            Kept::Answer(fresh) => Ok(fresh),
            Kept::Nothing(began) => {
                let fresh = load().await?;
                if !fresh.partial {
                    redis.keep(key, &fresh, began, self.here.ttl);
                }
                Ok(fresh)
            }
            Kept::Unknown => load().await,
        }
    }

    /// Whether another instance may have dropped it unheard, or what it lacks may be there again.
    fn is_unsure(&self, entry: &Entry) -> bool {
        let unheard = self.shared.as_ref().is_some_and(|redis| !redis.is_up());
        (unheard || entry.partial) && entry.made.elapsed() > UNHEARD
    }

    /// Makes every entry with this tag stale, at once and in constant time.
    ///
    /// Call it after the change is committed. When it returns, no later call gets what was loaded before.
    pub fn drop_tag(&self, tag: &str) {
        self.here.drop_tag(tag);
        if let Some(redis) = &self.shared {
            redis.drop_tag(tag);
        }
    }

    /// Makes every entry of this process stale: something may have been missed.
    pub fn drop_all(&self) {
        self.here.drop_all();
    }

    /// How well it does.
    pub fn stats(&self) -> Stats {
        Stats {
            hits: self.here.hits.load(Ordering::Relaxed),
            misses: self.here.misses.load(Ordering::Relaxed),
            entries: self.here.memory.entry_count(),
            bytes: self.here.memory.weighted_size(),
        }
    }
}

impl Inner {
    fn is_fresh(&self, entry: &Entry) -> bool {
        let generation = self.generation.load(Ordering::Acquire);
        if entry.checked_at.load(Ordering::Relaxed) >= generation {
            return true;
        }
        // A panic cannot leave the map half changed in a way that matters, so poison is ignored.
        let dropped = self.dropped.read().unwrap_or_else(PoisonError::into_inner);
        let overtaken = |tag| dropped.tags.get(tag).is_some_and(|dropped_at| *dropped_at > entry.loaded_at);
        let fresh = entry.loaded_at >= dropped.floor && !entry.tags.iter().any(overtaken);
        if fresh {
            entry.checked_at.fetch_max(generation, Ordering::Relaxed);
        }
        fresh
    }

    fn drop_tag(&self, tag: &str) {
        let mut dropped = self.dropped.write().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation.load(Ordering::Relaxed) + 1;
        dropped.tags.insert(self.hasher.hash_one(tag), generation);
        if dropped.tags.len() > MAX_DROPPED_TAGS {
            dropped.forget_older_half();
        }
        // Published last and under the lock: who sees the generation also finds its tag in the map.
        self.generation.store(generation, Ordering::Release);
    }

    /// Makes every entry stale.
    fn drop_all(&self) {
        let mut dropped = self.dropped.write().unwrap_or_else(PoisonError::into_inner);
        let generation = self.generation.load(Ordering::Relaxed) + 1;
        dropped.floor = generation;
        dropped.tags.clear();
        self.generation.store(generation, Ordering::Release);
    }

    /// Removes the entry only if it is still as bad, so that nobody's newer load is lost.
    async fn remove(&self, key: &str, is_bad: impl Fn(&Entry) -> bool) {
        let stale = async |entry: Option<moka::Entry<String, Arc<Entry>>>| match entry {
            Some(entry) if is_bad(entry.value()) => Op::Remove,
            _ => Op::Nop,
        };
        self.memory.entry_by_ref(key).and_compute_with(stale).await;
    }
}

impl Dropped {
    /// Keeps the memory bounded, at the price of reloading what has not been loaded since.
    fn forget_older_half(&mut self) {
        let mut generations: Vec<u64> = self.tags.values().copied().collect();
        let middle = generations.len() / 2;
        self.floor = *generations.select_nth_unstable(middle).1;
        self.tags.retain(|_, generation| *generation > self.floor);
    }
}

/// Compresses a body worth it once, off the threads that answer.
fn compress_once(entry: &Arc<Entry>) {
    if entry.body.len() <= COMPRESS_ABOVE
        || entry.compressing.load(Ordering::Relaxed)
        || entry.compressing.swap(true, Ordering::Relaxed)
    {
        return;
    }
    let entry = Arc::clone(entry);
    tokio::task::spawn_blocking(move || {
        let half = entry.body.len() / 2;
        let keep =
            |form: std::io::Result<Vec<u8>>| form.ok().filter(|form| form.len() <= half).map(Bytes::from);
        entry
            .compressed
            .get_or_init(|| Compressed { gzip: keep(gzip(&entry.body)), brotli: keep(brotli(&entry.body)) });
    });
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(5));
    encoder.write_all(body)?;
    encoder.finish()
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    const BUFFER: usize = 4096;
    const QUALITY: u32 = 5;
    const WINDOW: u32 = 20;
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), BUFFER, QUALITY, WINDOW);
    encoder.write_all(body)?;
    Ok(encoder.into_inner())
}
