//! Histories: appends, restarts, losses of power, a disk that fails or is full, in any order.

use proptest::prelude::*;

use super::*;

/// What a history does to the spool.
#[derive(Clone, Debug)]
enum Step {
    Append(u8),
    Commit,
    Rotate,
    Restart,
    /// What was under way when the power went was written, and not synced.
    LosePower {
        seed: u64,
    },
    FailSync,
    /// The disk is full at one of its next operations.
    Fill(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1u8..5).prop_map(Step::Append),
        2 => Just(Step::Commit),
        1 => Just(Step::Rotate),
        1 => Just(Step::Restart),
        2 => any::<u64>().prop_map(|seed| Step::LosePower { seed }),
        1 => Just(Step::FailSync),
        1 => (0u8..4).prop_map(Step::Fill),
    ];
    prop::collection::vec(step, 1..40)
}

/// A spool, and what is known of its rows.
struct History {
    disk: SimulatedDisk,
    limits: Limits,
    spool: Spool,
    reader: Reader,
    sent: u32,
    acknowledged: Vec<String>,
    seen: Vec<String>,
}

impl History {
    fn new() -> Self {
        let disk = SimulatedDisk::default();
        let limits = Limits { segment_bytes: 5_200, keep: Duration::ZERO, ..Limits::default() };
        let (spool, reader) = open(&disk, &limits);
        Self { disk, limits, spool, reader, sent: 0, acknowledged: Vec::new(), seen: Vec::new() }
    }

    fn fresh(&mut self, count: u8) -> Vec<String> {
        let fresh = (0..u32::from(count)).map(|place| format!("{:06}", self.sent + place));
        let fresh = fresh.collect();
        self.sent += u32::from(count);
        fresh
    }

    async fn append(&mut self, count: u8) {
        let fresh = self.fresh(count);
        let records = fresh.iter().map(|row| record(1, row)).collect();
        if self.spool.append(records).await.is_ok() {
            self.acknowledged.extend(fresh);
        }
    }

    fn commit(&mut self) {
        let window = self.reader.next_now();
        if let Some(window) = window.unwrap() {
            self.seen.extend(rows(&window));
            // A checkpoint that was not written gives rows again; that is all.
            let _ = self.reader.commit(&window);
        }
    }

    async fn restart(&mut self) {
        self.spool.close().await;
        // A start on a disk that is full fails; it is not full for ever.
        let opened = Spool::open(self.disk.handle(), self.limits.clone());
        self.disk.state().changes_until_failure = None;
        (self.spool, self.reader) = opened.unwrap_or_else(|_| open(&self.disk, &self.limits));
    }

    async fn lose_power(&mut self, seed: u64) {
        // The writer writes, and does not get as far as to sync.
        self.disk.state().syncs_until_failure = Some(0);
        self.append(3).await;
        self.disk.state().syncs_until_failure = None;
        self.disk.lose_power(seed);
        self.restart().await;
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Append(count) => self.append(count).await,
            Step::Commit => self.commit(),
            Step::Rotate => self.spool.rotate(),
            Step::Restart => self.restart().await,
            Step::LosePower { seed } => self.lose_power(seed).await,
            Step::FailSync => {
                self.disk.state().syncs_until_failure = Some(0);
                self.append(1).await;
                self.disk.state().syncs_until_failure = None;
            }
            Step::Fill(changes) => {
                self.disk.state().changes_until_failure = Some(u64::from(changes));
            }
        }
    }

    /// Every acknowledged row has been seen, in the order of sending, and nothing that was not sent. A row
    /// may have been seen again, and one that was not acknowledged may have been seen.
    fn judge(mut self) {
        self.disk.state().changes_until_failure = None;
        self.seen.extend(drain(&mut self.reader));
        let mut first_seen = Vec::new();
        for row in self.seen {
            assert!(
                row.len() == 6 && row.parse::<u32>().unwrap() < self.sent,
                "{row} was not sent"
            );
            if !first_seen.contains(&row) {
                first_seen.push(row);
            }
        }
        assert!(first_seen.is_sorted(), "out of order: {first_seen:?}");
        for row in &self.acknowledged {
            assert!(first_seen.contains(row), "{row} was acknowledged, and is lost");
        }
        assert_eq!(self.reader.next_now().unwrap().map(|window| rows(&window)), None);
    }
}

fn on_a_runtime(what: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(what);
}

proptest! {
    #![proptest_config(trials(1_000))]

    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_is_invented(steps in steps()) {
        on_a_runtime(async {
            let mut history = History::new();
            for step in steps {
                history.take(step).await;
            }
            history.judge();
        });
    }
}

/// Each operation of the disk, from the first to the last of a short life, finds the disk full once.
#[tokio::test]
async fn a_disk_that_is_full_at_any_of_its_operations_loses_nothing() {
    let mut failed_at_all = false;
    for nth in 0..60 {
        let mut history = History::new();
        history.disk.state().changes_until_failure = Some(nth);
        for _ in 0..4 {
            history.append(4).await;
            history.commit();
            history.restart_keeping_the_fault().await;
        }
        failed_at_all |= history.disk.state().changes_until_failure.is_none();
        history.judge();
    }
    assert!(failed_at_all);
}

impl History {
    /// A start that fails for the fault is tried again, as an operator does.
    async fn restart_keeping_the_fault(&mut self) {
        self.spool.close().await;
        let opened = Spool::open(self.disk.handle(), self.limits.clone());
        (self.spool, self.reader) = opened.unwrap_or_else(|_| open(&self.disk, &self.limits));
    }
}
