//! The rules of the sources that keep the wall: what clippy bans, once more as a test, because a lint can
//! be switched off beside the line that breaks it.

use std::path::{Path, PathBuf};

/// What only `src/privacy` may name: types that hold an address, ways to one, and headers that carry one.
const BEHIND_THE_WALL: [&str; 9] = [
    "IpAddr",
    "Ipv4Addr",
    "Ipv6Addr",
    ".ip()",
    "tokio::net::{TcpListener",
    "x-forwarded-for",
    "cf-connecting-ip",
    "USER_AGENT",
    "\"user-agent\"",
];

/// What is pure. `crate::site` and what is below it may be known there.
const PURE: [&str; 5] = ["beacon", "enrich", "judge", "query", "event.rs"];

/// What nothing pure may name: files, the network, other processes and threads, the environment, clocks, chance, the log, and the
/// parts of the program that have any of them.
const NOT_PURE: [&str; 32] = [
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio::fs",
    "tokio::net",
    "tokio::spawn",
    "tokio::task",
    "tokio::time",
    "hyper::",
    "clickhouse::",
    "rustix::",
    "getrandom",
    "rand::",
    "SystemTime",
    "Timestamp::now",
    "Instant::now",
    "time::Instant",
    "tracing::",
    "log::",
    "println!",
    "crate::app",
    "crate::clock",
    "crate::config",
    "crate::http",
    "crate::outgoing",
    "crate::privacy",
    "crate::spool",
    "crate::store",
    "crate::telemetry",
];

pub(crate) fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file, without its comments.
pub(crate) fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect()
}

#[test]
fn nothing_but_the_wall_names_an_address() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let (inside, outside): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| path.starts_with(root.join("privacy")));
    let inside: String = inside.iter().map(|path| code(path)).collect();
    for name in BEHIND_THE_WALL {
        assert!(
            inside.contains(name),
            "`{name}` is not found where it must be: the search does not work"
        );
        for path in &outside {
            assert!(!code(path).contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn what_is_pure_does_no_input_or_output_knows_no_clock_and_does_not_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let all = |directories: &[&str]| {
        let mut paths = Vec::new();
        directories.iter().for_each(|directory| sources(&root.join(directory), &mut paths));
        paths
    };
    let places = PURE.map(|place| root.join("src").join(place));
    let is_pure = |path: &PathBuf| places.iter().any(|place| path.starts_with(place));
    let (pure, others): (Vec<_>, Vec<_>) = all(&["src", "tests"]).into_iter().partition(is_pure);
    for place in &places {
        assert!(pure.iter().any(|path| path.starts_with(place)), "{} is empty", place.display());
    }
    // This file has all of the names.
    let others = others.iter().filter(|path| !path.ends_with("it/wall.rs"));
    let others: String = others.map(|path| code(path)).collect();
    let pure: Vec<_> = pure.iter().map(|path| (path, code(path))).collect();
    for name in NOT_PURE {
        assert!(others.contains(name), "`{name}` is found nowhere: the search does not work");
        for (path, code) in &pure {
            assert!(!code.contains(name), "{} names {name}", path.display());
        }
    }
}
