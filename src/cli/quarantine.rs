//! `passerby quarantine`: events that ClickHouse refuses.

use axum::http::Method;
use clap::Subcommand;

use super::remote::with;
use super::{Context, output};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show what has been put aside, one a line: ClickHouse's error code, site, name, number of events
    List,
    /// Load the events again; what is refused once more stays
    Replay,
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    with(&context, async |remote| match command {
        Command::List => {
            let answer = remote.call(Method::GET, "/api/v1/quarantine", None).await?;
            for entry in answer["quarantine"].as_array().into_iter().flatten() {
                let site = entry["site"].as_str().unwrap_or("?");
                let name = entry["name"].as_str().unwrap_or("?");
                output::made(format!("{}\t{site}\t{name}\t{}", entry["code"], entry["events"]))?;
            }
            Ok(())
        }
        Command::Replay => {
            let answer = remote.call(Method::POST, "/api/v1/quarantine/replay", None).await?;
            output::tell(format!(
                "{} events were loaded, {} are still refused.",
                answer["loaded"], answer["kept"]
            ));
            Ok(())
        }
    })
    .await
}
