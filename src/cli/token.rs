//! `passerby token`: what opens reports and administration.

use axum::http::Method;
use clap::Subcommand;
use jiff::Timestamp;
use serde_json::json;

use super::remote::{segment, with};
use super::{Context, output};
use crate::store::catalog::Scope;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a token and print it: it is shown this once
    Create {
        /// What it allows: reading reports (stats), or changing sites and tokens too (admin)
        #[arg(long, value_enum)]
        scope: Scope,
        /// A site that it is limited to; can be given again; without it, every site
        #[arg(long = "site", value_name = "DOMAIN")]
        sites: Vec<String>,
        /// What it is for
        #[arg(long, default_value = "")]
        note: String,
        /// When it ends, such as 2027-01-01T00:00:00Z; never by default
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
        /// The least number of visitors that it is told; every number by default
        #[arg(long, value_name = "COUNT")]
        least_visitors: Option<u32>,
    },
    /// Show the tokens, one a line: id, scope, sites, note, the least number of visitors that
    /// it is told, end, last use
    List,
    /// End a token
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
    },
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Create { scope, sites, note, expires, least_visitors } => {
            let wanted = json!({
                "scope": scope, "sites": sites, "note": note, "expires_at": expires,
                "least_visitors": least_visitors,
            });
            let answer = remote.call(Method::POST, "/api/v1/tokens", Some(wanted)).await?;
            Ok(output::made(answer["token"].as_str().unwrap_or_default())?)
        }
        Command::List => {
            let answer = remote.call(Method::GET, "/api/v1/tokens", None).await?;
            for token in answer["tokens"].as_array().into_iter().flatten() {
                let sites: Vec<_> = token["sites"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|s| s.as_str())
                    .collect();
                let sites =
                    if sites.is_empty() { "every site".to_owned() } else { sites.join(",") };
                let text = |key: &str| token[key].as_str().unwrap_or_default();
                output::made(format!(
                    "{}\t{}\t{sites}\t{}\t{}\t{}\t{}",
                    text("id"),
                    text("scope"),
                    text("note"),
                    token["least_visitors"],
                    text("expires_at"),
                    text("last_used"),
                ))?;
            }
            Ok(())
        }
        Command::Revoke { id } => {
            remote.call(Method::DELETE, &format!("/api/v1/tokens/{}", segment(&id)), None).await?;
            output::tell(format!("The token {id} opens nothing any more."));
            Ok(())
        }
    })
    .await
}
