//! `passerby privacy`: the papers of a site's privacy; and `passerby forget`.

use super::remote::with;
use super::{Context, output};
use crate::app::App;
use crate::record::{Facts, Language, Paper};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The paper; without one, all of them
    #[arg(value_enum)]
    paper: Option<Paper>,
    /// The language of the policy
    #[arg(long, value_enum, default_value_t)]
    language: Language,
}

/// `passerby forget`: whose numbers the day's visitors have can not be told any more.
pub(super) fn forget(context: &Context) -> anyhow::Result<()> {
    output::tell(match App::forget(&context.config, &context.clock)? {
        true => "The day's salt is wiped: nobody can be recognised by the numbers of today.",
        false => "There was no salt: nobody can be recognised.",
    });
    Ok(())
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let sites = with(&context, async |remote| remote.list("/api/v1/sites", "sites").await).await?;
    let site = |site: &serde_json::Value| {
        let days = site["retention_days"].as_u64().and_then(|days| u32::try_from(days).ok());
        let days = days.filter(|days| *days > 0);
        Some((site["domain"].as_str()?.to_owned(), days))
    };
    let sites = sites.iter().filter_map(site).collect();
    let facts = Facts::of(&context.config, sites);
    let all = [Paper::Record, Paper::Inventory, Paper::Policy, Paper::Assessment];
    let papers = args.paper.as_ref().map_or(all.as_slice(), std::slice::from_ref);
    for paper in papers {
        output::made(facts.write(*paper, args.language))?;
    }
    Ok(())
}
