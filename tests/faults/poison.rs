//! A row that ClickHouse will never take.

use rand::RngExt;

use crate::chance;
use crate::load::Sender;
use crate::oracle::{Fate, Oracle};
use crate::rig::{Rig, Start, quarantined};
use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_row_is_put_aside_alone_and_loaded_when_it_is_none_any_more() {
    let mut chance = chance("poisoned rows");
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let poisoned: [u64; 3] =
        std::array::from_fn(|third| 300 * third as u64 + chance.random_range(1..300));
    let paths = poisoned.map(|event| format!("'{}'", Oracle::path(event))).join(",");
    let poison = format!(
        "ALTER TABLE events ADD COLUMN poison UInt8 MATERIALIZED throwIf(pathname IN ({paths}))"
    );
    rig.store.writer().query(&poison).execute().await.unwrap();
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    for _ in 0..900 {
        assert_eq!(sender.send().await, Fate::Acknowledged);
    }
    rig.until("the rest is stored", |it| it.of("events_waiting") == 0).await;
    let figures = rig.figures().await;
    figures.add_up();
    assert_eq!(figures.of("events_quarantined_total"), 3);
    assert_eq!(figures.of("events_stored_total"), 897);
    assert_eq!(quarantined(&rig.data_dir()), 3);
    assert_eq!(rig.run(&["quarantine", "list"]), "395\texample.com\tpageview\t3\n");

    let said = rig.run(&["quarantine", "replay"]);
    assert_eq!(said, "0 events were loaded, 3 are still refused.\n");
    // A column leaves the parts by way of a mutation, which waits for merges.
    for statement in ["SYSTEM START MERGES events", "ALTER TABLE events DROP COLUMN poison"] {
        rig.store.writer().query(statement).execute().await.unwrap();
    }
    let said = rig.run(&["quarantine", "replay"]);
    assert_eq!(said, "3 events were loaded, 0 are still refused.\n");
    assert_eq!(rig.run(&["quarantine", "list"]), "");
    // Also without a collector that runs, and with nothing to do.
    rig.terminate();
    assert_eq!(rig.run(&["quarantine", "replay"]), "0 events were loaded, 0 are still refused.\n");
    assert_eq!(rig.start().await, Start::Up);
    rig.judge().await;
}
