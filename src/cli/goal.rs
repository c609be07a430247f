//! `passerby goal`: what a site wants its visitors to do.

use anyhow::bail;
use axum::http::Method;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::remote::{Remote, segment, text, with};
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set a goal up, or change the one that is met by the same
    Add(Add),
    /// Show the goals of a site, one a line: id, name, what meets it, currency
    List {
        /// The domain of the site
        site: String,
    },
    /// Remove a goal; events stay as they are
    Remove {
        /// The domain of the site
        site: String,
        /// Its name or its id, as `goal list` shows them
        goal: String,
    },
}

#[derive(Args)]
#[command(group(ArgGroup::new("met_by").required(true).args(["event", "page"])))]
pub(super) struct Add {
    /// The domain of the site
    site: String,
    /// A custom event of this name meets the goal
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// A view of this page meets the goal; * and ** are any characters
    #[arg(long, value_name = "PATH")]
    page: Option<String>,
    /// The page must be scrolled so far down, in percent: 0 to 100
    #[arg(long, value_name = "PERCENT", requires = "page")]
    scroll: Option<u8>,
    /// The name in queries and reports; by default the event, or `Visit` and the page
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The currency that revenue of the event is reported in, such as EUR
    #[arg(long, value_name = "CODE", requires = "event")]
    currency: Option<String>,
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Add(add) => {
            let goal = json!({
                "site_id": add.site,
                "goal_type": if add.event.is_some() { "event" } else { "page" },
                "event_name": add.event,
                "page_path": add.page,
                "scroll_threshold": add.scroll,
                "display_name": add.name,
                "currency": add.currency,
            });
            let goal = remote.call(Method::PUT, "/api/v1/sites/goals", Some(goal)).await?;
            let name = text(&goal, "display_name");
            output::tell(format!("{name} is a goal of {}.", text(&goal, "domain")));
            Ok(output::made(name)?)
        }
        Command::List { site } => {
            for goal in goals(remote, &site).await? {
                let (id, name) = (text(&goal, "id"), text(&goal, "display_name"));
                let line = format!("{id}\t{name}\t{}\t{}", met_by(&goal), text(&goal, "currency"));
                output::made(line.trim_end())?;
            }
            Ok(())
        }
        Command::Remove { site, goal } => {
            let goals = goals(remote, &site).await?;
            let of = |key| goals.iter().find(|found| text(found, key) == goal);
            let Some(found) = of("display_name").or_else(|| of("id")) else {
                bail!("{site} has no goal `{goal}`: `passerby goal list {site}` shows its goals")
            };
            let path = format!("/api/v1/sites/goals/{}", text(found, "id"));
            let of_site = json!({ "site_id": site });
            remote.call(Method::DELETE, &path, Some(of_site)).await?;
            output::tell(format!("{} is no goal of {site} any more.", text(found, "display_name")));
            Ok(())
        }
    })
    .await
}

async fn goals(remote: &mut Remote, site: &str) -> anyhow::Result<Vec<Value>> {
    remote.list(&format!("/api/v1/sites/goals?site_id={}", segment(site)), "goals").await
}

/// `event Signup`, `page /blog/**`, `scroll 60% of /blog/**`.
fn met_by(goal: &Value) -> String {
    match (text(goal, "goal_type"), goal["scroll_threshold"].as_u64()) {
        ("event", _) => format!("event {}", text(goal, "event_name")),
        (_, None) => format!("page {}", text(goal, "page_path")),
        (_, Some(threshold)) => format!("scroll {threshold}% of {}", text(goal, "page_path")),
    }
}
