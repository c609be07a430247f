//! What is carried through once it has begun, also when whoever asked for it goes away.
//!
//! A connection that ends, and over HTTP/2 a request that is taken back, drops what answers it wherever it waits. A
//! report may end like that. What changes something may not: half of it would stand, and what bounds it (a turn, a count of
//! guesses) would be given back while the work goes on.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

/// Does work in a task of its own, and waits for it. Dropped, it stops waiting alone.
pub(crate) async fn carried<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Carries requests through that may change something, as middleware.
pub(crate) async fn carry(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    carried(next.run(request)).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;
    use axum::body::Body;
    use axum::http::Method;
    use axum::middleware::from_fn;
    use axum::routing::get;
    use tokio::sync::{Notify, mpsc};
    use tokio::time::timeout;
    use tower::ServiceExt;

    use super::*;

    /// Whether what answers is still carried on after whoever asked has gone.
    async fn goes_on_alone(method: Method) -> bool {
        let (done, mut is_done) = mpsc::channel::<()>(1);
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (has_begun, may_go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
        let answer = async move || {
            has_begun.notify_one();
            may_go_on.notified().await;
            let _ = done.send(()).await;
        };
        let routes = Router::new().route("/", get(answer.clone()).post(answer));
        let routes = routes.layer(from_fn(carry));
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        let mut asked = Box::pin(routes.oneshot(request));
        tokio::select! {
            _ = &mut asked => unreachable!("nobody has let it go on"),
            () = begun.notified() => {}
        }
        drop(asked);
        go_on.notify_one();
        // What was dropped has dropped its end of the channel, too.
        timeout(Duration::from_secs(10), is_done.recv())
            .await
            .expect("neither goes on nor ends")
            .is_some()
    }

    #[tokio::test]
    async fn what_changes_something_goes_on_without_its_asker_and_what_reads_does_not() {
        assert!(goes_on_alone(Method::POST).await);
        assert!(!goes_on_alone(Method::GET).await);
    }

    #[tokio::test]
    #[should_panic(expected = "as it was")]
    async fn a_panic_is_passed_on() {
        carried(async { panic!("as it was") }).await
    }
}
