//! The files of `deploy/` that need the real program or the real engine to be checked. What can be
//! checked by reading them is in `deploy/check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hyper::Method;
use passerby::store::backup::BackupName;
use passerby::store::{Server, Store};
use serde_json::json;

use crate::analyst::rows;
use crate::support::{Collector, PROGRAM, engine_settings, eventually};

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The names of metrics in a text, as they are asked for.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let name = regex::Regex::new(r"\bpasserby_[a-z_]+\b").unwrap();
    name.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() {
    let collector = Collector::start(&[("PASSERBY_METRICS_LISTEN", "127.0.0.1:0")]).await;
    // A reason is shown once something was rejected for it.
    let beacon = json!({ "n": "pageview", "u": "https://unknown.test/", "d": "unknown.test" });
    collector.beacon(&beacon).await;
    let shown = collector.run_on_socket(Method::GET, "/metrics").await;
    let shown: BTreeSet<_> = shown
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect();
    for file in ["dashboards/collector.json", "deploy/prometheus/passerby.rules.yml"] {
        let asked = metrics_in(&read(file));
        assert!(asked.len() >= 6, "{file}: {asked:?}");
        let missing: Vec<_> = asked.difference(&shown).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}, and there are {shown:?}");
    }
}

/// An image is built of `src` alone, where cargo does not look for files that it is told the place of.
#[test]
fn cargo_is_told_where_everything_is_that_no_image_has() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let targets = ["bench", "example", "test"].into_iter().filter_map(|kind| manifest.get(kind));
    let targets: Vec<_> = targets.flat_map(|targets| targets.as_array().unwrap()).collect();
    assert!(targets.len() >= 8, "{targets:?}");
    for target in targets {
        let path = target.get("path").and_then(toml::Value::as_str);
        let path = path.unwrap_or_else(|| panic!("{target:?} has no path"));
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists(), "{path}");
    }
}

/// The engine with the configuration of `deploy/clickhouse`, which a server has.
struct Configured {
    child: Child,
    server: Server,
    _directory: tempfile::TempDir,
}

impl Configured {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        let write = |name: &str, text: &str| {
            let file = path.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let users = path.join("users.xml");
        // What the image of the server has of its own.
        write(
            "config.xml",
            &format!("<clickhouse><users_config>{}</users_config></clickhouse>", users.display()),
        );
        write(
            "users.xml",
            "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><password/>\
             <networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>\
             <access_management>1</access_management></default></users></clickhouse>",
        );
        let (documented, here) = ("/var/lib/clickhouse/backups/", path.join("backups"));
        let server = read("deploy/clickhouse/config.d/passerby.xml");
        assert!(server.contains(documented), "{server}");
        write("config.d/passerby.xml", &server.replace(documented, &here.display().to_string()));
        write("users.d/passerby.xml", &read("deploy/clickhouse/users.d/passerby.xml"));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let source = engine_settings(path).source;
        let mut command = Command::new(PROGRAM);
        command.arg("engine").arg("--source").arg(source.path());
        if source.path().extension().is_some() {
            command.arg("--library");
        }
        let child = command
            .args(["--data".into(), path.join("data")])
            .args([PathBuf::from("--server-config"), path.join("config.xml")])
            .args(["--port", &port.to_string(), "--parent", &std::process::id().to_string()])
            .env("PASSERBY_WRITER_PASSWORD", "writer's")
            .env("PASSERBY_READER_PASSWORD", "reader's")
            .env("PASSERBY_ANALYST_PASSWORD", "analyst's")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let server = Server {
            url: format!("http://127.0.0.1:{port}"),
            user: "passerby".into(),
            password: "writer's".into(),
            database: "passerby".into(),
        };
        Self { child, server, _directory: directory }
    }

    fn user(&self, user: &str, password: &str) -> Server {
        Server { user: user.into(), password: password.into(), ..self.server.clone() }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_users_and_settings_of_a_server_are_enough_for_the_collector_and_no_more() {
    let clickhouse = Configured::start().await;
    let reader = clickhouse.user("passerby_reader", "reader's");
    let store = Store::connect(&clickhouse.server, &reader);
    eventually("the tables are made", async || store.apply_schema().await.ok()).await;
    // Again and again: the views are made anew at each start.
    store.apply_schema().await.unwrap();
    store.version().await.unwrap();

    let memory = "SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'";
    assert_eq!(rows(&clickhouse.server, memory).await.unwrap()[0][0], "1610612736");
    assert!(rows(&reader, "SELECT count() FROM events").await.is_ok());
    let analyst = clickhouse.user("passerby_analyst", "analyst's");
    assert!(rows(&analyst, "SELECT count() FROM report_days").await.is_ok());
    for (user, denied) in [
        (&analyst, "SELECT count() FROM events"),
        (&analyst, "SELECT 1 SETTINGS max_execution_time = 0"),
        (&reader, "INSERT INTO events (site_id) VALUES (1)"),
        (&reader, "DROP TABLE events"),
        (&clickhouse.server, "DROP DATABASE system"),
        (&clickhouse.server, "CREATE USER x"),
        (&clickhouse.server, "SELECT * FROM url('http://127.0.0.1:1/', CSV, 'a String')"),
    ] {
        let answer = rows(user, denied).await;
        assert!(answer.is_err(), "{} may: {denied}", user.user);
    }

    let name = BackupName::new("before").unwrap();
    rows(&clickhouse.server, "INSERT INTO events (site_id) VALUES (1)").await.unwrap();
    store.backup(&name).await.unwrap();
    rows(&clickhouse.server, "TRUNCATE TABLE events").await.unwrap();
    store.restore(&name).await.unwrap();
    assert_eq!(rows(&reader, "SELECT count() FROM events").await.unwrap()[0][0], 1);

    // The other way to make the analyst, by statements, needs a server with users of that kind; here it is
    // only understood.
    let statements = read("deploy/clickhouse/analyst.sql");
    let statements: String = statements
        .lines()
        .filter(|line| !line.starts_with("--"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let statements = statements.split(";\n").map(str::trim).filter(|text| !text.is_empty());
    let administrator = clickhouse.user("default", "");
    for statement in statements.chain(["CREATE ROW POLICY x ON a.b, a.c FOR SELECT USING 1 TO y"]) {
        let parsed = rows(&administrator, &format!("EXPLAIN AST {statement}")).await;
        assert!(parsed.is_ok(), "{statement}: {parsed:?}");
    }
    assert!(rows(&administrator, "EXPLAIN AST GRANT SELECT ON TO x").await.is_err());
}
