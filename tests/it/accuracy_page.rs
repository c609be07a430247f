//! The page about accuracy is what its command writes, and the command can tell right from wrong.

use std::path::Path;

use crate::accuracy::{self, Figures, MASKS, OURS, known, measure};

#[tokio::test]
async fn the_page_about_accuracy_is_what_its_command_writes() {
    let results = accuracy::results().await;
    for (path, text) in [
        (accuracy::DOCUMENT, accuracy::document(&results)),
        (accuracy::CHART, accuracy::chart(&results)),
    ] {
        let kept = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path));
        assert!(
            kept.unwrap() == text,
            "{path} is not what `cargo run --release --example accuracy` writes"
        );
    }
}

#[tokio::test]
async fn the_measurement_finds_what_is_known_beforehand() {
    let alone = Figures { visitors: (60, 60), visits: (60, 60), merged: 0, split: 0 };
    assert_eq!(measure(&known(60, 60), MASKS[OURS]).await, alone);
    let threes = Figures { visitors: (60, 20), visits: (60, 20), merged: 60, split: 0 };
    assert_eq!(measure(&known(60, 20), MASKS[OURS]).await, threes);
    let agents_alone = measure(&known(60, 60), MASKS[4]).await;
    assert_eq!(agents_alone.visitors, (60, 1));
}
