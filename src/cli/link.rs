//! `passerby link`: links that open a site's page to whoever has them.

use axum::http::Method;
use clap::Subcommand;
use serde_json::json;

use super::remote::{segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a link, or show the one of the name
    Add {
        /// The domain of the site
        site: String,
        /// What it is for
        name: String,
    },
    /// Show the links of a site, one a line: name, URL
    List {
        /// The domain of the site
        site: String,
    },
    /// Remove a link: it opens nothing any more
    Remove {
        /// The domain of the site
        site: String,
        /// Its name, as `link list` shows it
        name: String,
    },
}

const PATH: &str = "/api/v1/sites/shared-links";

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    // Without a public address, a link begins with that at which the collector listens.
    let listen = format!("http://{}", context.config.listen);
    let shown = |url: &str| match (&context.config.public_url, url.find("/share/")) {
        (None, Some(place)) => format!("{listen}{}", &url[place..]),
        _ => url.to_owned(),
    };
    with(&context, async |remote| match command {
        Command::Add { site, name } => {
            let wanted = json!({ "site_id": site, "name": name });
            let link = remote.call(Method::PUT, PATH, Some(wanted)).await?;
            output::tell(format!("Whoever has this link sees the page of {site}."));
            Ok(output::made(shown(text(&link, "url")))?)
        }
        Command::List { site } => {
            let path = format!("{PATH}?site_id={}", segment(&site));
            for link in remote.list(&path, "shared_links").await? {
                output::made(format!("{}\t{}", text(&link, "name"), shown(text(&link, "url"))))?;
            }
            Ok(())
        }
        Command::Remove { site, name } => {
            let wanted = json!({ "site_id": site, "name": name });
            remote.call(Method::DELETE, PATH, Some(wanted)).await?;
            output::tell(format!("The link {name} opens nothing any more."));
            Ok(())
        }
    })
    .await
}
