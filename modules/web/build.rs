//! Prepares the assets: joins style sheets, scripts and icons, names every file after its content, compresses it, and
//! refuses a build whose files have grown beyond their budgets (`UI.md` 6).

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Gzip and Brotli limits in bytes: the first view of the storefront stays small.
const CSS_GZIP: usize = 14 * 1024;
const ADMIN_CSS_GZIP: usize = 8 * 1024;
const SCRIPTS_BROTLI: usize = 20 * 1024;
const FONT: usize = 32 * 1024;

#[expect(clippy::disallowed_methods, reason = "cargo tells build programs where to write by the environment")]
fn main() {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=locales");
    println!("cargo::rerun-if-changed=build.rs");
    let target = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("assets");
    if target.exists() {
        fs::remove_dir_all(&target).expect("the folder is ours");
    }
    fs::create_dir_all(&target).expect("the folder is ours");
    let mut assets = Assets { target, names: BTreeMap::new() };

    let font = assets.add("sans.woff2", read("assets/sans.woff2"));
    within("the font", font.plain, FONT);
    for name in files("assets/images") {
        assets.add(&name, read(&format!("assets/images/{name}")));
    }
    assets.add("icons.svg", sprite("assets/icons"));
    let css = assets.linked(joined("assets/css"));
    within("app.css, gzip", assets.add("app.css", css).gzip, CSS_GZIP);
    let css = assets.linked(joined("assets/css/admin"));
    within("admin.css, gzip", assets.add("admin.css", css).gzip, ADMIN_CSS_GZIP);
    let htmx = assets.add("htmx.js", read("assets/vendor/htmx.min.js"));
    let app = assets.add("app.js", joined("assets/js/app"));
    within("the storefront's scripts, brotli", htmx.brotli + app.brotli, SCRIPTS_BROTLI);
    let admin = assets.add("admin.js", joined("assets/js/admin"));
    within("the admin's scripts, brotli", htmx.brotli + app.brotli + admin.brotli, SCRIPTS_BROTLI + 8 * 1024);
    assets.write_names();
}

/// How large a file is, as it is and compressed.
struct Sizes {
    plain: usize,
    gzip: usize,
    brotli: usize,
}

struct Assets {
    target: PathBuf,
    /// From `app.css` to `app.0123456789abcdef.css`.
    names: BTreeMap<String, String>,
}

impl Assets {
    fn add(&mut self, name: &str, bytes: Vec<u8>) -> Sizes {
        let hash = HEXLOWER.encode(&Sha256::digest(&bytes)[..8]);
        let (stem, extension) = name.rsplit_once('.').expect("an asset has an extension");
        let hashed = format!("{stem}.{hash}.{extension}");
        let (mut gzip, mut brotli) = (0, 0);
        if matches!(extension, "css" | "js" | "svg" | "webmanifest") {
            let packed = gzipped(&bytes);
            gzip = packed.len();
            self.write(&format!("{hashed}.gz"), &packed);
            let packed = brotlied(&bytes);
            brotli = packed.len();
            self.write(&format!("{hashed}.br"), &packed);
        }
        self.write(&hashed, &bytes);
        self.names.insert(name.to_owned(), hashed);
        Sizes { plain: bytes.len(), gzip, brotli }
    }

    /// A style sheet with `url(sans.woff2)` turned into the hashed name.
    fn linked(&self, css: Vec<u8>) -> Vec<u8> {
        let mut css = String::from_utf8(css).expect("style sheets are UTF-8");
        for (name, hashed) in &self.names {
            css = css.replace(&format!("url({name})"), &format!("url({hashed})"));
        }
        css.into_bytes()
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.target.join(name), bytes).expect("the folder is ours");
    }

    /// `names.rs`: the table from names to hashed names.
    fn write_names(&self) {
        let rows: String =
            self.names.iter().map(|(name, hashed)| format!("({name:?}, {hashed:?}),\n")).collect();
        let source = format!("&[\n{rows}]\n");
        fs::write(self.target.with_file_name("names.rs"), source).expect("the folder is ours");
    }
}

/// Fails the build: a page that grows a little every week is slow one day.
fn within(what: &str, size: usize, limit: usize) {
    assert!(size <= limit, "{what}: {size} bytes, but the budget is {limit} (UI.md 6)");
}

fn read(path: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names of the files in a folder, sorted; none when there is no such folder.
fn files(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// All files of a folder, one after the other in the order of their names.
fn joined(folder: &str) -> Vec<u8> {
    let mut whole = Vec::new();
    for name in files(folder) {
        whole.extend_from_slice(&read(&format!("{folder}/{name}")));
        whole.push(b'\n');
    }
    whole
}

/// One sprite of all icons: each file becomes a symbol of its name.
fn sprite(folder: &str) -> Vec<u8> {
    let mut sprite = String::from("<svg xmlns=\"http://www.w3.org/2000/svg\">");
    for name in files(folder) {
        let path = Path::new(folder).join(&name);
        let Some(id) = name.strip_suffix(".svg") else { continue };
        let icon = fs::read_to_string(&path).expect("icons are UTF-8");
        let open = icon.find("<svg").and_then(|at| icon[at..].find('>').map(|end| at + end + 1));
        let (Some(open), Some(close)) = (open, icon.rfind("</svg>")) else { panic!("{name} is no icon") };
        let body: Vec<&str> = icon[open..close].split_whitespace().collect();
        sprite.push_str(&format!("<symbol id=\"{id}\" viewBox=\"0 0 24 24\">{}</symbol>", body.join(" ")));
    }
    sprite.push_str("</svg>");
    sprite.into_bytes()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn brotlied(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams::default();
    brotli::BrotliCompress(&mut &bytes[..], &mut packed, &parameters).expect("memory takes everything");
    packed
}
