//! `passerby member`: people who sign in to the dashboard as themselves.

use axum::http::Method;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;

use super::remote::{segment, text, with};
use super::{Context, output};
use crate::site::member::Role;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make somebody a member of a site, or give a member another role
    Add {
        /// The name that the person signs in with: an address of mail, mostly
        person: String,
        #[command(flatten)]
        place: Place,
        /// What the member may do: see the reports (viewer), edit goals, segments, funnels and annotations too
        /// (editor), or decide about the site and who reads it (owner)
        #[arg(long, value_enum)]
        role: Role,
    },
    /// Show the members of a site, one a line: name, role, and whether that is of every site
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Take somebody's role away
    Remove {
        /// The name, as `member list` shows it
        person: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where somebody is a member.
#[derive(Args)]
#[command(group(ArgGroup::new("where").required(true).args(["site", "every_site"])))]
pub(super) struct Place {
    /// The domain of the site
    #[arg(long, value_name = "DOMAIN")]
    site: Option<String>,
    /// Every site, those to come among them
    #[arg(long)]
    every_site: bool,
}

impl Place {
    /// As requests have it.
    fn site_id(&self) -> &str {
        self.site.as_deref().unwrap_or("*")
    }

    fn words(&self) -> &str {
        self.site.as_deref().unwrap_or("every site")
    }
}

const PATH: &str = "/api/v1/sites/guests";

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::Add { person, place, role } => {
            let wanted = json!({ "site_id": place.site_id(), "email": person, "role": role });
            let member = remote.call(Method::PUT, PATH, Some(wanted)).await?;
            let (name, role) = (text(&member, "email"), text(&member, "role"));
            output::tell(format!("{name} is {role} of {}.", place.words()));
            Ok(())
        }
        Command::List { place } => {
            let path = format!("{PATH}?site_id={}", segment(place.site_id()));
            for member in remote.list(&path, "guests").await? {
                let every = if member["every_site"] == true { "every site" } else { "" };
                let (name, role) = (text(&member, "email"), text(&member, "role"));
                output::made(format!("{name}\t{role}\t{every}"))?;
            }
            Ok(())
        }
        Command::Remove { person, place } => {
            let site = segment(place.site_id());
            let path = format!("{PATH}/{}?site_id={site}", segment(&person));
            remote.call(Method::DELETE, &path, None).await?;
            output::tell(format!("{person} has no role of {} any more.", place.words()));
            Ok(())
        }
    })
    .await
}
