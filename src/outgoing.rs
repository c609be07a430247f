//! Requests to servers elsewhere: to the pages that `passerby check URL` looks at, to the provider that signs
//! people in, and to the webhooks of alerts. Nothing of a visitor's goes out by it.

use std::time::Duration;

use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::rt::TokioExecutor;
use url::Url;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer is read, in bytes.
pub(crate) const ANSWER_BYTES_MAX: usize = 8 << 20;

/// What sends requests. It knows the authorities that browsers know.
pub(crate) type Browser = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What a server answered.
pub(crate) struct Answer {
    /// Where it was asked.
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The port that the request was sent from.
    pub(crate) port: Option<u16>,
}

/// There was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// No connection, or not the whole of an answer.
    #[error("{url} can not be reached")]
    Unreachable { url: Url, source: Box<dyn std::error::Error + Send + Sync> },
    /// It took too long.
    #[error("{0} did not answer in 15 seconds")]
    Slow(Url),
}

/// A browser without a connection yet.
pub(crate) fn browser() -> Browser {
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    Client::builder(TokioExecutor::new()).build(connector)
}

/// Sends a request to an address, and reads the whole answer. Redirects are not followed.
pub(crate) async fn fetch(
    browser: &Browser,
    request: Request<Full<Bytes>>,
    url: Url,
) -> Result<Answer, FetchError> {
    let answered = async {
        let (head, body) = browser.request(request).await?.into_parts();
        let port = head.extensions.get::<HttpInfo>().map(|info| info.local_addr().port());
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|_| "the answer ended early, or is too long")?;
        Ok((head.status, head.headers, body.to_bytes(), port))
    };
    match tokio::time::timeout(PATIENCE, answered).await {
        Ok(Ok((status, headers, body, port))) => Ok(Answer { url, status, headers, body, port }),
        Ok(Err(source)) => Err(FetchError::Unreachable { url, source }),
        Err(_) => Err(FetchError::Slow(url)),
    }
}
