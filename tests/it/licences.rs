//! Every dependency has a licence that `deny.toml` allows, and none is banned: crates, and packages of npm.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn list<'a>(deny: &'a toml::Table, table: &str, key: &str) -> &'a Vec<toml::Value> {
    deny[table][key].as_array().unwrap()
}

/// Whether an SPDX expression is met by these licences: all of `AND`, one of `OR`.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let expression = expression.replace('/', " OR ");
    let without_brackets =
        |text: &str| text.trim().trim_start_matches('(').trim_end_matches(')').trim().to_owned();
    expression
        .split(" AND ")
        .all(|part| part.split(" OR ").any(|licence| allowed(&without_brackets(licence))))
}

#[test]
fn an_expression_is_met_by_one_of_its_choices_and_all_of_its_parts() {
    let allowed = |licence: &str| ["MIT", "ISC"].contains(&licence);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT OR GPL-3.0", true),
        ("GPL-3.0/MIT", true),
        ("(MIT OR X) AND ISC", true),
        ("MIT AND GPL-3.0", false),
    ] {
        assert_eq!(is_met(expression, &allowed), expected, "{expression}");
    }
}

fn deny() -> toml::Table {
    toml::from_str(&std::fs::read_to_string(format!("{ROOT}/deny.toml")).unwrap()).unwrap()
}

fn is_allowed(deny: &toml::Table, licence: &str) -> bool {
    let is_listed = |licence: &str| {
        list(deny, "licenses", "allow").iter().any(|allowed| allowed.as_str() == Some(licence))
    };
    is_met(licence, &is_listed)
}

/// What is built here: the program, and the fuzz targets, which have a workspace of their own.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

#[test]
fn every_dependency_may_be_used() {
    for manifest in MANIFESTS {
        check_dependencies_of(manifest);
    }
}

fn check_dependencies_of(manifest: &str) {
    let deny = deny();
    let banned = |name: &str| {
        list(&deny, "bans", "deny").iter().any(|ban| ban["crate"].as_str() == Some(name))
    };
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform=x86_64-unknown-linux-gnu",
            "--manifest-path",
            manifest,
        ])
        .current_dir(ROOT)
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "the list of dependencies was not read");
    for package in packages {
        let (name, licence) =
            (package["name"].as_str().unwrap(), package["license"].as_str().unwrap_or("none"));
        assert!(
            is_allowed(&deny, licence),
            "{name} has the licence {licence}, which deny.toml does not allow"
        );
        assert!(!banned(name), "{name} is banned in deny.toml");
    }
}

/// The lock files of npm in a folder and below, without what is installed or built.
fn locks(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if name == "package-lock.json" {
            found.push(path);
        } else if entry.file_type().unwrap().is_dir()
            && !["node_modules", "target", ".git"].iter().any(|skipped| name == *skipped)
        {
            found.extend(locks(&path));
        }
    }
    found
}

/// The packages of a lock file that may not be used, with their licences.
fn refused(deny: &toml::Table, lock: &Value) -> Vec<String> {
    let packages =
        lock["packages"].as_object().unwrap().iter().filter(|(path, _)| !path.is_empty());
    let licences = packages.map(|(path, package)| (path, package["license"].as_str()));
    licences
        .filter(|(_, licence)| !licence.is_some_and(|licence| is_allowed(deny, licence)))
        .map(|(path, licence)| format!("{path}: {}", licence.unwrap_or("none")))
        .collect()
}

#[test]
fn every_package_of_npm_may_be_used() {
    let deny = deny();
    let locks = locks(Path::new(ROOT));
    for folder in ["beacon", "dashboards/source", "deploy/check", "deploy/engine", "tests/browser"]
    {
        let lock = Path::new(ROOT).join(folder).join("package-lock.json");
        assert!(locks.contains(&lock), "the packages of {folder} were not looked at");
    }
    for path in locks {
        let lock: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let refused = refused(&deny, &lock);
        assert!(refused.is_empty(), "{}: deny.toml does not allow {refused:?}", path.display());
    }
}

#[test]
fn a_package_without_a_licence_or_with_another_is_found() {
    let lock = serde_json::json!({ "packages": {
        "": { "name": "ours" },
        "node_modules/free": { "license": "(MIT OR GPL-3.0)" },
        "node_modules/viral": { "license": "AGPL-3.0-only" },
        "node_modules/silent": {},
    }});
    let expected = ["node_modules/viral: AGPL-3.0-only", "node_modules/silent: none"];
    assert_eq!(refused(&deny(), &lock), expected);
}

/// Packages with their versions, as a lock file has them.
fn locked(path: &str) -> BTreeSet<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let lock: toml::Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let packages = lock["package"].as_array().unwrap();
    let text = |package: &toml::Value, key: &str| package[key].as_str().unwrap().to_owned();
    packages.iter().map(|package| (text(package, "name"), text(package, "version"))).collect()
}

/// Otherwise something else would be fuzzed than what runs, and everything be built twice.
#[test]
fn the_fuzz_targets_have_the_versions_that_the_program_has() {
    let (program, targets) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
    let known: BTreeSet<&String> = program.iter().map(|(name, _)| name).collect();
    let differ: Vec<_> = targets
        .iter()
        .filter(|package| known.contains(&package.0) && !program.contains(*package))
        .collect();
    assert!(
        differ.is_empty(),
        "copy Cargo.lock to fuzz/Cargo.lock and run `cargo metadata` there, for {differ:?}"
    );
    assert!(targets.iter().any(|(name, _)| name == "libfuzzer-sys"), "the lock was not read");
}
