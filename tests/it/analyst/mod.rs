//! What an analyst sees: the views, and Grafana's dashboards on them.
//!
//! All of it is asked for as the read-only user, of an engine that has the demo's traffic, and compared
//! with what the reporting API answers.

mod dashboards;
mod grafana;
mod views;

use std::sync::Arc;

use jiff::Timestamp;
use passerby::clock::{Clock, SystemClock};
use passerby::demo::{self, Amount};
use passerby::query::Known;
use passerby::report;
use passerby::site::Site;
use passerby::store::catalog::{Catalog, SiteChange};
use passerby::store::engine::Engine;
use passerby::store::{Server, Store};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::support::{connect, engine_settings};

/// An engine with the demo's traffic, and other sites beside it.
pub(crate) struct Traffic {
    engine: Engine,
    pub(crate) site: Arc<Site>,
    /// One moment that is now for the whole test run.
    pub(crate) now: Timestamp,
    _directory: TempDir,
}

/// The engine that these tests share. They only read from it.
pub(crate) async fn traffic() -> &'static Traffic {
    static SHARED: OnceCell<Traffic> = OnceCell::const_new();
    SHARED.get_or_init(Traffic::begin).await
}

impl Traffic {
    async fn begin() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::start(engine_settings(directory.path())).unwrap();
        let store = connect(&engine.writer(), &engine.reader()).await;
        let catalog = Catalog::open(
            directory.path().join("catalog.json"),
            passerby::site::policy::Policies::default(),
        );
        let now = SystemClock.now();
        let site = put_site(&catalog, &store, demo::DOMAIN, demo::TIMEZONE, None).await;
        let amount = Amount { days: 40, events: 12_000, seed: 7 };
        demo::load(&store, &site, amount, now, |_| {}).await.unwrap();
        let few = Amount { days: 10, events: 500, seed: 8 };
        for (domain, timezone, days) in [
            ("kept.example", "Asia/Kolkata", Some(3)),
            ("long.example", "America/New_York", Some(250)),
            ("removed.example", "Etc/UTC", None),
        ] {
            let site = put_site(&catalog, &store, domain, timezone, days).await;
            demo::load(&store, &site, few, now, |_| {}).await.unwrap();
        }
        catalog.remove_site(&store, "removed.example", now).await.unwrap();
        Self { engine, site, now, _directory: directory }
    }

    /// What the user who reads the views is answered.
    pub(crate) async fn ask(&self, sql: &str) -> Result<Vec<Vec<Value>>, String> {
        rows(&self.engine.analyst(), sql).await
    }

    /// The only value of the only row.
    pub(crate) async fn value(&self, sql: &str) -> Value {
        self.ask(sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"))[0][0].clone()
    }

    /// The rows of a report of the demo's site, each as its dimensions and metrics in one list.
    pub(crate) async fn report(&self, parts: &Value) -> Vec<Vec<Value>> {
        let store = Store::connect(&self.engine.writer(), &self.engine.reader());
        let mut query = json!({ "site_id": demo::DOMAIN });
        for (key, value) in parts.as_object().unwrap() {
            query[key] = value.clone();
        }
        let known = Known::new(&self.site, self.now);
        let answer = report::ask_knowing(&store, known, &query).await;
        let answer = answer.unwrap_or_else(|error| panic!("{parts}: {error}"));
        let list = |row: &Value, key: &str| row[key].as_array().unwrap().clone();
        let rows = answer["results"].as_array().unwrap();
        rows.iter().map(|row| [list(row, "dimensions"), list(row, "metrics")].concat()).collect()
    }
}

async fn put_site(
    catalog: &Catalog,
    store: &Store,
    domain: &str,
    timezone: &str,
    retention_days: Option<u32>,
) -> Arc<Site> {
    let timezone = Some(timezone.to_owned());
    let change = SiteChange { timezone, retention_days, ..SiteChange::default() };
    let now = SystemClock.now();
    catalog.put_site(store, domain, change, now).await.unwrap()
}

/// What a user of the engine is answered, as Grafana would be.
pub(crate) async fn rows(server: &Server, sql: &str) -> Result<Vec<Vec<Value>>, String> {
    let client = clickhouse::Client::default()
        .with_url(&server.url)
        .with_user(&server.user)
        .with_password(&server.password)
        .with_database(&server.database)
        .with_setting("output_format_json_quote_64bit_integers", "0")
        .with_setting("output_format_json_quote_denormals", "0");
    let answer = async { client.query_raw(sql).fetch_bytes("JSONCompactEachRow")?.collect().await };
    let answer = answer.await.map_err(|error| error.to_string())?;
    let lines = answer.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    Ok(lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}
