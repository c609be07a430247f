//! The loader: one task that brings the spool's rows into ClickHouse, for as long as that takes, and is begun again when a fault
//! stops it.
//!
//! A batch is sent again whenever it is not certain that it is in, since equal rows become one. What
//! ClickHouse will never take, because of a row, is found by halving the batch, and put aside with the
//! reason ([`quarantine`]); when it refuses one row after the other, somebody is called before more are put
//! aside. Everything else is retried for ever: an outage ends, a missing right is given, a full disk is emptied
//! ([`trouble`] sorts them). Nothing is thrown away for want of room: when the quarantine is full, the rows wait.

pub mod quarantine;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Store, StoreError};
use crate::spool::{Batch, Reader, Spool, Window};
use crate::telemetry::ToldOnce;
use quarantine::SharedQuarantine;
use trouble::{Class, Trouble};

/// The pause before a batch is sent again; it doubles up to the maximum.
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
const BACK_OFF_MAX: Duration = Duration::from_secs(8);
/// A new segment is begun this often, so that shipped rows leave the disk in their time.
const ROTATE_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// A row alone is refused as often before it is put aside: what looks like a row that can not be read
/// may have been a request that was cut on its way.
const REFUSALS_MIN: u32 = 2;
/// As many rows that are refused one after the other, with one code, and none taken between them: then it is more likely the
/// table that is wrong than the rows.
const IN_A_ROW: u32 = 10;
/// How long each of the next ones is tried again then before it is put aside as well: a person can mend the table meanwhile,
/// and were it the rows after all, nothing would wait for ever.
const HOLD: Duration = Duration::from_secs(5 * 60);

/// What is counted when the spool cannot be read: no insert has failed, but none is made either.
const UNREAD: Class = Class { class: "unread" };

/// Makes the loader's task, and makes it again.
pub type TaskMaker = Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>;

/// The running task.
pub struct Loader {
    task: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    figures: Arc<Figures>,
}

/// What the loader counts.
pub struct Figures {
    /// How long ClickHouse took for each batch that it has taken, in seconds.
    pub insert_seconds: Histogram,
    /// Attempts that failed, by what was wrong.
    pub failures: Family<Class, Counter>,
    /// Whether rows wait for something that a person has to mend.
    pub is_held: AtomicBool,
    /// Rows that were put aside.
    pub quarantined: AtomicU64,
}

impl Default for Figures {
    fn default() -> Self {
        let failures = Family::default();
        // A class that has not been met is shown with a zero: an alarm needs something to look at.
        Trouble::ALL.iter().for_each(|trouble| drop(failures.get_or_create(&trouble.class())));
        drop(failures.get_or_create(&UNREAD));
        Self {
            // From 5 ms to 41 s.
            insert_seconds: Histogram::new(exponential_buckets(0.005, 2.0, 14)),
            failures,
            is_held: AtomicBool::default(),
            quarantined: AtomicU64::default(),
        }
    }
}

struct Shipping {
    store: Arc<Store>,
    reader: Reader,
    quarantine: SharedQuarantine,
    figures: Arc<Figures>,
    /// What is wrong with reading the spool.
    told: ToldOnce,
    refused: InARow,
    stopping: watch::Receiver<bool>,
}

impl Loader {
    /// Starts the task. `keep` is given what makes it, and begins it again when it has stopped: it goes on where it was then.
    pub fn start(
        store: Arc<Store>,
        spool: Spool,
        reader: Reader,
        quarantine: SharedQuarantine,
        keep: impl FnOnce(TaskMaker) -> JoinHandle<()>,
    ) -> Self {
        let (stopping, told) = watch::channel(false);
        let figures = Arc::new(Figures::default());
        let shipping = Shipping {
            store,
            reader,
            quarantine,
            figures: Arc::clone(&figures),
            told: ToldOnce::default(),
            refused: InARow::default(),
            stopping: told,
        };
        let shipping = Arc::new(Mutex::new(shipping));
        let task = keep(Box::new(move || {
            let (shipping, spool) = (Arc::clone(&shipping), spool.clone());
            Box::pin(async move { shipping.lock().await.run(spool).await })
        }));
        Self { task, stopping, figures }
    }

    /// What it counts.
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// Ends the task. It may ship what waits for as long as `patience`; the rest stays in the spool.
    pub async fn stop(self, patience: Duration) {
        self.stopping.send_replace(true);
        let abort = self.task.abort_handle();
        if tokio::time::timeout(patience, self.task).await.is_err() {
            abort.abort();
            tracing::warn!(
                "ClickHouse did not take everything in time; the rest waits in the spool for the next start"
            );
        }
    }
}

impl Shipping {
    async fn run(&mut self, spool: Spool) {
        let mut rotation =
            tokio::time::interval_at(Instant::now() + ROTATE_INTERVAL, ROTATE_INTERVAL);
        loop {
            let mut stopping = self.stopping.clone();
            let window = tokio::select! {
                window = self.reader.next() => window,
                () = told(&mut stopping) => break,
                _ = rotation.tick() => {
                    spool.rotate();
                    self.reader.apart(Reader::forget_old).await;
                    continue;
                }
            };
            self.ship_and_commit(window).await;
        }
        while let Ok(Some(window)) = self.reader.apart(Reader::next_now).await {
            self.ship_and_commit(Ok(window)).await;
        }
    }

    async fn ship_and_commit(&mut self, window: std::io::Result<Window>) {
        let window = match window {
            Ok(window) => window,
            Err(error) => {
                self.figures.failures.get_or_create(&UNREAD).inc();
                self.figures.is_held.store(true, Ordering::Relaxed);
                if self.told.is_new(&error) {
                    tracing::error!(
                        %error,
                        "the spool can not be read, and what waits in it is not loaded: look at the disk. It is tried again every few \
                         seconds"
                    );
                }
                return tokio::time::sleep(BACK_OFF_MAX).await;
            }
        };
        self.told.is_over();
        // Where there are rows, it is the insert that says so.
        if window.batches.is_empty() {
            self.figures.is_held.store(false, Ordering::Relaxed);
        }
        let mut put_aside = 0;
        for batch in &window.batches {
            put_aside += self.ship(batch).await;
        }
        if put_aside > 0 {
            // Not with the server's message, which may repeat an event.
            let code = self.refused.last;
            tracing::error!(
                rows = put_aside,
                code,
                "ClickHouse refuses events, which were put aside: `passerby quarantine list`"
            );
        }
        self.figures.quarantined.fetch_add(put_aside, Ordering::Relaxed);
        if let Err(error) = self.reader.apart(move |reader| reader.commit(&window)).await {
            tracing::warn!(%error, "the spool's checkpoint could not be written; rows may be sent once more");
        }
    }

    /// Returns when each row of the batch is in ClickHouse or in quarantine, and says how many are there.
    async fn ship(&mut self, batch: &Batch) -> u64 {
        let mut put_aside = 0;
        let mut parts = vec![batch.slice(0..batch.rows())];
        while let Some(part) = parts.pop() {
            // While the table is suspected, one row tells as much as all.
            let first = if self.refused.suspect_the_table() { 1 } else { part.rows() };
            if first < part.rows() {
                parts.push(part.slice(first..part.rows()));
                parts.push(part.slice(0..first));
                continue;
            }
            match self.insert(&part).await {
                Ok(()) => self.refused.end(),
                Err(reason) if part.rows() == 1 => {
                    self.put_aside(&part, &reason).await;
                    self.refused.one_more(reason.code());
                    put_aside += 1;
                }
                Err(_) => {
                    let middle = part.rows() / 2;
                    parts.push(part.slice(middle..part.rows()));
                    parts.push(part.slice(0..middle));
                }
            }
        }
        put_aside
    }

    /// Sends the rows until ClickHouse has them, or says that it never will.
    async fn insert(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut waiting = Waiting::default();
        let (mut refusals, first) = (0, Instant::now());
        loop {
            let begun = Instant::now();
            let error = match self.store.insert_events(&batch.columns, batch.bytes.clone()).await {
                Ok(()) => {
                    self.figures.insert_seconds.observe(begun.elapsed().as_secs_f64());
                    self.figures.is_held.store(false, Ordering::Relaxed);
                    waiting.is_over();
                    return Ok(());
                }
                Err(error) => error,
            };
            let mut trouble = Trouble::of(&error);
            self.figures.failures.get_or_create(&trouble.class()).inc();
            if trouble == Trouble::Poison {
                refusals += 1;
                let is_held = self.refused.suspect_the_table() && first.elapsed() < HOLD;
                if batch.rows() > 1 || !is_held && refusals >= REFUSALS_MIN {
                    return Err(error);
                }
                if !is_held {
                    continue;
                }
                trouble = Trouble::Held;
            }
            self.figures.is_held.store(trouble == Trouble::Held, Ordering::Relaxed);
            waiting.a_while(trouble, &error).await;
        }
    }

    /// Rows that do not fit into the quarantine wait for somebody to make room.
    async fn put_aside(&self, row: &Batch, reason: &StoreError) {
        let (mut back_off, mut has_told) = (BACK_OFF_MIN, false);
        while let Err(error) = self.quarantine.keep(row, reason.code()).await {
            self.figures.is_held.store(true, Ordering::Relaxed);
            if !std::mem::replace(&mut has_told, true) {
                tracing::error!(
                    %error,
                    "an event that ClickHouse refuses can not be put aside; it and what comes after it wait in the spool. \
                     Look at them with `passerby quarantine list`, and load them or move the file away"
                );
            }
            tokio::time::sleep(jittered(back_off)).await;
            back_off = (back_off * 2).min(BACK_OFF_MAX);
        }
        if has_told {
            self.figures.is_held.store(false, Ordering::Relaxed);
        }
    }
}

/// Returns when the loader has to stop.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // Nobody is left who could say so, which is the end as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// The rows that were refused one after the other.
#[derive(Default)]
struct InARow {
    rows: u32,
    /// The code of the last one.
    last: Option<u32>,
}

impl InARow {
    fn one_more(&mut self, code: Option<u32>) {
        self.rows = if code == self.last { self.rows.saturating_add(1) } else { 1 };
        self.last = code;
    }

    /// ClickHouse has taken something.
    fn end(&mut self) {
        self.rows = 0;
    }

    fn suspect_the_table(&self) -> bool {
        self.rows >= IN_A_ROW
    }
}

/// The pauses between attempts, and what has been said about them.
struct Waiting {
    back_off: Duration,
    reported: Option<Trouble>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { back_off: BACK_OFF_MIN, reported: None }
    }
}

impl Waiting {
    /// A kind of trouble is told when it begins, not each time it is met again.
    async fn a_while(&mut self, trouble: Trouble, error: &StoreError) {
        if self.reported != Some(trouble) {
            self.reported = Some(trouble);
            trouble.report(error);
        }
        tokio::time::sleep(jittered(self.back_off)).await;
        self.back_off = (self.back_off * 2).min(BACK_OFF_MAX);
    }

    fn is_over(&self) {
        if self.reported.is_some() {
            tracing::info!("ClickHouse takes events again");
        }
    }
}

/// Up to a quarter longer, so that several collectors do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(0);
    pause + pause.mul_f64(f64::from(share) / f64::from(u32::MAX) / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_suspected_when_it_takes_nothing_for_one_reason() {
        let mut refused = InARow::default();
        for code in [395, 53].into_iter().cycle().take(100) {
            refused.one_more(Some(code));
            assert!(!refused.suspect_the_table());
        }
        for rows in 1..20 {
            refused.one_more(Some(395));
            assert_eq!(refused.suspect_the_table(), rows >= IN_A_ROW, "{rows} rows");
        }
        refused.end();
        assert!(!refused.suspect_the_table());
    }
}
