//! Bodies of requests, read whole: up to a length, and not for longer than a while, so that nobody keeps a place by sending
//! slowly.

use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

/// A body that takes longer is given up.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Why a body was not read.
pub(super) enum Broken {
    /// It has more bytes than it may.
    TooLong,
    /// Its end did not come in time.
    Slow,
    /// The connection ended before it, or what was sent is no body.
    Ended,
}

/// The whole body.
///
/// # Errors
/// When it has more than so many bytes, takes longer than five seconds, or ends early.
pub(super) async fn whole(body: Incoming, bytes_max: usize) -> Result<Bytes, Broken> {
    // Who says at once that it is too long is not listened to.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(Broken::TooLong);
    }
    let mut whole = pin!(Limited::new(body, bytes_max).collect());
    let read = match at_second_look(whole.as_mut()).await {
        Some(read) => Ok(read),
        None => tokio::time::timeout(TIMEOUT, whole).await,
    };
    match read {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Broken::TooLong),
        Ok(Err(_)) => Err(Broken::Ended),
        Err(_) => Err(Broken::Slow),
    }
}

/// What a future gives if it is ready when it is looked at for the second time, which is soon.
///
/// hyper reads a body when it has been asked for it, and most have come with their heads: they are there then, and need no timer.
async fn at_second_look<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut is_first = true;
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if std::mem::take(&mut is_first) => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
