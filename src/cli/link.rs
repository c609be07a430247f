//! `passerby link`: links that open a site's page to whoever has them.

use std::io::{BufRead, IsTerminal};

use axum::http::Method;
use clap::Subcommand;
use serde_json::{Value, json};

use super::remote::{segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a link, or change the one of the name, and print it
    Add {
        /// The domain of the site
        site: String,
        /// What it is for
        name: String,
        /// Ask for a password, which is then needed besides; it is read from the standard input
        #[arg(long, conflicts_with = "no_password")]
        password: bool,
        /// Take the password off
        #[arg(long)]
        no_password: bool,
        /// When it ends, such as 2027-01-01T00:00:00Z, or "never"; never by default
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// The number of a segment that it is limited to; 0 opens the whole site, which is the default
        #[arg(long, value_name = "ID")]
        segment: Option<u32>,
        /// The least number of visitors that it tells, 5 by default; 1 tells every number
        #[arg(long, value_name = "COUNT")]
        least_visitors: Option<u32>,
    },
    /// Show the links of a site, one a line: name, URL, what it takes and tells, end, last use
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

/// The password, from the first line of the standard input: arguments are seen by everybody on the machine.
fn read_password() -> anyhow::Result<String> {
    if std::io::stdin().is_terminal() {
        output::tell("Type the password, and Enter; it is shown while you type.");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!password.is_empty(), "the standard input has no password");
    Ok(password.to_owned())
}

/// What a link takes and tells, when it ends, and when it was used last.
fn about(link: &Value) -> String {
    let password = if link["has_password"] == true { "password" } else { "no password" };
    let segment = match link["segment"].as_u64() {
        Some(segment) => format!("segment {segment}"),
        None => "whole site".to_owned(),
    };
    let (least, end, used) =
        (&link["least_visitors"], text(link, "expires_at"), text(link, "last_used"));
    let end = if end.is_empty() { "never ends".to_owned() } else { format!("until {end}") };
    let used = if used.is_empty() { "not used".to_owned() } else { format!("used {used}") };
    format!("{password}\t{segment}\t{least} visitors or more\t{end}\t{used}")
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
        Command::Add { site, name, password, no_password, expires, segment, least_visitors } => {
            let password = match (password, no_password) {
                (true, _) => Some(read_password()?),
                (false, true) => Some(String::new()),
                (false, false) => None,
            };
            let expires = expires.map(|time| if time == "never" { String::new() } else { time });
            let wanted = json!({
                "site_id": site, "name": name, "password": password, "expires_at": expires,
                "segment": segment, "least_visitors": least_visitors,
            });
            let link = remote.call(Method::PUT, PATH, Some(wanted)).await?;
            output::tell(format!("Whoever has this link sees the page of {site}."));
            Ok(output::made(shown(text(&link, "url")))?)
        }
        Command::List { site } => {
            let path = format!("{PATH}?site_id={}", segment(&site));
            for link in remote.list(&path, "shared_links").await? {
                let name = text(&link, "name");
                output::made(format!("{name}\t{}\t{}", shown(text(&link, "url")), about(&link)))?;
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
