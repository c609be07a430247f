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
fn what_is_pure_does_no_input_or_output_and_does_not_log() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for module in ["beacon", "enrich", "judge", "query", "event.rs"] {
        let mut paths = Vec::new();
        let path = root.join(module);
        if path.is_dir() {
            sources(&path, &mut paths)
        } else {
            paths.push(path)
        }
        assert!(!paths.is_empty());
        for path in paths {
            let code = code(&path);
            for name in
                ["tracing::", "std::fs", "std::net", "Timestamp::now", "SystemTime", "tokio::net"]
            {
                assert!(!code.contains(name), "{} names {name}", path.display());
            }
        }
    }
}
