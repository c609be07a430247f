//! The documentation of the reporting API is what the registries say, and that of its numbers names tests.

use std::fs;
use std::path::Path;

#[test]
fn the_documentation_is_what_the_registries_say() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = passerby::query::reference();
    if fs::read_to_string(root.join("docs/api.md")).ok().as_ref() != Some(&reference) {
        fs::write(root.join("target/api.md"), reference).unwrap();
        panic!("docs/api.md is out of date: copy target/api.md over it");
    }
}

#[test]
fn every_point_of_what_numbers_mean_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["src", "tests/it"] {
        read_into(&mut sources, &root.join(folder), "rs");
    }
    let points = points("docs/numbers.md");
    let numbers: Vec<usize> =
        points.iter().filter_map(|cells| cells[1].trim().parse().ok()).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    for cells in &points {
        let names: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty() || cells[1].trim().is_empty(), "{cells:?} names no test");
        for name in names {
            assert!(sources.contains(&format!("fn {name}()")), "there is no test {name}");
        }
    }
}

/// The rows of a document's tables, each as its cells; the first cell is empty, before the first bar.
pub(crate) fn points(document: &str) -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(document)).unwrap();
    text.lines()
        .filter(|line| line.starts_with("| "))
        .map(|line| line.split('|').map(str::to_owned).collect())
        .collect()
}

/// Adds the text of every file of a folder that ends so.
pub(crate) fn read_into(sources: &mut String, folder: &Path, ending: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_into(sources, &path, ending);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            sources.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
