//! `passerby serve` and `passerby migrate`.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

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
    // From here on the process ends well when it is told to, also before it has come up.
    let signals = Signals::listen()?;
    let told = signals.told();
    tokio::pin!(told);
    let collecting = tokio::select! {
        collecting = start(context) => collecting?,
        () = &mut told => return Ok(()),
    };
    tracing::info!(address = %collecting.address(), "beacons are accepted");
    told.await;
    tracing::info!("stopping");
    collecting.stop().await;
    Ok(())
}

async fn start(context: Context) -> anyhow::Result<Collecting> {
    let app = App::open(context.config, &context.environment, context.clock).await?;
    Collecting::start(app).await
}

/// SIGTERM and SIGINT, from the moment on at which this was made.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        let (terminate, interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
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
    let outcome = app.wait_for_database(MIGRATE_PATIENCE).await;
    app.close().await;
    outcome?;
    output::tell("The tables are those of this version.");
    Ok(())
}
