//! Wires the parts, starts them in their order, and stops them in the opposite one.
//!
//! [`App`] is what every command needs: the data directory, ClickHouse and the catalog.
//! [`collecting`] is what `serve` and `demo` add to it: the door, the wall, the visits, the spool and
//! the loader. Nothing else composes parts.

pub mod collecting;
mod data_dir;
mod database;
mod retention;
mod tasks;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

pub use data_dir::InUse;

use crate::access_log::AccessLog;
use crate::clock::SharedClock;
use crate::config::{Config, Environment};
use crate::erasure::Eraser;
use crate::http::Services;
use crate::http::guesses::Guesses;
use crate::http::health::Health;
use crate::http::probe::Probe;
use crate::http::queue::{Queue, Visitors};
use crate::http::script::Scripts;
use crate::notices::post::Post;
use crate::privacy::{Ledger, OnObjection, SaltStore, Salts};
use crate::sign_in::SignIn;
use crate::store::StoreError;
use crate::store::catalog::Catalog;
use crate::store::loader::quarantine::Quarantine;
use crate::store::migration::Planned;
use crate::telemetry::Counters;
use data_dir::DataDir;
use database::Database;

/// The parts that every command needs, started.
pub struct App {
    config: Config,
    services: Services,
    database: Database,
    _data_dir: DataDir,
}

impl App {
    /// Takes the data directory, starts the engine (or turns to the configured server), and reads the
    /// catalog's snapshot. The database may not answer yet: see [`Self::wait_for_database`].
    ///
    /// # Errors
    /// When the data directory can not be written or is in use ([`InUse`]), or there is no engine.
    pub async fn open(
        config: Config,
        environment: &Environment,
        clock: SharedClock,
    ) -> anyhow::Result<Self> {
        let data_dir = DataDir::take(&config.data_dir)?;
        let catalog =
            Catalog::open(config.data_dir.join("catalog.json"), config.privacy.policies());
        let catalog = Arc::new(catalog);
        let health = Arc::new(Health::default());
        let database =
            Database::start(&config, environment, Arc::clone(&catalog), Arc::clone(&health))
                .await?;
        let quarantine = Arc::new(Quarantine::of(&config.data_dir, Arc::clone(&clock)));
        let eraser =
            Eraser::new(database.store(), Arc::clone(&quarantine), config.data_dir.clone());
        let script = Arc::new(config.script.clone());
        let services = Services {
            clock,
            eraser: Arc::new(eraser),
            catalog,
            store: database.store(),
            counters: Arc::new(Counters::default()),
            health,
            heeds_objections: config.privacy.on_objection != OnObjection::Ignore,
            quarantine,
            queue: Queue::default(),
            visitors: Visitors::default(),
            access_log: Arc::new(AccessLog::open(
                config.data_dir.join("reads"),
                config.access_log.days,
            )),
            guesses: Guesses::default(),
            public_url: config.public_url.clone(),
            sign_in: Arc::new(SignIn::open(&config)?),
            embed_in: config.dashboard.embed_in.clone().into(),
            scripts: Arc::new(Scripts::new(Arc::clone(&script))),
            script,
            post: Post::of(&config.mail)?.map(Arc::new),
            probe: Arc::new(Probe::new()?),
        };
        Ok(Self { config, services, database, _data_dir: data_dir })
    }

    /// Wipes the day's salt of a collector that does not run. Returns whether there was one.
    ///
    /// # Errors
    /// When a collector runs ([`InUse`]), or it can not be wiped.
    pub fn forget(config: &Config, clock: &SharedClock) -> anyhow::Result<bool> {
        let _data_dir = DataDir::take(&config.data_dir)?;
        let store = SaltStore::open(config.privacy.salt_dir.as_deref(), &config.data_dir);
        let ledger = Ledger::open(&config.data_dir);
        Salts::forget(&store, &ledger, clock.now()).context("the day's salt could not be wiped")
    }

    /// What a start on this configuration would do to the tables. Nothing is changed, and with a
    /// ClickHouse server of its own the collector may run meanwhile.
    ///
    /// # Errors
    /// As [`Self::open`], and when the database does not answer in time.
    pub async fn plan(
        config: &Config,
        environment: &Environment,
        patience: Duration,
    ) -> anyhow::Result<Vec<Planned>> {
        // The embedded engine's files are the directory's.
        let _data_dir = match config.clickhouse.url {
            Some(_) => None,
            None => Some(DataDir::take(&config.data_dir)?),
        };
        database::plan(config, environment, patience).await
    }

    /// What the routes work with.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// What the operator chose.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Waits until ClickHouse answers, its tables are there, and the catalog is read from them.
    ///
    /// # Errors
    /// When that has not come about in time: why not.
    pub async fn wait_for_database(&self, patience: Duration) -> anyhow::Result<()> {
        match self.wait_for_tables(patience).await? {
            true => Ok(()),
            false => Err(StoreError::Emptied.into()),
        }
    }

    /// Waits until ClickHouse answers and its tables are there. Says whether the catalog was read from them: it is not when they
    /// are empty, and it knows of sites ([`StoreError::Emptied`]).
    ///
    /// # Errors
    /// When that has not come about in time: why not.
    pub async fn wait_for_tables(&self, patience: Duration) -> anyhow::Result<bool> {
        self.database.wait_for_tables(patience).await.context("ClickHouse does not answer")
    }

    /// Comes when ClickHouse answers, its tables are there, and the catalog is read from them: never, if that never is.
    fn when_ready(&self) -> impl Future<Output = ()> + Send + use<> {
        self.database.when_ready()
    }

    /// Stops what was started.
    pub async fn close(self) {
        self.database.stop().await;
    }
}
