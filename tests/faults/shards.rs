//! A cluster of real engines on the loopback interface, with the users and the configuration of `deploy/clickhouse`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use passerby::store::{Cluster, Server, Store};
use tempfile::TempDir;

use crate::support::{PROGRAM, engine_settings, eventually};

pub(crate) const CLUSTER: &str = "passerby";
const PASSWORDS: [(&str, &str); 4] = [
    ("PASSERBY_WRITER_PASSWORD", "writer's"),
    ("PASSERBY_READER_PASSWORD", "reader's"),
    ("PASSERBY_ANALYST_PASSWORD", "analyst's"),
    ("PASSERBY_SHARD_PASSWORD", "servers'"),
];

/// Two shards.
pub(crate) struct Shards {
    directory: TempDir,
    ports: [Ports; 2],
    engines: [Option<Child>; 2],
}

#[derive(Clone, Copy)]
struct Ports {
    http: u16,
    tcp: u16,
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(path))
        .unwrap()
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Shards {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ports = [(); 2].map(|()| Ports { http: free_port(), tcp: free_port() });
        let mut shards = Self { directory, ports, engines: [None, None] };
        for shard in 0..2 {
            shards.configure(shard);
            shards.start_shard(shard).await;
        }
        shards
    }

    fn place(&self, shard: usize) -> PathBuf {
        self.directory.path().join(format!("shard-{shard}"))
    }

    fn configure(&self, shard: usize) {
        let place = self.place(shard);
        let write = |name: &str, text: &str| {
            let file = place.join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let (users, backups) = (place.join("users.xml"), place.join("backups"));
        // What the image of a server has of its own.
        write(
            "config.xml",
            &format!(
                "<clickhouse><users_config>{}</users_config><tcp_port>{}</tcp_port></clickhouse>",
                users.display(),
                self.ports[shard].tcp
            ),
        );
        write(
            "users.xml",
            "<clickhouse><profiles><default/></profiles><quotas><default/></quotas><users><default><password/>\
             <networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>\
             <access_management>1</access_management></default></users></clickhouse>",
        );
        let server = read("clickhouse/config.d/passerby.xml");
        write(
            "config.d/passerby.xml",
            &server.replace("/var/lib/clickhouse/backups/", &backups.display().to_string()),
        );
        write("users.d/passerby.xml", &read("clickhouse/users.d/passerby.xml"));
        // Read after the other, as on a server: by name.
        write("users.d/passerby_cluster.xml", &read("clickhouse/cluster/users.xml"));
        let mut cluster = read("clickhouse/cluster/server.xml");
        for (index, ports) in self.ports.iter().enumerate() {
            let documented = format!("<host>clickhouse-{}</host><port>9000</port>", index + 1);
            assert!(cluster.contains(&documented), "{cluster}");
            let here = format!("<host>127.0.0.1</host><port>{}</port>", ports.tcp);
            cluster = cluster.replace(&documented, &here);
        }
        write("config.d/passerby_cluster.xml", &cluster);
    }

    /// Starts a shard, with what it had before.
    pub(crate) async fn start_shard(&mut self, shard: usize) {
        let place = self.place(shard);
        let source = engine_settings(&place).source;
        let mut command = Command::new(PROGRAM);
        command.arg("engine").arg("--source").arg(source.path());
        if source.path().extension().is_some() {
            command.arg("--library");
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(place.join("log"));
        let child = command
            .args(["--data".into(), place.join("data")])
            .args([PathBuf::from("--server-config"), place.join("config.xml")])
            .args(["--port", &self.ports[shard].http.to_string()])
            .args(["--parent", &std::process::id().to_string()])
            .envs(PASSWORDS)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        self.engines[shard] = Some(child);
        // The engine opens this port when it is told to; a server does so by itself.
        let administrator = self.user(shard, "default", "");
        let store = Store::connect(&administrator, &administrator);
        eventually("the shard listens to the other", async || {
            store.writer().query("SYSTEM START LISTEN TCP").execute().await.ok()
        })
        .await;
    }

    /// Kills a shard as a crash would.
    pub(crate) fn kill_shard(&mut self, shard: usize) {
        let mut engine = self.engines[shard].take().unwrap();
        engine.kill().unwrap();
        engine.wait().unwrap();
    }

    fn user(&self, shard: usize, user: &str, password: &str) -> Server {
        Server {
            url: self.url(shard),
            user: user.into(),
            password: password.into(),
            // None yet that `default` could be in.
            database: if user == "default" { "default" } else { "passerby" }.into(),
        }
    }

    fn url(&self, shard: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[shard].http)
    }

    pub(crate) fn writer(&self, shard: usize) -> Server {
        self.user(shard, "passerby", "writer's")
    }

    pub(crate) fn reader(&self, shard: usize) -> Server {
        self.user(shard, "passerby_reader", "reader's")
    }

    pub(crate) fn analyst(&self, shard: usize) -> Server {
        self.user(shard, "passerby_analyst", "analyst's")
    }

    pub(crate) fn cluster(&self, is_replicated: bool) -> Cluster {
        let nodes = (0..2).map(|shard| self.url(shard)).collect();
        Cluster { name: CLUSTER.into(), nodes, is_replicated }
    }

    pub(crate) fn store(&self) -> Store {
        Store::connect_to_cluster(&self.writer(0), &self.reader(0), self.cluster(false))
    }

    /// One server, by itself.
    pub(crate) fn alone(&self, shard: usize) -> Store {
        Store::connect(&self.writer(shard), &self.reader(shard))
    }

    /// What a collector on it is configured with; questions and rows go to the given shard's server.
    pub(crate) fn variables(&self, shard: usize) -> Vec<(&'static str, String)> {
        vec![
            ("PASSERBY_CLICKHOUSE_URL", self.url(shard)),
            ("PASSERBY_CLICKHOUSE_USER", "passerby".to_owned()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", "writer's".to_owned()),
            ("PASSERBY_CLICKHOUSE_READER_USER", "passerby_reader".to_owned()),
            ("PASSERBY_CLICKHOUSE_READER_PASSWORD", "reader's".to_owned()),
            ("PASSERBY_CLICKHOUSE_CLUSTER", CLUSTER.to_owned()),
            ("PASSERBY_CLICKHOUSE_NODES", format!("{},{}", self.url(0), self.url(1))),
            ("PASSERBY_TRUSTED_PROXIES", "127.0.0.1/32".to_owned()),
        ]
    }

    /// What the engine of a shard has logged.
    pub(crate) fn log(&self, shard: usize) -> String {
        std::fs::read_to_string(self.place(shard).join("log")).unwrap_or_default()
    }
}

impl Drop for Shards {
    fn drop(&mut self) {
        for engine in self.engines.iter_mut().flatten() {
            let _ = engine.kill();
            let _ = engine.wait();
        }
    }
}
