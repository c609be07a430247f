//! Webhooks: an alert as JSON, posted to an address of the configuration.

use anyhow::{anyhow, bail};
use http_body_util::Full;
use hyper::{Method, Request, header};
use serde_json::Value;

use crate::config::Webhook;
use crate::outgoing::{Browser, FetchError, browser, fetch};

/// What calls webhooks. It is sent on by nobody: what answers with another address has not taken it.
pub(super) struct Caller(Browser);

impl Default for Caller {
    fn default() -> Self {
        Self(browser())
    }
}

impl Caller {
    /// Posts the JSON.
    ///
    /// # Errors
    /// When it is not answered in time with a success. The address, which is a secret, is in no error.
    pub(super) async fn post(&self, webhook: &Webhook, body: &Value) -> anyhow::Result<()> {
        let url = webhook.expose();
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()))
            .map_err(|_| anyhow!("its address can not be called"))?;
        match fetch(&self.0, request, url.clone()).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => bail!("it answered {}", answer.status),
            Err(FetchError::Unreachable { source, .. }) => bail!("it can not be reached: {source}"),
            Err(FetchError::Slow(_)) => bail!("it did not answer in time"),
        }
    }
}
