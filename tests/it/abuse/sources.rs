//! What the sources must not have: ways out, and algorithms that an attacker can slow down.

use std::path::Path;

use crate::wall::{code, sources};

fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&root, &mut paths);
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    let without_tests = |code: String| code.split("\nmod tests {").next().unwrap().to_owned();
    paths.iter().map(|path| (name(path), without_tests(code(path)))).collect()
}

/// The files that name any of these, in order.
fn naming(words: &[&str]) -> Vec<String> {
    let mut found: Vec<_> = files()
        .into_iter()
        .filter(|(_, code)| words.iter().any(|word| code.contains(word)))
        .map(|(name, _)| name)
        .collect();
    found.sort();
    found
}

#[test]
fn nothing_but_the_database_the_commands_and_what_is_configured_opens_a_connection() {
    let ways_out = [
        "client::legacy",
        "client::conn",
        "hyper_rustls",
        ".with_url(",
        "TcpStream::connect",
        "UnixStream::connect",
        "UdpSocket",
        "lookup_host",
        "ToSocketAddrs",
        "SmtpTransport",
    ];
    // In this order: the control socket; mails, to whom the configuration names; those below; `audit`, which sends a
    // beacon to its own collector; the database.
    assert_eq!(naming(&ways_out), WAYS_OUT);
    // `check URL`, which loads the page that the operator names; webhooks and the provider that signs people in, which
    // the configuration names.
    let elsewhere = ["cli/check_page.rs", "notices/webhook.rs", "sign_in/oidc.rs"];
    assert_eq!(naming(&["outgoing::"]), elsewhere);
    for package in ["reqwest", "ureq", "curl", "isahc", "awc", "surf"] {
        assert!(!lock().contains(&format!("name = \"{package}\"")), "{package} opens connections");
    }
}

const WAYS_OUT: [&str; 5] =
    ["http/control.rs", "notices/post.rs", "outgoing.rs", "privacy/canary.rs", "store/client.rs"];

#[test]
fn no_regular_expression_is_matched_by_going_back() {
    for package in ["fancy-regex", "onig", "pcre", "pcre2", "regress"] {
        assert!(!lock().contains(&format!("name = \"{package}\"")), "{package} may take for ever");
    }
    // The control: the search finds the engine that there is, which takes linear time.
    assert!(lock().contains("name = \"regex-automata\""));
}

#[test]
fn no_table_is_hashed_without_a_key() {
    let unkeyed = ["FxHash", "Fnv", "BuildHasherDefault", "DefaultHasher::new()", "ahash::"];
    assert_eq!(naming(&unkeyed), [""; 0]);
    // The control: where a hash is chosen, it is the one with a key.
    assert!(naming(&["RandomState"]).contains(&"limits/rate.rs".to_owned()));
}

fn lock() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap()
}
