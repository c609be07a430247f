//! The collector as the commands see it: the one that runs on the data directory, over its control
//! socket, or, when none runs, the same routes in this process, for as long as the command takes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use axum::Router;
use axum::body::Body;
use axum::http::response::Parts;
use axum::http::{Method, Request, StatusCode};
use bytes::Bytes;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::Context;
use crate::app::{App, InUse};
use crate::http::control::{self, Caller};
use crate::telemetry;

/// How long a command waits for ClickHouse.
pub(super) const DATABASE_PATIENCE: Duration = Duration::from_secs(10);
/// How often a collector that is just starting or stopping is tried again.
const ATTEMPTS: usize = 100;
/// The pause in between.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause between two looks whether its database answers.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A collector to talk to.
pub(super) enum Remote {
    /// It runs already.
    Running(Caller),
    /// It runs here.
    Here {
        /// The parts.
        app: Box<App>,
        /// The routes as the owner of the data directory sees them.
        routes: Router,
    },
}

impl Remote {
    /// Finds the collector of the data directory, or opens it here.
    pub(super) async fn open(context: &Context) -> anyhow::Result<Self> {
        for _ in 0..ATTEMPTS {
            if let Some(caller) = Caller::connect(&context.config.data_dir).await {
                return Ok(Self::Running(caller));
            }
            let (config, clock) = (context.config.clone(), std::sync::Arc::clone(&context.clock));
            match App::open(config, &context.environment, clock).await {
                Ok(app) => return Self::here(app).await,
                // A collector that starts or stops has the directory, but does not answer.
                Err(error) if error.is::<InUse>() => tokio::time::sleep(PAUSE).await,
                Err(error) => return Err(error),
            }
        }
        bail!(
            "the collector on {} does not answer: wait until it has started, or stop it",
            context.config.data_dir.display()
        )
    }

    /// Whether the collector runs by itself, and not for this command alone.
    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }

    async fn here(app: App) -> anyhow::Result<Self> {
        // What a refusal has no room for is said here: there is no collector whose log could say it.
        let ready = match telemetry::start_log_of_a_command(&app.config().log) {
            Ok(()) => app.wait_for_database(DATABASE_PATIENCE).await,
            wrong => wrong,
        };
        if let Err(error) = ready {
            app.close().await;
            return Err(error);
        }
        let routes = control::owners_routes(app.services().clone());
        Ok(Self::Here { app: Box::new(app), routes })
    }

    /// Sends a request and returns the JSON of its answer.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(method, path, body).await?;
        serde_json::from_slice(&answer).context(NOT_JSON)
    }

    /// Sends a request and returns its answer, which is no refusal.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Bytes> {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        if method != Method::GET {
            // What changes something is sent once: of what was refused half-way it is not known what was done.
            self.wait_for_database().await?;
        }
        let mut answer = self.send(method.clone(), path, body).await?;
        if method == Method::GET && answer.0 == StatusCode::SERVICE_UNAVAILABLE {
            self.wait_for_database().await?;
            answer = self.send(method, path, Body::empty()).await?;
        }
        let (status, answer) = answer;
        if status.is_success() { Ok(answer) } else { Err(refusal(&answer)) }
    }

    /// A collector that has just been started waits for its engine a moment. Returns also when that has not come about.
    async fn wait_for_database(&mut self) -> anyhow::Result<()> {
        let (begun, mut pause) = (Instant::now(), PAUSE);
        while self.health().await?["clickhouse"] != "ok" && begun.elapsed() < DATABASE_PATIENCE {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }

    /// How the parts are, whether or not all are well.
    pub(super) async fn health(&mut self) -> anyhow::Result<Value> {
        let (_, answer) = self.send(Method::GET, "/api/health", Body::empty()).await?;
        serde_json::from_slice(&answer).context(NOT_JSON)
    }

    /// Every entry of a list, whatever the number of its pages.
    pub(super) async fn list(&mut self, path: &str, key: &str) -> anyhow::Result<Vec<Value>> {
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let query = if path.contains('?') { '&' } else { '?' };
            let page = format!("{path}{query}limit=1000{after}");
            let mut answer = self.call(Method::GET, &page, None).await?;
            let Value::Array(page) = answer[key].take() else {
                bail!("the collector's answer has no {key}")
            };
            entries.extend(page);
            match answer["meta"]["after"].as_str() {
                Some(cursor) => after = format!("&after={}", segment(cursor)),
                None => return Ok(entries),
            }
        }
    }

    /// Sends a request with any body, once.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Body,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        match self {
            Self::Running(caller) => caller
                .call(method, path, body)
                .await
                .context("the collector went away before it answered"),
            Self::Here { routes, .. } => here(routes.clone(), method, path, body).await,
        }
    }

    /// Asks for something, and returns the body of the answer while it arrives.
    pub(super) async fn open_body(&mut self, path: &str) -> anyhow::Result<Body> {
        let (status, body) = match self {
            Self::Running(caller) => caller
                .open(Method::GET, path, Body::empty())
                .await
                .context("the collector went away before it answered")?,
            Self::Here { routes, .. } => {
                let (head, body) = ask(routes.clone(), Method::GET, path, Body::empty()).await?;
                (head.status, body)
            }
        };
        if status.is_success() {
            return Ok(body);
        }
        Err(refusal(&body.collect().await?.to_bytes()))
    }

    /// Ends the conversation.
    pub(super) async fn close(self) {
        if let Self::Here { app, .. } = self {
            app.close().await;
        }
    }
}

const NOT_JSON: &str = "the collector's answer is not JSON";

/// The JSON of an answer, or the reason that it gives for refusing.
pub(super) fn answer_of((status, answer): (StatusCode, Bytes)) -> anyhow::Result<Value> {
    match status.is_success() {
        true => serde_json::from_slice(&answer).context(NOT_JSON),
        false => Err(refusal(&answer)),
    }
}

/// The reason that an answer gives for refusing.
fn refusal(answer: &[u8]) -> anyhow::Error {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
        return anyhow!(NOT_JSON);
    };
    let reason = answer.get("error").and_then(Value::as_str);
    anyhow!("{}", reason.unwrap_or("the collector refused without a reason"))
}

async fn here(
    routes: Router,
    method: Method,
    path: &str,
    body: Body,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let (head, body) = ask(routes, method, path, body).await?;
    Ok((head.status, body.collect().await?.to_bytes()))
}

async fn ask(
    routes: Router,
    method: Method,
    path: &str,
    body: Body,
) -> anyhow::Result<(Parts, Body)> {
    let request = Request::builder().method(method).uri(path).body(body)?;
    Ok(routes.oneshot(request).await.unwrap_or_else(|never| match never {}).into_parts())
}

/// A part of a path, with everything encoded that could end it.
pub(super) fn segment(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// A text of an answer; empty where there is none.
pub(super) fn text<'answer>(answer: &'answer Value, key: &str) -> &'answer str {
    answer[key].as_str().unwrap_or_default()
}

/// Runs one conversation with the collector and ends it, however it went.
pub(super) async fn with<T>(
    context: &Context,
    conversation: impl AsyncFnOnce(&mut Remote) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut remote = Remote::open(context).await?;
    let outcome = conversation(&mut remote).await;
    remote.close().await;
    outcome
}
