//! On a real Consul agent, if the environment names one: see [`shared::testing::consul`].

use std::{net::TcpListener, path::Path, time::Instant};

use super::*;

struct Agent {
    consul: Consul,
    module: String,
    stop: CancellationToken,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn agent() -> Option<Agent> {
    let Some(url) = shared::testing::consul() else {
        eprintln!("no Consul is named: nothing is tested");
        return None;
    };
    let module = format!("test{}", &shared::telemetry::trace_id()[..8]);
    Some(Agent { consul: Consul::new(&url, None).unwrap(), module, stop: CancellationToken::new() })
}

/// Answers every request with 200 until it is dropped.
struct Ready {
    address: String,
    stop: CancellationToken,
}

impl Ready {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            while let Some(Ok((mut socket, _))) = stopped.run_until_cancelled(listener.accept()).await {
                tokio::spawn(async move {
                    use tokio::io::{AsyncReadExt, AsyncWriteExt};
                    // The agent's request fits into one read.
                    let _length = socket.read(&mut [0; 1024]).await.unwrap_or_default();
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    socket.write_all(answer).await.ok();
                });
            }
        });
        Self { address, stop }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Agent {
    fn entry(&self, address: &str) -> Registration {
        Registration {
            module: self.module.clone(),
            address: address.into(),
            version: "1.2.3".into(),
            tags: vec!["shape=split".into()],
            check_url: format!("http://{address}/readyz"),
            check_interval: Duration::from_secs(1),
            deregister_after: Duration::from_secs(60),
        }
    }

    /// Registers until the token is cancelled.
    fn keep(&self, address: &str) -> (CancellationToken, tokio::task::JoinHandle<()>) {
        let (consul, stop) = (self.consul.clone(), self.stop.child_token());
        let (entries, ended) = (vec![self.entry(address)], stop.clone());
        (stop, tokio::spawn(async move { consul.keep_registered(entries, ended).await }))
    }

    async fn found(&self) -> usize {
        self.consul.passing(&service(&self.module)).await.unwrap().len()
    }
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_process_is_found_until_it_leaves_and_comes_back_when_the_agent_forgets_it() {
    let Some(agent) = agent() else { return };
    let ready = Ready::new();
    let (stop, kept) = agent.keep(&ready.address);
    until("it is found", async || agent.found().await == 1).await;
    let found = agent.consul.passing(&service(&agent.module)).await.unwrap().remove(0);
    assert_eq!((found.address.as_str(), found.version.as_str()), ("127.0.0.1", "1.2.3"));
    let id = format!("v1/agent/service/deregister/{}-{}", agent.module, ready.address);
    agent.consul.answer(agent.consul.ask(Method::PUT, &id)).await.unwrap();
    until("it comes back", async || agent.found().await == 1).await;
    // Who was killed is not registered beside who comes after it.
    kept.abort();
    let (stop_heir, heir) = agent.keep(&ready.address);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(agent.found().await, 1);
    stop_heir.cancel();
    heir.await.unwrap();
    assert_eq!(agent.found().await, 0);
    stop.cancel();
}

#[tokio::test]
async fn whoever_watches_sees_the_dead_go_and_keeps_the_last_good_list() {
    let Some(agent) = agent() else { return };
    let (one, two) = (Ready::new(), Ready::new());
    let (_, _first) = agent.keep(&one.address);
    let (stop, second) = agent.keep(&two.address);
    let mut watch = agent.consul.watch(&service(&agent.module), agent.stop.clone());
    watch.wait_for(|known| known.len() == 2).await.unwrap();
    drop(one);
    let died = Instant::now();
    let left = watch.wait_for(|known| known.len() == 1).await.unwrap()[0].clone();
    assert_eq!(left.id, format!("{}-{}", agent.module, two.address));
    assert!(died.elapsed() < Duration::from_secs(10), "{:?}", died.elapsed());
    stop.cancel();
    second.await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(watch.borrow().len(), 1, "an empty list is no news");
}

#[tokio::test]
async fn one_leads_and_another_takes_over() {
    let Some(agent) = agent() else { return };
    let key = format!("bodega/test/{}", agent.module);
    let (first, second) = (agent.stop.child_token(), agent.stop.child_token());
    let mut one = agent.consul.lead(&key, "one", first.clone());
    one.wait_for(|leads| *leads).await.unwrap();
    let mut two = agent.consul.lead(&key, "two", second);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!*two.borrow());
    first.cancel();
    let begun = Instant::now();
    two.wait_for(|leads| *leads).await.unwrap();
    assert!(!*one.borrow());
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn nginx_is_told_of_every_change() {
    let Some(agent) = agent() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (out, told) = (folder.path().join("upstreams.conf"), folder.path().join("told"));
    let reload = format!("echo x >> {}", told.display());
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
    let (consul, name, file) = (agent.consul.clone(), service(&agent.module), out.clone());
    let stop = agent.stop.clone();
    tokio::spawn(async move { upstreams(&consul, &name, &file, Some(&reload), true, stop).await });
    until("nobody is known", async || read(&out).contains("down;")).await;
    let ready = Ready::new();
    let (_, _kept) = agent.keep(&ready.address);
    until("it is written", async || read(&out).contains(&format!("server {} ", ready.address))).await;
    until("nginx is told twice", async || read(&told).lines().count() == 2).await;
}

#[tokio::test]
async fn what_is_under_a_key_can_be_read() {
    let Some(agent) = agent() else { return };
    let key = format!("bodega/test/{}", agent.module);
    assert_eq!(agent.consul.get(&key).await.unwrap(), None);
    let put = agent.consul.ask(Method::PUT, &format!("v1/kv/{key}")).body("x = 1");
    agent.consul.answer(put).await.unwrap();
    assert_eq!(agent.consul.get(&key).await.unwrap().as_deref(), Some(b"x = 1".as_slice()));
}

#[tokio::test]
async fn settings_of_the_whole_shop_lie_under_those_of_a_process() {
    let Some(agent) = agent() else { return };
    let key = format!("bodega/test/{}", agent.module);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.toml");
    let own = format!(
        "[shop]\nname = \"Here\"\n[consul]\nurl = \"{}\"\nsettings_key = \"{key}\"\n",
        agent.consul.url
    );
    std::fs::write(&file, own).unwrap();
    let load = || crate::Settings::load(Some(&file));
    assert!(load().unwrap_err().detail.contains(&key), "nothing is there yet");
    let shared = "public_url = \"https://shop.example\"\n[shop]\nname = \"Everywhere\"\n";
    let put = agent.consul.ask(Method::PUT, &format!("v1/kv/{key}")).body(shared);
    agent.consul.answer(put).await.unwrap();
    let settings = load().unwrap();
    assert_eq!((settings.public_url.as_str(), settings.shop.name.as_str()), ("https://shop.example", "Here"));
    let put = agent.consul.ask(Method::PUT, &format!("v1/kv/{key}")).body("public_ulr = 1");
    agent.consul.answer(put).await.unwrap();
    assert!(load().unwrap_err().detail.contains("public_ulr"), "a wrong key is an error wherever it is");
}

#[test]
fn a_wrong_address_is_named() {
    assert!(Consul::new("consul:8500", None).is_err());
    let entry = Registration {
        module: "order".into(),
        address: "nowhere".into(),
        version: "1".into(),
        tags: Vec::new(),
        check_url: "http://nowhere/readyz".into(),
        check_interval: Duration::from_secs(1),
        deregister_after: Duration::from_secs(60),
    };
    assert!(entry.body().unwrap_err().detail.contains("nowhere"));
}
