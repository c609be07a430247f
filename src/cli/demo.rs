//! `passerby demo`: everything at once, with a year of generated traffic.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Parser;

use super::progress::Progress;
use super::serve::Signals;
use super::{Context, output};
use crate::app::App;
use crate::app::collecting::Collecting;
use crate::demo::{self, Amount};
use crate::site::Site;
use crate::store::Selection;
use crate::store::catalog::{AnnotationChange, NewToken, Scope, SiteChange};
use crate::telemetry;

/// What the address can be changed with: `listen` has the port of the arguments here.
const LISTEN_KEY: &str = "--port (with make: DEMO='--port 8001')";
/// How long the engine may take to start.
const ENGINE_PATIENCE: Duration = Duration::from_secs(30);
/// A file in the data directory, for as long as not all of the traffic is there.
const UNFINISHED: &str = "demo.unfinished";

/// Show a year of generated traffic: engine, collector and dashboard in one command.
#[derive(Parser)]
pub(super) struct Args {
    /// How many events there shall be, roughly
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// How many days they shall be spread over
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// The port of the dashboard, of 127.0.0.1
    #[arg(long, default_value_t = 8000)]
    port: u16,
    /// Where the data is kept; by default in a directory that is removed at the end
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// What chance begins with: the same seed gives the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(super) async fn run(context: Context, args: Args) -> anyhow::Result<()> {
    let Context { mut config, environment, clock } = context;
    // The progress bar has the terminal for itself, but for what goes wrong.
    telemetry::start_log_of_a_command(&config.log)?;
    let temporary = match &args.data {
        Some(_) => None,
        None => Some(
            // It is a data directory like any other, and its owner's alone.
            tempfile::Builder::new()
                .prefix("passerby-demo-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir()
                .context("there is no room for the demo's data; name a directory with --data")?,
        ),
    };
    config.data_dir = match (&args.data, &temporary) {
        (Some(directory), _) => directory.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => config.data_dir,
    };
    config.listen.set_port(args.port);
    // From here on the demo ends well when it is told to, also before its traffic is there: its directory is removed.
    let told = Signals::listen()?.told();
    tokio::pin!(told);
    let start = async {
        let app = App::open(config, &environment, clock).await?;
        Collecting::start(app, LISTEN_KEY).await
    };
    let collecting = tokio::select! {
        collecting = start => collecting?,
        () = &mut told => return Ok(()),
    };
    let is_shown = tokio::select! {
        shown = show(&collecting, &args) => shown.map(|()| true),
        () = &mut told => Ok(false),
    };
    let outcome = match is_shown {
        Ok(true) => tokio::select! {
            () = told => Ok(()),
            error = collecting.failed() => Err(error),
        },
        is_shown => is_shown.map(drop),
    };
    collecting.stop().await;
    outcome
}

/// Makes the traffic, unless it is there, and says where it can be looked at.
async fn show(collecting: &Collecting, args: &Args) -> anyhow::Result<()> {
    let app = collecting.app();
    app.wait_for_database(ENGINE_PATIENCE).await?;
    let token = fill(app, args).await?;
    let base = format!("http://{}", collecting.address());
    output::tell(format!(
        "
  Passerby is running, with {} days of generated traffic. Open

    {base}/{domain}

  or ask the reporting API:

    curl {base}/api/v2/query -H 'Authorization: Bearer {token}' \\
      -d '{{\"site_id\": \"{domain}\", \"metrics\": [\"visitors\", \"pageviews\"], \"date_range\": \"30d\", \"dimensions\": [\"visit:source\"]}}'

  Ctrl-C ends it.
",
        args.days,
        domain = demo::DOMAIN,
    ));
    Ok(output::made(format!("{base}/{}", demo::DOMAIN))?)
}

/// Writes beside the chart what happened, and takes away that there are goals since today: that is no change here.
async fn annotate(app: &App, site: &Site, days: u32) -> anyhow::Result<()> {
    let services = app.services();
    let (catalog, store, now) = (&services.catalog, &services.store, services.clock.now());
    let automatic = catalog.site(demo::DOMAIN).map(|site| site.annotations.clone());
    for annotation in automatic.unwrap_or_default() {
        catalog.remove_annotation(store, demo::DOMAIN, annotation.id, now).await?;
    }
    for (day, text) in demo::annotations(site, days, now) {
        let note = AnnotationChange { date: Some(day.to_string()), text: Some(text.to_owned()) };
        catalog.put_annotation(store, demo::DOMAIN, None, note, now).await?;
    }
    Ok(())
}

/// Registers the site and loads its traffic, unless an earlier run did so to the end; returns a token for its reports.
async fn fill(app: &App, args: &Args) -> anyhow::Result<String> {
    let services = app.services();
    let (catalog, store, now) = (&services.catalog, &services.store, services.clock.now());
    let unfinished = app.config().data_dir.join(UNFINISHED);
    let was_interrupted = unfinished.exists();
    if catalog.site(demo::DOMAIN).is_none() || was_interrupted {
        std::fs::write(&unfinished, "").context("the data directory can not be written")?;
        let change = SiteChange {
            timezone: Some(demo::TIMEZONE.to_owned()),
            public: Some(true),
            // Nobody in it is a person.
            least_visitors: Some(1),
            ..SiteChange::default()
        };
        let site = catalog.put_site(store, demo::DOMAIN, change, now).await?;
        for goal in demo::goals() {
            catalog.put_goal(store, demo::DOMAIN, goal, now).await?;
        }
        annotate(app, &site, args.days).await?;
        if was_interrupted {
            output::tell("An earlier run was interrupted; what it generated is erased.");
            store.erase(&Selection::of(site.id)).await?;
        }
        output::tell(format!("Generating {} days of traffic for {} ...", args.days, demo::DOMAIN));
        let begun = Instant::now();
        let mut progress = Progress::new(args.events, "events");
        let amount = Amount { days: args.days, events: args.events, seed: args.seed };
        let events = demo::load(store, &site, amount, now, |events| progress.set(events)).await?;
        progress.finish();
        std::fs::remove_file(&unfinished).context("the data directory can not be written")?;
        output::tell(format!("{events} events in {:.1} s.", begun.elapsed().as_secs_f64()));
    }
    let new = NewToken {
        scope: Scope::Stats,
        sites: vec![demo::DOMAIN.to_owned()],
        note: "demo".to_owned(),
        least_visitors: None,
        expires_at: None,
    };
    Ok(catalog.create_token(store, new, now).await?)
}
