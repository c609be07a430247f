//! docs/threats.md has every threat, and names tests that there are.

use std::path::Path;

use crate::query::reference::{points, read_into};

/// The cells that name tests: those that keep a promise, and their controls.
const TESTS: usize = 4;
const CONTROLS: usize = 5;

/// Whether a test has the name: a function that is marked as one, or one of the browser's.
fn is_there(sources: &str, name: &str) -> bool {
    let is_test = |(at, _)| {
        let line = sources[..at].rfind('\n').map_or(0, |end| end + 1);
        let above = sources[..line].lines().rev().map(str::trim);
        let mut above = above.take_while(|line| !line.is_empty() && *line != "}");
        above.any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
    };
    sources.match_indices(&format!("fn {name}(")).any(is_test)
        || sources.contains(&format!("test('{name}'"))
}

#[test]
fn every_threat_has_tests_that_there_are_and_a_control() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = String::new();
    for folder in ["src", "tests/it", "tests/faults"] {
        read_into(&mut sources, &root.join(folder), "rs");
    }
    for entry in ["tests/browser", "deploy/check"] {
        for file in std::fs::read_dir(root.join(entry)).unwrap().flatten() {
            if file.file_name().to_string_lossy().ends_with(".test.mjs") {
                sources.push_str(&std::fs::read_to_string(file.path()).unwrap());
            }
        }
    }
    let points = points("docs/threats.md");
    let threats: Vec<_> = points.iter().filter(|cells| cells[1].trim().starts_with('T')).collect();
    let mut numbers: Vec<u32> =
        threats.iter().map(|cells| cells[1].trim()[1..].parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=28).collect::<Vec<_>>());
    for cells in threats {
        assert_eq!(cells.len(), CONTROLS + 2, "{cells:?}");
        let names = |cell: usize| cells[cell].split('`').skip(1).step_by(2);
        assert!(names(TESTS).next().is_some(), "{} names no test", cells[1]);
        assert!(!cells[CONTROLS].trim().is_empty(), "{} has no control", cells[1]);
        for name in names(TESTS).chain(names(CONTROLS)) {
            assert!(is_there(&sources, name), "{}: there is no test {name}", cells[1]);
        }
    }
    // The control: a test that there is not is not found, though this one names it, and neither is a function that is none.
    assert!(!is_there(&sources, "a_test_that_nobody_wrote"));
    assert!(!is_there(&sources, "is_there"));
    assert!(is_there(&sources, "every_threat_has_tests_that_there_are_and_a_control"));
}
