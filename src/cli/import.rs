//! `passerby import`: events from a file of JSON lines.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::body::{Body, Bytes};
use axum::http::Method;
use clap::Parser;
use hyper::body::Frame;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::progress::Progress;
use super::remote::{answer_of, segment, with};
use super::{Context, output};

/// How much of the file is sent at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Take in events from a file of JSON lines.
///
/// Importing a file twice counts its events once, so that an import that was interrupted can simply be
/// run again. Lines that are wrong are reported by number; the others are taken in. The exit code is 1
/// when there were wrong ones. Corrected, it is another file: erase what it brought (passerby erase)
/// before it is imported again, or events of the same visits count twice.
#[derive(Parser)]
pub(super) struct Args {
    /// The file: one JSON object a line, with site, timestamp, url, visitor, …
    file: PathBuf,
    /// Put every event on this site, whatever its line says
    #[arg(long, value_name = "DOMAIN")]
    site: Option<String>,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let unreadable = || format!("{} can not be read", args.file.display());
    let file = tokio::fs::File::open(&args.file).await.with_context(unreadable)?;
    let bytes = file.metadata().await.with_context(unreadable)?.len();
    let sent = Arc::new(AtomicU64::new(0));
    let path = match &args.site {
        Some(site) => format!("/api/v1/import?site_id={}", segment(site)),
        None => "/api/v1/import".to_owned(),
    };
    let summary = with(&context, async |remote| {
        let body = Body::new(FileBody::of(file.try_clone().await?, Arc::clone(&sent)));
        let shown = tokio::spawn(show(Arc::clone(&sent), bytes));
        let answer = remote.send(Method::POST, &path, body).await;
        shown.abort();
        let _ = shown.await;
        answer_of(answer?)
    })
    .await?;
    report(&summary)
}

fn report(summary: &Value) -> anyhow::Result<()> {
    let number = |key: &str| summary[key].as_u64().unwrap_or(0);
    for bad in summary["errors"].as_array().into_iter().flatten() {
        output::tell(format!(
            "line {}: {}",
            bad["line"],
            bad["error"].as_str().unwrap_or_default()
        ));
    }
    output::tell(format!("{} events were taken in.", number("events")));
    match number("bad_lines") {
        0 => Ok(()),
        bad => bail!(
            "{bad} of {} lines were wrong and were left out; before the corrected file is imported, erase what this one brought \
             (passerby erase DOMAIN --from --to), or events of the same visits count twice",
            number("lines")
        ),
    }
}

async fn show(sent: Arc<AtomicU64>, bytes: u64) {
    let mut progress = Progress::new(bytes, "bytes read");
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        progress.set(sent.load(Ordering::Relaxed));
    }
}

/// A file as the body of a request, read while it is sent.
struct FileBody(mpsc::Receiver<std::io::Result<Bytes>>);

impl FileBody {
    fn of(mut file: tokio::fs::File, sent: Arc<AtomicU64>) -> Self {
        let (chunks, received) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let mut chunk = Vec::with_capacity(CHUNK_BYTES);
                let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk).await;
                let count = match read {
                    Ok(0) => return,
                    Ok(count) => count as u64,
                    Err(error) => {
                        let _ = chunks.send(Err(error)).await;
                        return;
                    }
                };
                if chunks.send(Ok(chunk.into())).await.is_err() {
                    return;
                }
                sent.fetch_add(count, Ordering::Relaxed);
            }
        });
        Self(received)
    }
}

impl hyper::body::Body for FileBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        task: &mut TaskContext<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        self.0.poll_recv(task).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
