//! The collector is asked to end, at any moment; and a second one comes too near.

use std::time::Duration;

use rand::RngExt;
use rustix::process::Signal;

use crate::load::{Load, Sender};
use crate::oracle::Fate;
use crate::proxy::Mode;
use crate::rig::{Rig, Start, send};
use crate::{chance, rounds, support};

/// How long a stop may take.
const STOP_MAX: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_at_any_moment_ends_well_and_loses_nothing() {
    let mut chance = chance("stops at any moment");
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    let load = Load::start(&rig.address, &rig.oracle, 200);
    for round in 0..rounds(3) {
        assert_eq!(rig.start().await, Start::Up);
        let is_away = round % 3 == 2;
        rig.proxy.set(if is_away { Mode::Hang } else { Mode::Pass });
        tokio::time::sleep(Duration::from_millis(chance.random_range(0..1_500))).await;
        let (status, took) = rig.terminate();
        assert!(status.success(), "{status}: {}", rig.said());
        assert!(took < STOP_MAX, "{took:?}, ClickHouse away: {is_away}");
    }
    rig.proxy.set(Mode::Pass);
    assert_eq!(rig.start().await, Start::Up);
    load.stop().await;
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_it_starts_ends_well() {
    let rig = Rig::new(&support::servers().0, &[]).await;
    for pause in [30, 60, 100, 150, 250] {
        let mut collector = rig.spawn();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        send(collector.id(), Signal::TERM);
        let status = collector.wait().unwrap();
        // Before the program has come as far as to listen for it, a signal ends it, as any program.
        use std::os::unix::process::ExitStatusExt;
        assert!(status.success() || status.signal() == Some(15), "{status} after {pause} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_reads_its_spool_for_long_refuses_connections_and_heeds_signals() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let mut rig = Rig::new(&support::servers().0, &[("PASSERBY_LISTEN", &address)]).await;
    assert_eq!(rig.start().await, Start::Up);
    assert_eq!(Sender::new(&rig.address, &rig.oracle).send().await, Fate::Acknowledged);
    rig.terminate();
    rig.wish("mute", "");
    let mut collector = rig.spawn();
    // By then it reads.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // A balancer turns to another collector when it is refused, and not when nobody answers.
    let refused = std::net::TcpStream::connect(&address).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    send(collector.id(), Signal::HUP);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(collector.try_wait().unwrap(), None, "a SIGHUP has ended it");
    send(collector.id(), Signal::TERM);
    let status =
        support::within(Duration::from_secs(3), "it ends", async || collector.try_wait().unwrap());
    assert!(status.await.success());
    rig.unwish("mute");
    assert_eq!(rig.start().await, Start::Up);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_reads_its_spool_for_long_heeds_signals() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    assert_eq!(Sender::new(&rig.address, &rig.oracle).send().await, Fate::Acknowledged);
    rig.terminate();
    rig.wish("mute", "");
    let data_dir = rig.data_dir();
    let demo = ["demo", "--port", "0", "--events", "1000", "--data", data_dir.to_str().unwrap()];
    let mut demo = rig.spawn_command(&demo);
    // By then it reads.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(demo.try_wait().unwrap(), None, "it has ended by itself");
    send(demo.id(), Signal::TERM);
    let status =
        support::within(Duration::from_secs(3), "it ends", async || demo.try_wait().unwrap());
    assert!(status.await.success());
    rig.unwish("mute");
    assert_eq!(rig.start().await, Start::Up);
    rig.judge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_collector_on_the_same_data_is_refused_with_a_sentence() {
    let mut rig = Rig::new(&support::servers().0, &[]).await;
    assert_eq!(rig.start().await, Start::Up);
    let output = rig.try_run(&["serve"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another passerby works on the data directory"), "{said}");
    assert!(!rig.has_ended());
}
