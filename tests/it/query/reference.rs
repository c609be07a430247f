//! The documentation of the reporting API is what the registries say.

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
