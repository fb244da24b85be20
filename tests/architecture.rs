//! The invariants of `docs/ARCHITECTURE.md` that can be read off the manifests and the file names.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{Metadata, MetadataCommand, Package};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The crates that are not a domain of the shop.
const CONTRACTS: &str = "contracts";
const SHARED: &str = "shared";
const EDGES: [&str; 2] = ["gateway", "web"];

/// What may stand beside dotfiles at the top.
const TOP_LEVEL: [&str; 13] = [
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "build.rs",
    "config",
    "docs",
    "migrations",
    "modules",
    "nginx.conf",
    "src",
    "tests",
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["common", "helpers", "mod", "prelude", "types", "utils"];

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(Path::new(ROOT).join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo reads the manifest that this test was built from")
}

fn modules(workspace: &Metadata) -> Vec<&Package> {
    workspace.workspace_packages().into_iter().filter(|package| package.name.as_str() != "bodega").collect()
}

fn root(workspace: &Metadata) -> &Package {
    workspace.root_package().expect("the top manifest is a package")
}

/// The crates of this workspace that `package` depends on, tests and build scripts included.
fn ours(package: &Package) -> Vec<&str> {
    package.dependencies.iter().filter(|d| d.path.is_some()).map(|d| d.name.as_str()).collect()
}

/// Every Rust source below `folder`.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder exists").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The names at the top that belong to the project.
fn top_level() -> Vec<String> {
    let git = Command::new("git").args(["-C", ROOT, "ls-files", "-z"]).output();
    let mut names: Vec<String> = match git {
        Ok(git) if git.status.success() && !git.stdout.is_empty() => String::from_utf8_lossy(&git.stdout)
            .split_terminator('\0')
            .filter_map(|path| path.split('/').next().map(str::to_owned))
            .collect(),
        // Outside a checkout, such as in an archive of the sources, only what a build leaves behind is foreign.
        _ => fs::read_dir(ROOT)
            .expect("the test was built from this folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name != "target" && name != "data")
            .collect(),
    };
    names.sort();
    names.dedup();
    names
}

#[test]
fn a_module_knows_only_contracts_and_shared() {
    let workspace = workspace();
    for module in modules(&workspace) {
        let allowed: &[&str] = match module.name.as_str() {
            SHARED => &[],
            CONTRACTS => &[SHARED],
            _ => &[CONTRACTS, SHARED],
        };
        for dependency in ours(module) {
            assert!(allowed.contains(&dependency), "{} must not depend on {dependency}", module.name);
        }
    }
}

#[test]
fn a_shop_in_one_process_contains_no_broker_and_no_registry() {
    let tree = |features: &[&str]| {
        let arguments = ["tree", "--package", "bodega", "--edges", "normal", "--prefix", "none", "--offline"];
        let tree = Command::new(env!("CARGO")).current_dir(ROOT).args(arguments).args(features).output();
        let tree = tree.expect("cargo runs");
        assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
        String::from_utf8(tree.stdout).expect("names are text")
    };
    let has = |tree: &str, package: &str| tree.lines().any(|line| line.split(' ').next() == Some(package));
    let (alone, split) = (tree(&[]), tree(&["--features", "distributed"]));
    for package in ["lapin", "reqwest", "recloser", "tower"] {
        assert!(!has(&alone, package), "{package} is in the shop without the feature");
        assert!(has(&split, package), "{package} is not in the shop with the feature");
    }
}

#[test]
fn the_root_wires_every_module() {
    let workspace = workspace();
    let wired = ours(root(&workspace));
    for module in modules(&workspace) {
        assert!(wired.contains(&module.name.as_str()), "nobody wires {}", module.name);
    }
}

#[test]
fn only_the_edges_speak_http() {
    let workspace = workspace();
    for module in modules(&workspace) {
        let http = module.dependencies.iter().find(|d| d.name == "actix-web" || d.name == "actix-http");
        assert!(
            EDGES.contains(&module.name.as_str()) || http.is_none(),
            "{} must not depend on {}",
            module.name,
            http.map_or("", |d| &d.name)
        );
    }
}

#[test]
fn a_module_is_a_folder_of_its_name_and_inherits_the_lints() {
    let workspace = workspace();
    for module in modules(&workspace) {
        let folder = Path::new(ROOT).join("modules").join(module.name.as_str());
        assert_eq!(module.manifest_path, folder.join("Cargo.toml"));
        let manifest = fs::read_to_string(&module.manifest_path).expect("cargo has just read it");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has its own lints", module.name);
    }
}

#[test]
fn a_table_belongs_to_one_module() {
    let mut owners = BTreeMap::new();
    let workspace = workspace();
    for module in modules(&workspace) {
        let folder = Path::new(ROOT).join("modules").join(module.name.as_str()).join("src");
        for source in sources(&folder) {
            let text = fs::read_to_string(&source).expect("the source was just listed");
            // Tests may invent tables; the name stands on the line after `table! {`, below its attributes.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            for table in text.split("table! {").skip(1) {
                let declaration = table.lines().map(str::trim).find(|line| {
                    !line.is_empty() && !["#", "//", "use "].iter().any(|p| line.starts_with(p))
                });
                let name = declaration.and_then(|line| line.split([' ', '(']).next()).unwrap_or_default();
                let owner = owners.entry(name.to_owned()).or_insert(&module.name);
                assert_eq!(*owner, &module.name, "{} declares {name} of {owner}", source.display());
            }
        }
    }
}

#[test]
fn nothing_else_is_at_the_top() {
    for name in top_level() {
        assert!(
            name.starts_with('.') || TOP_LEVEL.contains(&name.as_str()),
            "{name} has no place at the top"
        );
    }
}

#[test]
fn every_file_is_named_for_what_it_holds() {
    let folders = ["src", "modules"].map(|folder| sources(&Path::new(ROOT).join(folder)));
    for source in folders.concat() {
        let stem = source.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        assert!(!EMPTY_NAMES.contains(&stem), "{} is named for nothing", source.display());
    }
}
