//! What may wait for a disk, done apart from the threads that answer: on a machine with one processor there is one of these.

/// Does work on a thread of its own, and waits for it. Dropped, it stops waiting alone. A panic goes on here.
pub(crate) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}
