//! Time as an argument: whoever needs to know what time it is is handed a [`Clock`].
//!
//! Nothing else in the program reads the wall clock (clippy.toml bans it), so that a test owns time.
//! Durations between two moments of one process are measured with `tokio::time::Instant`, which a
//! jump of the wall clock does not touch.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;

/// Tells the wall-clock time.
pub trait Clock: Send + Sync {
    /// The moment it is now, in UTC.
    fn now(&self) -> Timestamp;
}

/// A clock that can be shared between tasks.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's own clock.
#[derive(Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is told otherwise.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`, to the microsecond.
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(now.as_microsecond())))
    }

    /// Sets the clock to any moment, before or after the one it shows.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_microsecond(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        // Never out of range: only `at` and `set` write the value, and both take a Timestamp.
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
