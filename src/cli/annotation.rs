//! `passerby annotation`: what happened on a day, written beside the numbers.

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::remote::{Remote, segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Write what happened beside a day; prints the number of the annotation
    Add {
        /// The domain of the site
        site: String,
        /// What happened, in 1 to 200 characters
        text: String,
        /// The day, such as 2027-01-31; by default today, by the site's calendar
        #[arg(long, value_name = "DAY")]
        date: Option<String>,
    },
    /// Show the annotations of a site, one a line: number, day, kind, text
    List {
        /// The domain of the site
        site: String,
    },
    /// Remove an annotation
    Remove {
        /// The domain of the site
        site: String,
        /// Its number, as `annotation list` shows it
        annotation: u32,
    },
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Add { site, text: what, date } => {
            let wanted = json!({ "date": date, "text": what });
            let saved = remote.call(Method::POST, &path(&site, ""), Some(wanted)).await?;
            output::tell(format!("{}: {}.", text(&saved, "date"), text(&saved, "text")));
            Ok(output::made(&saved["id"])?)
        }
        Command::List { site } => {
            for saved in annotations(remote, &site).await? {
                let [date, kind, what] = ["date", "kind", "text"].map(|key| text(&saved, key));
                output::made(format!("{}\t{date}\t{kind}\t{what}", saved["id"]))?;
            }
            Ok(())
        }
        Command::Remove { site, annotation } => {
            let path = path(&site, &format!("/{annotation}"));
            remote.call(Method::DELETE, &path, None).await?;
            output::tell(format!("{annotation} is no annotation of {site} any more."));
            Ok(())
        }
    })
    .await
}

fn path(site: &str, rest: &str) -> String {
    format!("/api/v1/sites/{}/annotations{rest}", segment(site))
}

async fn annotations(remote: &mut Remote, site: &str) -> anyhow::Result<Vec<Value>> {
    remote.list(&path(site, ""), "annotations").await
}
