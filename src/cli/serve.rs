//! `passerby serve` and `passerby migrate`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, output};
use crate::app::collecting::Collecting;
use crate::app::{App, InUse};
use crate::http::control::Caller;
use crate::{privacy, telemetry};

/// How long `migrate` waits for ClickHouse.
const MIGRATE_PATIENCE: Duration = Duration::from_secs(5);
/// How long a start waits for a command that works on the data directory, which is as long as commands wait for a start.
const COMMAND_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked meanwhile whether the command has ended.
const COMMAND_PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn run(context: Context) -> anyhow::Result<()> {
    telemetry::start_log(&context.config.log)?;
    for name in context.environment.misspelt() {
        tracing::warn!(name, "this variable is none of Passerby's, and changes nothing");
    }
    privacy::harden_process();
    // From here on the process ends well when it is told to, also before it has come up.
    let signals = Signals::listen()?;
    let told = signals.told();
    tokio::pin!(told);
    let collecting = tokio::select! {
        collecting = start(context) => collecting?,
        () = &mut told => return Ok(()),
    };
    tracing::info!(address = %collecting.address(), "beacons are accepted");
    let outcome = tokio::select! {
        () = told => Ok(()),
        error = collecting.failed() => Err(error),
    };
    tracing::info!("stopping");
    collecting.stop().await;
    outcome
}

async fn start(context: Context) -> anyhow::Result<Collecting> {
    let begun = Instant::now();
    let mut has_told = false;
    loop {
        let (config, clock) = (context.config.clone(), Arc::clone(&context.clock));
        match App::open(config, &context.environment, clock).await {
            Ok(app) => return Collecting::start(app, "listen or PASSERBY_LISTEN").await,
            Err(error) if error.is::<InUse>() && begun.elapsed() < COMMAND_PATIENCE => {
                // A collector stays. A command ends, and does not listen to others.
                if Caller::connect(&context.config.data_dir).await.is_some() {
                    return Err(error);
                }
                if !std::mem::replace(&mut has_told, true) {
                    tracing::info!(
                        "another passerby works on the data directory: waiting until it has ended"
                    );
                }
                tokio::time::sleep(COMMAND_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// SIGTERM and SIGINT, from the moment on at which this was made. A SIGHUP ends the process no more from then on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let (terminate, interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // It asks for what was replaced to be read anew. Before there is anything that could be, it must not end the process.
        drop(signal(SignalKind::hangup())?);
        Ok(Self { terminate, interrupt })
    }

    /// Returns at the first of them. A second one ends the process at once.
    pub(super) async fn told(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

pub(super) async fn migrate(context: Context) -> anyhow::Result<()> {
    let app = App::open(context.config, &context.environment, context.clock).await?;
    let outcome = async {
        app.wait_for_database(MIGRATE_PATIENCE).await?;
        Ok::<_, anyhow::Error>(app.services().store.plan().await?)
    };
    let outcome = outcome.await;
    app.close().await;
    let left = outcome?;
    for step in &left {
        output::made(step)?;
    }
    if !left.is_empty() {
        bail!("the tables are not those of this version: what is left is for whoever changed them");
    }
    output::tell("The tables are those of this version.");
    Ok(())
}

/// Says what a migration would do.
pub(super) async fn plan(context: Context) -> anyhow::Result<()> {
    let steps = App::plan(&context.config, &context.environment, MIGRATE_PATIENCE).await?;
    for step in &steps {
        output::made(step)?;
    }
    if steps.is_empty() {
        output::tell("Nothing: the tables are those of this version.");
    }
    Ok(())
}
