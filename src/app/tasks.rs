//! Tasks that go on for as long as the collector runs, whatever happens in them.
//!
//! A task that panics ends without a word, for nobody waits for it: salts would live on, what sites keep no longer would stay,
//! and everything would look well. So it is told of as an error, and the task is begun again. It is not the end of the collector:
//! each of these can be done a little later, and a collector that ends loses the visits of the time until it is started again.
//!
//! That can not be said of salts. They have to end with their day, and one that can not end them any more has to end itself: the
//! next start wipes what is past its time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How long after it has stopped a task is begun again: what stopped it may stop it at once.
const PAUSE: Duration = Duration::from_secs(15);
/// A task that has gone on for as long is well again.
const WELL_AFTER: Duration = Duration::from_secs(10 * 60);
/// As often a task is begun that the collector can not be without, one time right after the other.
const ATTEMPTS_MAX: u32 = 3;

/// The tasks of a collector.
#[derive(Default)]
pub(super) struct Tasks {
    handles: Vec<JoinHandle<()>>,
    given_up: Arc<SetOnce<&'static str>>,
}

/// What is done about a task that stops again and again.
#[derive(Clone)]
enum Patience {
    /// It is begun again.
    Endless,
    /// The collector is told that it has to end.
    Limited(Arc<SetOnce<&'static str>>),
}

impl Tasks {
    /// Starts a task, and begins it again when it panics. `what` is what it does, for the log.
    pub(super) fn keep<T>(&mut self, what: &'static str, task: impl FnMut() -> T + Send + 'static)
    where
        T: Future<Output = ()> + Send + 'static,
    {
        self.handles.push(kept(what, task));
    }

    /// The same for a task that the collector must not go on without.
    pub(super) fn keep_or_end<T>(
        &mut self,
        what: &'static str,
        task: impl FnMut() -> T + Send + 'static,
    ) where
        T: Future<Output = ()> + Send + 'static,
    {
        let patience = Patience::Limited(Arc::clone(&self.given_up));
        self.handles.push(tokio::spawn(keep(what, patience, task)));
    }

    /// Returns when the collector can not go on: what it can not do any more.
    pub(super) async fn given_up(&self) -> &'static str {
        self.given_up.wait().await
    }

    /// Ends all of them.
    pub(super) fn stop(&self) {
        self.handles.iter().for_each(JoinHandle::abort);
    }
}

/// Starts a task that is ended by itself, as [`Tasks::keep`] does.
pub(super) fn kept<T>(
    what: &'static str,
    task: impl FnMut() -> T + Send + 'static,
) -> JoinHandle<()>
where
    T: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(keep(what, Patience::Endless, task))
}

async fn keep<T>(what: &'static str, patience: Patience, mut task: impl FnMut() -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let mut attempts = 0;
    loop {
        let begun = Instant::now();
        // It ends with this one.
        let mut running = JoinSet::new();
        running.spawn(task());
        if !matches!(running.join_next().await, Some(Err(ended)) if ended.is_panic()) {
            return;
        }
        attempts = if begun.elapsed() < WELL_AFTER { attempts + 1 } else { 1 };
        match &patience {
            Patience::Limited(given_up) if attempts >= ATTEMPTS_MAX => {
                let _ = given_up.set(what);
                return;
            }
            _ => tracing::error!(
                task = what,
                "a part of the collector was stopped by a fault of Passerby's, and is begun again; what it stopped at stands before this"
            ),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A task that panics so often, and then goes on; and how often it was begun.
    fn stopping(times: u32) -> (Arc<AtomicU32>, impl FnMut() -> TaskOfTest + Send + 'static) {
        let begun = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&begun);
        let task = move || -> TaskOfTest {
            let place = counted.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                assert!(place >= times, "a fault of the task");
                std::future::pending().await
            })
        };
        (begun, task)
    }

    type TaskOfTest = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_begun_again_for_as_long_as_it_takes() {
        let mut tasks = Tasks::default();
        let (begun, task) = stopping(20);
        tasks.keep("a test", task);
        tokio::time::sleep(PAUSE * 30).await;
        assert_eq!(begun.load(Ordering::SeqCst), 21);
        assert!(tasks.given_up.get().is_none());
        tasks.stop();
    }

    #[tokio::test(start_paused = true)]
    async fn the_collector_ends_when_what_it_must_not_be_without_stops_again_and_again() {
        let mut tasks = Tasks::default();
        let (begun, task) = stopping(2);
        tasks.keep_or_end("what comes right", task);
        let (_, task) = stopping(3);
        tokio::time::sleep(PAUSE * 10).await;
        assert_eq!(begun.load(Ordering::SeqCst), 3);
        assert!(tasks.given_up.get().is_none());
        tasks.keep_or_end("what does not", task);
        let given_up = tokio::time::timeout(PAUSE * 10, tasks.given_up()).await;
        assert_eq!(given_up, Ok("what does not"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_has_ended_is_not_begun_again_and_one_that_is_stopped_stops() {
        let mut tasks = Tasks::default();
        let ends = Arc::<AtomicU32>::default();
        let counted = Arc::clone(&ends);
        tasks.keep("what ends", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        let held = Arc::new(());
        let holds = Arc::clone(&held);
        tasks.keep("what goes on", move || {
            let held = Arc::clone(&holds);
            async move {
                std::future::pending::<()>().await;
                drop(held);
            }
        });
        tokio::time::sleep(PAUSE * 3).await;
        assert_eq!(ends.load(Ordering::SeqCst), 1);
        tasks.stop();
        tokio::time::sleep(PAUSE).await;
        assert_eq!(Arc::strong_count(&held), 1, "what it held is held by nobody any more");
    }
}
