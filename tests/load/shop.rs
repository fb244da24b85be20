//! The real binary on embedded databases in a temporary folder, or on the servers that the environment names.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use shared::testing;

use crate::client::Client;

/// A list for people, with filters.
pub const LISTING_PAGE: &str = "/search?sort=popular";

/// A running shop with stock that does not run out.
pub struct Shop {
    pub address: SocketAddr,
    pub cold_empty_ms: u128,
    pub cold_full_ms: u128,
    pub slug: String,
    pub variant: String,
    pub shipping_option: String,
    child: Child,
    _data: Data,
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the shop keeps everything.
struct Data {
    _folder: tempfile::TempDir,
    /// What its processes find in their environment, by key.
    settings: Vec<(&'static str, String)>,
}

impl Data {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let mut settings = vec![("data_dir", path.display().to_string())];
        settings.extend(testing::databases(path).await.expect("databases"));
        if let Some(redis) = testing::redis() {
            let namespace = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            settings.extend([("cache.url", redis), ("cache.namespace", namespace)]);
        }
        Self { _folder: folder, settings }
    }
}

impl Shop {
    /// Starts on an empty folder (measured), loads the demo shop (and `products` more), starts again (measured).
    pub async fn start(products: Option<u64>) -> Self {
        let data = Data::new().await;
        let address = free_address();
        let (mut child, cold_empty_ms) = serve(&data, address).await;
        let _ = child.kill();
        let _ = child.wait();
        run(&data, &["seed", "--format", "json"]);
        if let Some(products) = products {
            run(&data, &["seed", "--products", &products.to_string(), "--format", "json"]);
        }
        let (child, cold_full_ms) = serve(&data, address).await;
        let mut shop = Self {
            address,
            cold_empty_ms,
            cold_full_ms,
            slug: String::new(),
            variant: String::new(),
            shipping_option: String::new(),
            child,
            _data: data,
        };
        shop.prepare().await;
        shop
    }

    /// The product for people.
    pub fn page_path(&self) -> String {
        format!("/products/{}", self.slug)
    }

    pub fn product_path(&self) -> String {
        format!("/api/v1/products/{}", self.slug)
    }

    /// What a path answers.
    pub async fn body(&self, path: &str) -> Vec<u8> {
        Client::connect(self.address).await.expect("the shop listens").get(path).await.body
    }

    /// Resident memory of the server.
    pub fn memory_mb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or("0");
        line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
    }

    /// Picks a product and gives it a million units.
    async fn prepare(&mut self) {
        let mut client = Client::connect(self.address).await.expect("the shop listens");
        let login = r#"{"email":"owner@example.com","password":"bodega-owner"}"#;
        let session = client.post("/api/v1/sessions", "", login).await.json();
        let bearer = format!("Authorization: Bearer {}\r\n", text(&session["access_token"]));
        let list = client.get("/api/v1/products?limit=1&q=mug").await.json();
        self.slug = text(&list["data"][0]["slug"]);
        let product = client.get(&self.product_path()).await.json();
        self.variant = text(&product["variants"][0]["id"]);
        let stock = format!(r#"{{"variant_id":"{}","delta":1000000,"reason":"load test"}}"#, self.variant);
        let adjusted = client.post("/api/v1/admin/inventory/adjustments", &bearer, &stock).await;
        assert_eq!(adjusted.status, 201, "{}", adjusted.json());
        let line = format!(r#"{{"lines":[{{"variant_id":"{}","quantity":1}}]}}"#, self.variant);
        let cart = client.post("/api/v1/carts", "", &line).await.json();
        let to = r#"{"address":{"country":"DE","postal_code":"10115"}}"#;
        let path = format!("/api/v1/carts/{}/shipping_options", text(&cart["id"]));
        let options = client.post(&path, "", to).await.json();
        self.shipping_option = text(&options["data"][0]["id"]);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// An address that nobody listens on right now.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port")
}

fn command(data: &Data) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bodega"));
    for (key, value) in &data.settings {
        command.env(format!("BODEGA__{}", key.to_uppercase().replace('.', "__")), value);
    }
    command.env("BODEGA__LOG__FILTER", "warn");
    command.env("BODEGA__GATEWAY__LIMITS__CHECKOUT_PER_ADDRESS", "1000000000");
    command
}

fn run(data: &Data, arguments: &[&str]) {
    let status = command(data).args(arguments).stdout(Stdio::null()).status().expect("the binary runs");
    assert!(status.success(), "bodega {arguments:?} failed");
}

#[expect(
    clippy::zombie_processes,
    reason = "the caller waits for it; a shop that never became ready ends the program"
)]
async fn serve(data: &Data, address: SocketAddr) -> (Child, u128) {
    let started = Instant::now();
    let mut command = command(data);
    command.env("BODEGA__DEMO", "false").env("BODEGA__SERVER__LISTEN", address.to_string());
    let child = command.arg("serve").stdout(Stdio::null()).spawn().expect("the binary runs");
    while started.elapsed() < Duration::from_secs(60) {
        if let Ok(mut client) = Client::connect(address).await
            && client.get("/readyz").await.status == 200
        {
            return (child, started.elapsed().as_millis());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the shop did not become ready");
}
