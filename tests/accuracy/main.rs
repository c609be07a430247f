//! Measures how far visitors and visits are off, and writes what it finds: `docs/privacy-accuracy.md` and its
//! chart. The same program, the same numbers: everything is drawn from one seed.
//!
//! ```sh
//! cargo run --release --example accuracy
//! ```

#[path = "mod.rs"]
mod accuracy;

fn main() -> std::io::Result<()> {
    let results = tokio::runtime::Runtime::new()?.block_on(accuracy::results());
    for (path, text) in [
        (accuracy::DOCUMENT, accuracy::document(&results)),
        (accuracy::CHART, accuracy::chart(&results)),
    ] {
        std::fs::write(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path), text)?;
    }
    Ok(())
}
