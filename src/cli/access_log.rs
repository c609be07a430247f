//! `passerby access-log`: who read which report, and when.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::Value;

use super::remote::{segment, text, with};
use super::{Context, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Of this site alone
    #[arg(long, value_name = "DOMAIN")]
    site: Option<String>,
    /// From this moment on, such as 2026-11-25T00:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// So many, the latest
    #[arg(long, default_value_t = 100)]
    limit: u32,
    /// The lines as they are kept, in JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let mut path = format!("/api/v1/access-log?limit={}", args.limit);
    if let Some(site) = &args.site {
        path += &format!("&site_id={}", segment(site));
    }
    if let Some(from) = args.from {
        path += &format!("&from={from}");
    }
    with(&context, async |remote| {
        let answer = remote.call(Method::GET, &path, None).await?;
        for read in answer["reads"].as_array().into_iter().flatten() {
            output::made(if args.json { read.to_string() } else { line(read) })?;
        }
        Ok(())
    })
    .await
}

/// Time, status, who, site, route, dimensions.
fn line(read: &Value) -> String {
    let (kind, name) = (text(&read["reader"], "kind"), text(&read["reader"], "name"));
    let reader = if name.is_empty() { kind.to_owned() } else { format!("{kind} {name}") };
    let dimensions = read["dimensions"].as_array().into_iter().flatten();
    let dimensions: Vec<_> = dimensions.filter_map(Value::as_str).collect();
    format!(
        "{}\t{}\t{reader}\t{}\t{}\t{}",
        text(read, "time"),
        read["status"],
        text(read, "site"),
        text(read, "route"),
        dimensions.join(",")
    )
}
