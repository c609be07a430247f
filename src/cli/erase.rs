//! `passerby erase`: takes events out of everything.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::remote::with;
use super::{Context, output};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The domain of the site
    site: String,
    /// Not before this day of the site's, or this moment in RFC 3339
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Up to this day of the site's, with it, or up to this moment in RFC 3339, without it
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// On this page; with a * at its end, on all pages that begin so
    #[arg(long)]
    path: Option<String>,
    /// Events of this name
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Events with this property; can be given again
    #[arg(long = "prop", value_name = "KEY=VALUE", value_parser = pair)]
    props: Vec<(String, String)>,
    /// Of the sites that had the domain and were removed, though another one has it now
    #[arg(long)]
    removed: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    pair.ok_or_else(|| "it is written as key=value".to_owned())
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let props: Map<String, Value> =
        args.props.into_iter().map(|(key, value)| (key, value.into())).collect();
    let wanted = json!({
        "site_id": args.site, "from": args.from, "to": args.to, "path": args.path, "event": args.event, "props": props,
        "removed": args.removed,
    });
    with(&context, async |remote| {
        let outcome = remote.call(Method::POST, "/api/v1/erase", Some(wanted)).await?;
        output::tell(format!(
            "Erased: {} events of {} days, {} rows in quarantine; {} events forgot on which page their visit began.",
            outcome["events"], outcome["days"], outcome["quarantined"], outcome["entry_pages"]
        ));
        output::tell("What remains:");
        for sentence in outcome["remains"].as_array().into_iter().flatten() {
            output::tell(format!("- {}", sentence.as_str().unwrap_or_default()));
        }
        Ok(output::made(&outcome["events"])?)
    })
    .await
}
