//! The loader: one task that brings the spool's rows into ClickHouse, for as long as that takes.
//!
//! A batch is sent again whenever it is not certain that it is in, since equal rows become one. What
//! ClickHouse will never take, because of a row, is found by halving the batch, and put aside with the
//! reason ([`quarantine`]); everything else is retried for ever: an outage ends, a missing right is
//! given, a full disk is emptied.

pub mod quarantine;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Store, StoreError};
use crate::spool::{Batch, Reader, Spool, Window};
use quarantine::Quarantine;

/// The pause before a batch is sent again; it doubles up to the maximum.
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
const BACK_OFF_MAX: Duration = Duration::from_secs(15);
/// A new segment is begun this often, so that shipped rows leave the disk in their time.
const ROTATE_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// ClickHouse's codes for data that it will never take.
const POISON: [u32; 11] = [6, 26, 27, 32, 33, 36, 53, 70, 117, 131, 395];

/// The running task.
pub struct Loader {
    task: JoinHandle<()>,
    stopping: watch::Sender<bool>,
    figures: Arc<Figures>,
}

/// What the loader counts.
#[derive(Default)]
pub struct Figures {
    /// Batches that ClickHouse has taken.
    pub batches: AtomicU64,
    /// Attempts that failed.
    pub failures: AtomicU64,
    /// Rows that were put aside.
    pub quarantined: AtomicU64,
}

struct Shipping {
    store: Arc<Store>,
    reader: Reader,
    quarantine: Quarantine,
    figures: Arc<Figures>,
    stopping: watch::Receiver<bool>,
}

impl Loader {
    /// Starts the task. Rows that can not be loaded are put into `quarantine_dir`.
    pub fn start(store: Arc<Store>, spool: Spool, reader: Reader, quarantine_dir: PathBuf) -> Self {
        let (stopping, told) = watch::channel(false);
        let figures = Arc::new(Figures::default());
        let quarantine = Quarantine::new(quarantine_dir);
        let shipping =
            Shipping { store, reader, quarantine, figures: Arc::clone(&figures), stopping: told };
        Self { task: tokio::spawn(shipping.run(spool)), stopping, figures }
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
    async fn run(mut self, spool: Spool) {
        let mut rotation =
            tokio::time::interval_at(Instant::now() + ROTATE_INTERVAL, ROTATE_INTERVAL);
        loop {
            let mut stopping = self.stopping.clone();
            let window = tokio::select! {
                window = self.reader.next() => window,
                _ = stopping.wait_for(|stopping| *stopping) => break,
                _ = rotation.tick() => {
                    spool.rotate();
                    self.reader.forget_old();
                    continue;
                }
            };
            self.ship_and_commit(window).await;
        }
        while let Ok(Some(window)) = self.reader.next_now() {
            self.ship_and_commit(Ok(window)).await;
        }
    }

    async fn ship_and_commit(&mut self, window: std::io::Result<Window>) {
        let window = match window {
            Ok(window) => window,
            Err(error) => {
                tracing::error!(%error, "the spool can not be read; it is tried again");
                return tokio::time::sleep(BACK_OFF_MAX).await;
            }
        };
        for batch in &window.batches {
            self.ship(batch).await;
        }
        if let Err(error) = self.reader.commit(&window) {
            tracing::warn!(%error, "the spool's checkpoint could not be written; rows may be sent once more");
        }
    }

    /// Returns when each row of the batch is in ClickHouse or in quarantine.
    async fn ship(&self, batch: &Batch) {
        let mut parts = vec![batch.slice(0..batch.rows())];
        while let Some(part) = parts.pop() {
            match self.insert(&part).await {
                Ok(()) => {}
                Err(reason) if part.rows() == 1 => self.put_aside(&part, &reason),
                Err(_) => {
                    let middle = part.rows() / 2;
                    parts.push(part.slice(middle..part.rows()));
                    parts.push(part.slice(0..middle));
                }
            }
        }
    }

    /// Sends the rows until ClickHouse has them, or says that it never will.
    async fn insert(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut back_off = BACK_OFF_MIN;
        let mut has_failed = false;
        loop {
            let error = match self.store.insert_events(&batch.columns, &batch.bytes).await {
                Ok(()) => {
                    self.figures.batches.fetch_add(1, Ordering::Relaxed);
                    if has_failed {
                        tracing::info!("ClickHouse takes events again");
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            self.figures.failures.fetch_add(1, Ordering::Relaxed);
            if error.code().is_some_and(|code| POISON.contains(&code)) {
                return Err(error);
            }
            if !has_failed {
                has_failed = true;
                report(&error);
            }
            tokio::time::sleep(jittered(back_off)).await;
            back_off = (back_off * 2).min(BACK_OFF_MAX);
        }
    }

    fn put_aside(&self, row: &Batch, reason: &StoreError) {
        self.figures.quarantined.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.quarantine.keep(row, reason.code()) {
            tracing::error!(%error, "an event that ClickHouse refuses could not be put aside and is lost");
        }
    }
}

/// Says once what is wrong: an outage ends by itself, anything else needs somebody.
fn report(error: &StoreError) {
    match error {
        StoreError::Unavailable(_) | StoreError::Limit { .. } => {
            tracing::warn!(%error, "events wait in the spool until ClickHouse takes them");
        }
        StoreError::Denied { .. } | StoreError::Rejected { .. } => {
            tracing::error!(%error, "ClickHouse refuses events, which wait in the spool; this needs to be mended");
        }
    }
}

/// Up to a quarter longer, so that several collectors do not come back at once.
fn jittered(pause: Duration) -> Duration {
    let share = getrandom::u32().unwrap_or(0);
    pause + pause.mul_f64(f64::from(share) / f64::from(u32::MAX) / 4.0)
}
