//! `passerby segment`: sets of filters under a name.

use anyhow::{Context as _, bail};
use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::query::filter_of;
use super::remote::{Remote, segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Save a segment, in place of one that has the name; prints the number that queries call it
    Add {
        /// The domain of the site
        site: String,
        /// What people call it
        name: String,
        /// A filter, such as is,visit:source,Google; can be given again, then all must hold
        #[arg(
            long = "filter",
            value_name = "OPERATOR,DIMENSION,VALUE…",
            required_unless_present = "json"
        )]
        filters: Vec<String>,
        /// The filters as the API has them: a list in JSON
        #[arg(long, value_name = "FILTERS", conflicts_with = "filters")]
        json: Option<String>,
    },
    /// Show the segments of a site, one a line: number, name, filters
    List {
        /// The domain of the site
        site: String,
    },
    /// Remove a segment
    Remove {
        /// The domain of the site
        site: String,
        /// Its name or its number, as `segment list` shows them
        segment: String,
    },
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Add { site, name, filters, json } => {
            let filters = match json {
                Some(json) => serde_json::from_str(&json).context("--json is not JSON")?,
                None => filters.iter().map(|filter| filter_of(filter)).collect::<Result<_, _>>()?,
            };
            let wanted = json!({ "name": name, "filters": Value::Array(filters) });
            let saved = remote.call(Method::PUT, &path(&site, ""), Some(wanted)).await?;
            let id = &saved["id"];
            output::tell(format!("{site} has the segment {name}: [\"is\", \"segment\", [{id}]]."));
            Ok(output::made(id)?)
        }
        Command::List { site } => {
            for saved in segments(remote, &site).await? {
                output::made(format!(
                    "{}\t{}\t{}",
                    saved["id"],
                    text(&saved, "name"),
                    saved["filters"]
                ))?;
            }
            Ok(())
        }
        Command::Remove { site, segment } => {
            let segments = segments(remote, &site).await?;
            let named = segments.iter().find(|found| text(found, "name") == segment);
            let number: Option<u64> = segment.parse().ok();
            let numbered = || segments.iter().find(|found| number.is_some() && found["id"].as_u64() == number);
            let Some(found) = named.or_else(numbered) else {
                bail!(
                    "{site} has no segment `{segment}`: `passerby segment list {site}` shows its segments"
                )
            };
            let path = path(&site, &format!("/{}", found["id"]));
            remote.call(Method::DELETE, &path, None).await?;
            output::tell(format!("{} is no segment of {site} any more.", text(found, "name")));
            Ok(())
        }
    })
    .await
}

fn path(site: &str, rest: &str) -> String {
    format!("/api/v1/sites/{}/segments{rest}", segment(site))
}

async fn segments(remote: &mut Remote, site: &str) -> anyhow::Result<Vec<Value>> {
    remote.list(&path(site, ""), "segments").await
}
