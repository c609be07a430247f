//! Bodies of requests, read whole: up to a length, and not for longer than a while, so that nobody keeps a place by sending
//! slowly.

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
    match tokio::time::timeout(TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Broken::TooLong),
        Ok(Err(_)) => Err(Broken::Ended),
        Err(_) => Err(Broken::Slow),
    }
}
