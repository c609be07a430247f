//! A row that ClickHouse will never take.

use std::time::Duration;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_refuses_every_row_is_waited_for_and_does_not_empty_the_spool_into_quarantine()
{
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let poison = "ALTER TABLE events ADD COLUMN poison UInt8 MATERIALIZED throwIf(pathname != '')";
    rig.store.writer().query(poison).execute().await.unwrap();
    assert_eq!(rig.start().await, Start::Up);
    let sender = Sender::new(&rig.address, &rig.oracle);
    for _ in 0..100 {
        assert_eq!(sender.send().await, Fate::Acknowledged);
    }
    rig.until("somebody is called", |it| it.of("inserts_held") == 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let figures = rig.figures().await;
    assert_eq!(figures.of("inserts_held"), 1);
    assert_eq!((quarantined(&rig.data_dir()), figures.of("quarantine_rows")), (10, 10));
    assert!(figures.of("quarantine_bytes") > 1_000);
    for statement in ["SYSTEM START MERGES events", "ALTER TABLE events DROP COLUMN poison"] {
        rig.store.writer().query(statement).execute().await.unwrap();
    }
    rig.until("it goes on", |it| it.of("events_waiting") + it.of("inserts_held") == 0).await;
    rig.figures().await.add_up();
    let said = rig.run(&["quarantine", "replay"]);
    assert_eq!(said, "10 events were loaded, 0 are still refused.\n");
    rig.judge().await;
    let figures = rig.figures().await;
    assert_eq!((figures.of("quarantine_rows"), figures.of("quarantine_bytes")), (0, 0));
    assert_eq!(rig.said().matches("which were put aside").count(), 1, "{}", rig.said());
}
