//! `passerby serve` and `passerby migrate`.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::{Context, output};
use crate::app::App;
use crate::app::collecting::Collecting;
use crate::{privacy, telemetry};

/// How long `migrate` waits for ClickHouse.
const MIGRATE_PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn run(context: Context) -> anyhow::Result<()> {
    telemetry::start_log(&context.config.log)?;
    for name in context.environment.misspelt() {
        tracing::warn!(name, "this variable is none of Passerby's, and changes nothing");
    }
    privacy::harden_process();
    let app = App::open(context.config, &context.environment, context.clock).await?;
    let collecting = Collecting::start(app).await?;
    tracing::info!(address = %collecting.address(), "beacons are accepted");
    until_told_to_stop().await?;
    tracing::info!("stopping");
    collecting.stop().await;
    Ok(())
}

/// Returns at the first SIGTERM or SIGINT. A second one ends the process at once.
pub(super) async fn until_told_to_stop() -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    });
    Ok(())
}

pub(super) async fn migrate(context: Context) -> anyhow::Result<()> {
    let app = App::open(context.config, &context.environment, context.clock).await?;
    let outcome = app.wait_for_database(MIGRATE_PATIENCE).await;
    app.close().await;
    outcome?;
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
