//! The demo shop, in this process.

use std::sync::Arc;

use bodega::{App, seed::Progress};
use shared::time::system_clock;

use crate::harness::{Running, Shape, run, settings};

/// Who has some orders to look at.
pub const SHOPPER: (&str, &str) = ("shopper@example.com", "bodega-shopper");
pub const OWNER: (&str, &str) = ("owner@example.com", "bodega-owner");
pub const SUPPORT: (&str, &str) = ("support@example.com", "bodega-support");

/// A running shop with the demo's catalogue, people and orders, in a temporary folder of its own.
pub struct DemoShop {
    pub base: String,
    pub app: Arc<App>,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl DemoShop {
    /// Pictures stay as they are: making them smaller takes a core for a minute, which is not what is tested.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let more = [("product.picture_forms", "false")];
        let (app, address, running) = run(settings(folder.path(), Shape::InProcess, &more).await).await;
        bodega::demo::load(&app.ports, &*system_clock(), &Progress::new(false)).await.unwrap();
        app.search_idle().await.unwrap();
        Self { base: format!("http://{address}"), app, _running: running, _folder: folder }
    }
}
