//! ClickHouse as the collector has it: the embedded engine or a configured server, with a task that
//! makes the tables, keeps the catalog fresh, and knows whether the database answers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::config::{Config, Environment};
use crate::http::health::{Health, Tables};
use crate::store::catalog::Catalog;
use crate::store::engine::{Analyst, Engine, EngineSettings, discover};
use crate::store::migration::Planned;
use crate::store::{Cluster, Server, Store, StoreError};
use crate::telemetry::ToldOnce;

/// How often the catalog is read anew, and with it whether the database answers: other collectors
/// may have changed it.
const REFRESH_INTERVAL: Duration = Duration::from_secs(10);
/// How soon a database that does not answer is tried again: an engine is there in a moment.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// After as long it is nothing that is over in a moment.
const SOON: Duration = Duration::from_secs(10);
/// How soon it is tried again then, at most.
const RETRY_INTERVAL_MAX: Duration = Duration::from_secs(5);
/// A database that does not answer for as long is worth a warning: an engine takes a moment to start.
const GRACE: Duration = Duration::from_secs(5);

/// The database, and the task that watches it.
pub(super) struct Database {
    store: Arc<Store>,
    engine: Option<Engine>,
    ready: watch::Receiver<State>,
    keeper: JoinHandle<()>,
}

/// What the keeper found last.
#[derive(Clone, Debug)]
enum State {
    /// Not tried yet.
    Unknown,
    /// It does not answer, or refuses; why.
    Away(String),
    /// It has its tables, and nothing of what is known in them.
    Emptied,
    /// The tables are there and the catalog has been read.
    Ready,
}

impl Database {
    pub(super) async fn start(
        config: &Config,
        environment: &Environment,
        catalog: Arc<Catalog>,
        health: Arc<Health>,
    ) -> anyhow::Result<Self> {
        let (engine, store) = connect(config, environment)?;
        let store = Arc::new(store);
        if catalog.knows_sites() {
            store.expect_sites();
        }
        let (found, ready) = watch::channel(State::Unknown);
        let keeper = tokio::spawn(keep(Arc::clone(&store), catalog, health, found));
        Ok(Self { store, engine, ready, keeper })
    }

    pub(super) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Waits for its tables. Says whether the catalog was read from them, or whether they are empty where it is not.
    pub(super) async fn wait_for_tables(&self, patience: Duration) -> anyhow::Result<bool> {
        let mut ready = self.ready.clone();
        let has_tables = |state: &State| matches!(state, State::Ready | State::Emptied);
        match tokio::time::timeout(patience, ready.wait_for(has_tables)).await {
            Ok(state) => {
                let state = state.context("the database's keeper has ended")?;
                Ok(matches!(*state, State::Ready))
            }
            Err(_) => match &*self.ready.borrow() {
                State::Away(why) => bail!("{why}"),
                State::Unknown | State::Emptied | State::Ready => {
                    bail!("no answer in {} s", patience.as_secs())
                }
            },
        }
    }

    /// Comes as soon as the catalog has been read from its tables.
    pub(super) fn when_ready(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut ready = self.ready.clone();
        async move {
            let is_ready = |state: &State| matches!(state, State::Ready);
            if ready.wait_for(is_ready).await.is_err() {
                std::future::pending().await
            }
        }
    }

    pub(super) async fn stop(self) {
        self.keeper.abort();
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// The engine, if it is an embedded one, and access to it.
fn connect(config: &Config, environment: &Environment) -> anyhow::Result<(Option<Engine>, Store)> {
    let (engine, writer, reader) = match &config.clickhouse.url {
        Some(url) => {
            let (writer, reader) = configured(config, url);
            (None, writer, reader)
        }
        None => {
            let settings = EngineSettings {
                directory: config.data_dir.join("engine"),
                source: discover(config.engine.path.as_deref(), environment.get("PATH"))?,
                program: None,
                memory_bytes_max: config.engine.memory_bytes_max,
                port: config.engine.port,
                analyst: Analyst {
                    password: config.engine.analyst_password.clone(),
                    sites: config.engine.analyst_sites.clone(),
                },
            };
            let engine = Engine::start(settings)?;
            let (writer, reader) = (engine.writer(), engine.reader());
            (Some(engine), writer, reader)
        }
    };
    let clickhouse = &config.clickhouse;
    let store = match &clickhouse.cluster {
        None => Store::connect(&writer, &reader),
        Some(name) => {
            let cluster = Cluster {
                name: name.clone(),
                nodes: clickhouse.nodes.clone(),
                is_replicated: clickhouse.replicated,
            };
            Store::connect_to_cluster(&writer, &reader, cluster)
        }
    };
    Ok((engine, store))
}

/// What a start of this version would do to the tables. Nothing is changed.
pub(super) async fn plan(
    config: &Config,
    environment: &Environment,
    patience: Duration,
) -> anyhow::Result<Vec<Planned>> {
    let (engine, store) = connect(config, environment)?;
    let begun = Instant::now();
    let outcome = loop {
        match store.plan().await {
            Err(error) if begun.elapsed() >= patience => break Err(error),
            Err(_) => tokio::time::sleep(RETRY_INTERVAL).await,
            Ok(steps) => break Ok(steps),
        }
    };
    if let Some(engine) = engine {
        engine.stop().await;
    }
    outcome.context("ClickHouse does not answer")
}

fn configured(config: &Config, url: &str) -> (Server, Server) {
    let clickhouse = &config.clickhouse;
    let writer = Server {
        url: url.to_owned(),
        user: clickhouse.user.clone(),
        password: clickhouse.password.expose().to_owned(),
        database: clickhouse.database.clone(),
    };
    let reader = match &clickhouse.reader_user {
        None => writer.clone(),
        Some(user) => Server {
            user: user.clone(),
            password: clickhouse.reader_password.expose().to_owned(),
            ..writer.clone()
        },
    };
    (writer, reader)
}

/// Makes the tables once, then reads the catalog every few seconds, for as long as the collector runs.
/// A state is logged when it begins, not each time it is found again.
async fn keep(
    store: Arc<Store>,
    catalog: Arc<Catalog>,
    health: Arc<Health>,
    found: watch::Sender<State>,
) {
    let (mut has_tables, mut away_since, mut has_warned) = (false, None, false);
    let told_of_reader = ToldOnce::default();
    loop {
        let outcome = refresh(&store, &catalog, &health, &mut has_tables).await;
        if outcome.is_ok() {
            try_reader(&store, &health, &told_of_reader).await;
        }
        health.set_database(outcome.as_ref().err());
        let pause = match outcome {
            Ok(()) => {
                if !matches!(*found.borrow(), State::Ready) {
                    tracing::info!("ClickHouse answers and has its tables");
                }
                found.send_replace(State::Ready);
                (away_since, has_warned) = (None, false);
                REFRESH_INTERVAL
            }
            Err(error @ StoreError::Emptied) => {
                if !matches!(*found.borrow(), State::Emptied) {
                    tracing::error!(%error, "beacons are accepted, and kept in the spool");
                }
                found.send_replace(State::Emptied);
                REFRESH_INTERVAL
            }
            Err(error) => {
                let away_for = away_since.get_or_insert_with(Instant::now).elapsed();
                if !has_warned && away_for >= GRACE {
                    has_warned = true;
                    tell_it_is_away(&error, catalog.is_loaded());
                }
                found.send_replace(State::Away(error.to_string()));
                pause_after(away_for)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// The longer a database is away, the less often it is asked: half a second more for each second, up to the most.
fn pause_after(away_for: Duration) -> Duration {
    let beyond = away_for.saturating_sub(SOON) / 2;
    (RETRY_INTERVAL + beyond).min(RETRY_INTERVAL_MAX)
}

/// Without the sites nothing can be accepted, and a collector that starts for the first time does not know them.
fn tell_it_is_away(error: &StoreError, knows_sites: bool) {
    if knows_sites {
        tracing::warn!(
            %error,
            "ClickHouse does not answer; beacons are kept in the spool until it does. Check clickhouse.url, or the embedded \
             engine's log in the data directory"
        );
    } else {
        tracing::error!(
            %error,
            "ClickHouse does not answer, and has not told yet which sites there are: every beacon is refused, and lost, until it \
             does. Check clickhouse.url, or the embedded engine's log in the data directory"
        );
    }
}

/// Looks whether reports can be read: all else is done as the user that writes, and does not notice when they can not.
async fn try_reader(store: &Store, health: &Health, told: &ToldOnce) {
    match store.try_reader().await {
        Ok(()) => {
            health.set_reader(None);
            told.is_over();
        }
        Err(error @ StoreError::Missing { .. }) => {
            health.set_reader(Some(&error));
            if told.is_new(&error) {
                tracing::error!(%error, "no report can be answered, because a table is missing");
            }
        }
        Err(error @ StoreError::Rejected { .. }) => {
            health.set_reader(Some(&error));
            if told.is_new(&error) {
                tracing::error!(
                    %error,
                    "no report can be answered, because the user that reports read as may not read: check clickhouse.reader_user and \
                     clickhouse.reader_password"
                );
            }
        }
        // It has too much to do, or has just gone away.
        Err(error) => tracing::debug!(%error, "whether reports can be read is looked at later"),
    }
}

async fn refresh(
    store: &Store,
    catalog: &Catalog,
    health: &Health,
    has_tables: &mut bool,
) -> Result<(), StoreError> {
    if !*has_tables {
        let planned = store.plan().await?;
        if planned.iter().any(|planned| planned.step.sql().is_some()) {
            health.set_tables(Tables::Changing);
        }
        let outcome = store.apply_schema().await;
        // What could not be changed is not worth a beacon: the spool has room until it is.
        health.set_tables(Tables::Settled);
        outcome?;
        *has_tables = true;
    }
    catalog.refresh(store).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_for_long_is_asked_less_often() {
        let (mut away_for, mut attempts) = (Duration::ZERO, 0);
        while away_for < Duration::from_secs(60) {
            away_for += pause_after(away_for);
            attempts += 1;
        }
        assert_eq!(pause_after(Duration::from_secs(9)), RETRY_INTERVAL, "an engine that starts");
        assert_eq!(pause_after(away_for), RETRY_INTERVAL_MAX);
        assert!(attempts < 130, "{attempts} in a minute");
    }
}
