//! The command line. One `match` in [`run`] is the table of contents.
//!
//! What a command made stands alone on standard output, for programs; messages for people go to
//! standard error. Exit codes: 0 done, 1 it failed (a sentence says why), 2 wrong arguments.

mod access_log;
mod annotation;
mod audit;
mod backup;
mod check;
mod check_page;
mod demo;
pub mod engine;
mod erase;
mod export;
mod goal;
mod import;
mod link;
mod mail;
mod member;
mod output;
mod policy;
mod privacy;
mod progress;
mod quarantine;
mod query;
mod remote;
mod segment;
mod serve;
mod site;
pub mod table;
mod tag;
mod token;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::clock::{SharedClock, SystemClock};
use crate::config::{Config, Environment};

/// Counts the visits to a web site and forgets the visitors.
#[derive(Parser)]
#[command(name = "passerby", version, about, max_term_width = 100)]
struct Cli {
    /// The configuration (TOML); without one the defaults hold. A key can also be set by a PASSERBY_… variable, but for
    /// what is chosen for single sites, reports by mail and alerts.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show a year of generated traffic: engine, collector and dashboard in one command
    Demo(demo::Args),
    /// Run the collector
    Serve,
    /// Register sites
    #[command(subcommand)]
    Site(site::Command),
    /// Show the line that the pages of a site paste
    Tag(tag::Args),
    /// Set up what sites want their visitors to do
    #[command(subcommand)]
    Goal(goal::Command),
    /// Save sets of filters under a name
    #[command(subcommand)]
    Segment(segment::Command),
    /// Write what happened on a day beside the numbers
    #[command(subcommand)]
    Annotation(annotation::Command),
    /// Make and end links that open the page of a site
    #[command(subcommand)]
    Link(link::Command),
    /// Say who may sign in to the dashboard, and what for
    #[command(subcommand)]
    Member(member::Command),
    /// Try out whether mails arrive
    #[command(subcommand)]
    Mail(mail::Command),
    /// Make and end the tokens that open reports
    #[command(subcommand)]
    Token(token::Command),
    /// Take in events from a file of JSON lines
    Import(import::Args),
    /// Write the events of a site as a file of JSON lines
    Export(export::Args),
    /// Show a report in the terminal
    Query(query::Args),
    /// Check the configuration, ClickHouse, the spool and the places; or a page that shall be counted
    Check(check::Args),
    /// Erase events of a site everywhere they are
    Erase(erase::Args),
    /// Wipe the day's salt of a collector that was stopped for good, which a restart would go on with
    Forget,
    /// Print the record of processing, the inventory of data, and a text for a site's privacy policy
    Privacy(privacy::Args),
    /// Look at events that ClickHouse refuses, and load them again
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Look whether a running installation keeps its promises of privacy
    Audit(audit::Args),
    /// Show who read which report, and when
    AccessLog(access_log::Args),
    /// Write a backup of everything that ClickHouse holds
    Backup(backup::Args),
    /// Bring a backup into an empty database
    Restore(backup::Args),
    /// Bring the tables up to date (a start of the collector does so too)
    Migrate {
        /// Say what would be done, a step a line, and do nothing
        #[arg(long)]
        plan: bool,
    },
    /// The embedded engine, as a child process of the collector
    #[command(hide = true)]
    Engine(engine::Args),
}

/// How long it is waited for what a command has left behind: what a disk keeps that does not answer has no end.
const LEFTOVERS_PATIENCE: Duration = Duration::from_millis(500);

/// What every command is given: nothing else reads the environment or the clock.
struct Context {
    config: Config,
    environment: Environment,
    clock: SharedClock,
}

/// Runs the command that the arguments name.
///
/// # Errors
/// Why it failed, as one sentence for whoever typed it.
pub fn run(environment: Environment) -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Command::Engine(args) = cli.command {
        return engine::run(&args);
    }
    let config = Config::load(cli.config.as_deref(), &environment)?;
    let clock = clock(&config);
    let context = Context { config, environment, clock };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => demo::run(context, args).await,
            Command::Check(args) => check::run(context, args).await,
            Command::Erase(args) => erase::run(context, args).await,
            Command::Forget => privacy::forget(&context),
            Command::Privacy(args) => privacy::run(context, args).await,
            Command::Audit(args) => audit::run(context, args).await,
            Command::Import(args) => import::run(context, args).await,
            Command::Export(args) => export::run(context, args).await,
            Command::Serve => serve::run(context).await,
            Command::Site(command) => site::run(context, command).await,
            Command::Tag(args) => tag::run(&context, &args),
            Command::Goal(command) => goal::run(context, command).await,
            Command::Segment(command) => segment::run(context, command).await,
            Command::Annotation(command) => annotation::run(context, command).await,
            Command::Link(command) => link::run(context, command).await,
            Command::Member(command) => member::run(context, command).await,
            Command::Mail(command) => mail::run(context, command).await,
            Command::Token(command) => token::run(context, command).await,
            Command::Query(args) => query::run(context, args).await,
            Command::AccessLog(args) => access_log::run(context, args).await,
            Command::Backup(args) => backup::backup(context, args).await,
            Command::Restore(args) => backup::restore(context, args).await,
            Command::Quarantine(command) => quarantine::run(context, command).await,
            Command::Migrate { plan: true } => serve::plan(context).await,
            Command::Migrate { plan: false } => serve::migrate(context).await,
            Command::Engine(_) => {
                unreachable!("handled above: the engine must not run inside a runtime")
            }
        }
    });
    runtime.shutdown_timeout(LEFTOVERS_PATIENCE);
    outcome
}

/// The machine's clock; in a debug build a test may have set it.
fn clock(config: &Config) -> SharedClock {
    #[cfg(debug_assertions)]
    if let Some(wishes) = &config.faults {
        return crate::faults::ShiftedClock::of(wishes);
    }
    let _ = config;
    Arc::new(SystemClock)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
