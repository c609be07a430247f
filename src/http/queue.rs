//! The queue before the reports: how many may be wanted at once. Beacons do not stand in it.
//!
//! A report takes the database's time, and the database takes the machine's. So a few statements run at
//! once (`store::client`), a few more reports wait for them, and whoever comes then is told to come again:
//! at once, rather than after a wait that grows with every visitor of the dashboard.
//!
//! Visitors who look at what is counted about them stand in a queue of their own: they are strangers, and need no right. And pages
//! that are open and watch take turns of their own, for nobody waits for what they are told.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Services;
use super::answer::Refused;

/// The most reports that are worked on and wait: as many as the statements that run, and 32 more.
const REPORTS_MAX: usize = crate::store::client::STATEMENTS_MAX + 32;
/// When to come again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("2");
/// The most visitors who are told at once what is counted about them. Anybody may ask that, so it takes no place of reports,
/// and leaves most statements to them.
const VISITORS_MAX: usize = 2;
/// How long a visitor waits for the others.
const VISITORS_PATIENCE: Duration = Duration::from_secs(5);

/// The most looks at once for pages that are open and watch: however many there are, most statements are left to reports.
const WATCHERS_MAX: usize = 2;

/// The places of the queue.
#[derive(Clone)]
pub struct Queue {
    reports: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
}

/// The queue of visitors who ask what is counted about them.
#[derive(Clone)]
pub struct Visitors(Arc<Semaphore>);

impl Default for Visitors {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(VISITORS_MAX)))
    }
}

impl Visitors {
    /// A place, while it is held; `None` when there was none in time.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        let place = Arc::clone(&self.0).acquire_owned();
        tokio::time::timeout(VISITORS_PATIENCE, place).await.ok()?.ok()
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            reports: Arc::new(Semaphore::new(REPORTS_MAX)),
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
        }
    }
}

impl Queue {
    /// A place, while it is held; `None` when there is none.
    pub(crate) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.reports).try_acquire_owned().ok()
    }

    /// The turn of a page that watches, while it is held; `None` when others have it.
    pub(crate) fn turn_to_watch(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.watchers).try_acquire_owned().ok()
    }
}

/// Answers a request when there is a place for it, and refuses it otherwise.
pub(super) async fn stand(
    State(services): State<Services>,
    request: Request,
    next: Next,
) -> Response {
    match services.queue.place() {
        Some(_place) => next.run(request).await,
        None => {
            services.counters.reports_refused.inc();
            let refused = Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many reports are wanted at the moment; try again in a few seconds.",
            );
            ([(header::RETRY_AFTER, RETRY_AFTER)], refused).into_response()
        }
    }
}
