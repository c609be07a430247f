//! `passerby export`: the events of a site as a file of JSON lines.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use axum::body::Body;
use clap::Parser;
use http_body_util::BodyExt;
use jiff::civil::Date;

use super::remote::{segment, with};
use super::{Context, output};

/// Write the events of a site as JSON lines, as `import` reads them.
///
/// Visits are told in the order in which they began. Visitors have a name that means nothing outside of
/// the file.
#[derive(Parser)]
pub(super) struct Args {
    /// The domain of the site
    site: String,
    /// The first day, of the site's calendar, on which a visit may have begun
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// The last
    #[arg(long, value_name = "DATE")]
    to: Option<Date>,
    /// The file to write, once it is complete; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let path = path(&args);
    let events = with(&context, async |remote| {
        let body = remote.open_body(&path).await?;
        match &args.output {
            None => copy(body, &mut std::io::stdout()).await,
            Some(file) => write(body, file).await,
        }
    });
    let events = events.await?;
    output::tell(format!("{events} events were written."));
    Ok(())
}

fn path(args: &Args) -> String {
    let date = |name: &str, date: Option<Date>| {
        date.map(|date| format!("&{name}={date}")).unwrap_or_default()
    };
    let (from, to) = (date("from", args.from), date("to", args.to));
    format!("/api/v1/export?site_id={}{from}{to}", segment(&args.site))
}

/// Writes beside the file and moves it there at the end: half of an export is never taken for one.
async fn write(body: Body, file: &Path) -> anyhow::Result<u64> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let unwritable = || format!("{} can not be written", file.display());
    // Single events are nobody's but the operator's. What a command that was killed has left may be anybody's to read.
    let _ = std::fs::remove_file(&beside);
    let mut options = File::options();
    let mut part =
        options.write(true).create_new(true).mode(0o600).open(&beside).with_context(unwritable)?;
    let written = async {
        let events = copy(body, &mut part).await?;
        part.sync_all().with_context(unwritable)?;
        std::fs::rename(&beside, file).with_context(unwritable)?;
        Ok(events)
    };
    let written = written.await;
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Copies, and counts the lines.
async fn copy(mut body: Body, to: &mut impl Write) -> anyhow::Result<u64> {
    let mut lines = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.context("the export was cut off; the collector's log says why")?;
        if let Ok(bytes) = frame.into_data() {
            lines += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
            to.write_all(&bytes).context("the events can not be written")?;
        }
    }
    to.flush().context("the events can not be written")?;
    Ok(lines)
}
