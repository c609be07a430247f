//! `passerby mail`: whether mails arrive.

use axum::http::Method;
use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::remote::{text, with};
use super::{Context, output};
use crate::config::Every;
use crate::record::Language;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Send the report of the last whole day, week or month to an address now
    Test {
        /// The address
        address: String,
        /// The domain of the site; by default the first
        #[arg(long)]
        site: Option<String>,
        /// What the report is about
        #[arg(long, value_enum, default_value = "week")]
        every: Every,
        /// Its language
        #[arg(long, value_enum, default_value = "en")]
        language: Language,
    },
}

pub(super) async fn run(context: Context, command: Command) -> anyhow::Result<()> {
    let Command::Test { address, site, every, language } = command;
    with(&context, async |remote| {
        let language = language.to_possible_value();
        let wanted = json!({
            "to": address, "site": site, "every": every.name(),
            "language": language.as_ref().map(clap::builder::PossibleValue::get_name),
        });
        let sent = remote.call(Method::POST, "/api/v1/mails", Some(wanted)).await?;
        output::tell(format!(
            "The mail server took the report of {} about {} to {}; look whether {address} gets it.",
            text(&sent, "site"),
            text(&sent, "from"),
            text(&sent, "to"),
        ));
        Ok(())
    })
    .await
}
