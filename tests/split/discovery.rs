//! Consul is killed, and has forgotten everything when it is back.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{
    cluster::{PROGRAM, SERVICES, signal, within},
    load::{Load, Traffic},
    shop::Shop,
};

/// How soon everybody is known again, and a new gateway is sent requests.
const KNOWN: Duration = Duration::from_secs(15);

pub async fn f17_consul_is_killed(shop: &Shop) {
    within(KNOWN, "nginx knows both", async || shop.cluster.upstreams().len() == 2).await;
    let before = shop.cluster.upstreams();
    let load = Load::start(shop).await;
    shop.cluster.stop_server("consul", "KILL").await;
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_eq!(shop.cluster.upstreams(), before, "nginx keeps what it knows");
    shop.cluster.server_again("consul").await;
    let services = || SERVICES.into_iter().chain(["gateway", "web"]);
    let known = within(2 * KNOWN, "all are registered", async || {
        let passing =
            futures::future::join_all(services().map(|service| shop.cluster.passing(service))).await;
        passing.iter().all(|count| *count == Some(2))
    })
    .await;
    within(KNOWN, "nginx knows both", async || shop.cluster.upstreams() == before).await;

    let mut gateway = Gateway::start(shop);
    let joined = within(2 * KNOWN, "nginx knows the third", async || {
        shop.cluster.upstreams().contains(&gateway.address)
    })
    .await;
    gateway.end().await;
    within(KNOWN, "nginx has forgotten it", async || shop.cluster.upstreams() == before).await;
    let Traffic { looks, purchases, journal } = load.end().await;
    println!(
        "F17: all registered {known:.1?} after it was back; a new gateway got requests {joined:.1?} after its start"
    );
    println!("F17: looks: {looks}; purchases: {purchases}");
    assert!(looks.served() >= 1.0 && purchases.with_status(201) == purchases.count(), "{looks} {purchases}");
    assert!(known <= KNOWN && joined <= KNOWN, "{known:?} {joined:?}");
    shop.owes_nobody_anything(journal).await;
}

/// One more gateway.
struct Gateway {
    child: Child,
    address: String,
}

impl Gateway {
    fn start(shop: &Shop) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut command = Command::new(&*PROGRAM);
        command.arg("--config").arg(shop.cluster.path().join("shop.toml"));
        command.args(["serve", "--host", "gateway,web", "--listen", &address]);
        command.env("BODEGA__DATA_DIR", shop.cluster.path().join("gateway-1"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, address }
    }

    async fn end(&mut self) {
        signal(self.child.id(), "TERM");
        let child = &mut self.child;
        within(Duration::from_secs(30), "it ends", async || child.try_wait().unwrap().is_some()).await;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
