//! Rules of the house that the compiler does not keep.

use std::path::{Path, PathBuf};

use ecsim::api::error::Code;
use ecsim::api::fidelity::{DIFFERENCES, RULES};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path below the root, and text, of every Rust file in a folder.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).expect("below").to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).expect("text"))).collect()
}

/// From the top down; a room may use those behind it.
const ROOMS: [&str; 15] = [
    "cli", "config", "hooks", "emulator", "handle", "http", "gateway", "services", "metadata", "control", "files",
    "settings", "api", "world", "policy",
];

#[test]
fn arrows_between_rooms_go_down() {
    for (file, text) in sources("src") {
        let place = |room: &str| ROOMS.iter().position(|known| *known == room);
        let Some(own) = place(file["src/".len()..].split(['/', '.']).next().expect("a room")) else { continue };
        for used in text.split("crate::").skip(1) {
            let used = used.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().expect("a name");
            if let Some(used_place) = place(used) {
                assert!(used_place >= own, "{file} looks up to {used}");
            }
        }
    }
}

/// Others would be no places for src/schedules.rs to change the thread at. Numbers that nobody waits for and what is
/// made once are no locks.
#[test]
fn worlds_and_their_files_are_shared_by_the_locks_and_flags_of_one_file() {
    const OTHERS: [&str; 6] = ["parking_lot", "Mutex", "RwLock", "Condvar", "Barrier", "AtomicBool"];
    for (file, text) in sources("src/world").into_iter().chain(sources("src/files")) {
        let mut uses = text.lines().filter(|line| line.contains("std::sync") || line.contains("parking_lot"));
        let has_locks = uses.any(|line| OTHERS.iter().any(|other| line.contains(other)));
        assert_eq!(has_locks, file == "src/world/sync.rs", "{file} has locks of its own");
    }
}

#[test]
fn the_fidelity_page_is_current() {
    let page = std::fs::read_to_string(root().join("docs/fidelity.md")).expect("the page");
    assert!(page == ecsim::cli::fidelity_page(), "stale: cargo run -- fidelity > docs/fidelity.md");
}

#[test]
fn each_rule_names_a_place_a_test_and_a_source_that_exist() {
    let all: String = sources("src").into_iter().chain(sources("tests")).map(|(_, text)| text).collect();
    let spec = |source: &str| {
        let file = source.split(' ').next().expect("a file").trim_end_matches(';');
        assert!(root().join("docs/spec").join(file).is_file(), "{source}");
    };
    for rule in RULES {
        assert!(root().join("src").join(rule.place).is_file(), "{}", rule.place);
        assert!(all.contains(&format!("fn {}(", rule.test)), "{}", rule.test);
        spec(rule.source);
    }
    for row in DIFFERENCES.iter().filter(|row| !row.test.is_empty()) {
        assert!(all.contains(&format!("fn {}(", row.test)), "{}", row.test);
    }
    for code in Code::ALL {
        spec(code.row().source);
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let deny = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let allowed = |name: &str| deny.contains(&format!("\"{name}\","));
    for package in metadata["packages"].as_array().expect("packages") {
        let source = package["source"].as_str();
        assert!(source.is_none_or(|source| source.starts_with("registry+")), "{package}");
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ").replace(['(', ')'], "");
        let passes = licence.split(" OR ").any(|one| one.split(" AND ").all(|part| allowed(part.trim())));
        assert!(passes, "{} is licensed {licence}", package["name"]);
    }
}

/// What a handler says of itself is then the description, and what a route takes.
#[test]
fn control_routes_are_made_of_described_handlers() {
    let routes: Vec<_> = sources("src/control")
        .into_iter()
        .flat_map(|(_, text)| {
            text.lines().filter(|line| line.contains(".route(")).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(routes.iter().all(|route| route.ends_with("any(unknown))")), "{routes:?}");
}
