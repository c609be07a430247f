//! `passerby site`: the sites that are counted.

use axum::http::Method;
use clap::Subcommand;
use serde_json::json;

use super::remote::{segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Register a site, or change the one that has the domain
    Add {
        /// The host name of the site, without https:// and www.
        domain: String,
        /// Where the site's days begin and end, such as Europe/Berlin; UTC by default
        #[arg(long)]
        timezone: Option<String>,
        /// For how many days events are kept; 0 keeps them until they are erased
        #[arg(long, value_name = "DAYS")]
        retention_days: Option<u32>,
        /// Whether anybody may read the site's reports
        #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
        public: Option<bool>,
        /// The least number of visitors that everybody is told then, 10 by default; 1 tells every number
        #[arg(long, value_name = "COUNT")]
        least_visitors: Option<u32>,
    },
    /// Show the sites, one a line: domain, time zone
    List,
    /// Take a site off the register; its events stay until they are erased or kept no longer
    Remove {
        /// The domain of the site
        domain: String,
    },
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Add { domain, timezone, retention_days, public, least_visitors } => {
            let change = json!({
                "timezone": timezone, "retention_days": retention_days, "public": public,
                "least_visitors": least_visitors,
            });
            let path = format!("/api/v1/sites/{}", segment(&domain));
            let site = remote.call(Method::PUT, &path, Some(change)).await?;
            let (domain, timezone) = (text(&site, "domain"), text(&site, "timezone"));
            output::tell(format!("{domain} is registered; its days are those of {timezone}."));
            Ok(output::made(domain)?)
        }
        Command::List => {
            for site in remote.list("/api/v1/sites", "sites").await? {
                output::made(format!("{}\t{}", text(&site, "domain"), text(&site, "timezone")))?;
            }
            Ok(())
        }
        Command::Remove { domain } => {
            remote
                .call(Method::DELETE, &format!("/api/v1/sites/{}", segment(&domain)), None)
                .await?;
            output::tell(format!(
                "{domain} is no longer counted; its events stay until they are erased."
            ));
            Ok(())
        }
    })
    .await
}
