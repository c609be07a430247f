//! The rig: a collector as a process, in front of an engine, with a proxy between the two.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::{Method, StatusCode};
use passerby::http::control::Caller;
use passerby::store::{Server, Store};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::load::Address;
use crate::oracle::Oracle;
use crate::proxy::Proxy;
use crate::support::{
    PATIENCE, PROGRAM, connect, eventually, resident_memory, run_program, within,
};

/// How long anything may take that is waited for again and again in a long run: what takes seconds takes
/// minutes where others work, too.
pub(crate) const LONG_PATIENCE: Duration = Duration::from_secs(600);

/// A collector, and everything around it.
pub(crate) struct Rig {
    directory: TempDir,
    variables: Vec<(String, String)>,
    collector: Option<Child>,
    log: Arc<Mutex<String>>,
    pub(crate) address: Address,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) proxy: Proxy,
    /// Past the proxy, for the judge.
    pub(crate) store: Arc<Store>,
    pub(crate) met: Met,
}

/// What a run has met.
#[derive(Debug, Default)]
pub(crate) struct Met {
    /// Starts at which events waited in the spool.
    pub(crate) replays: u64,
    /// Starts at which a torn or damaged place was found.
    pub(crate) torn: u64,
    /// Rows that were stored more than once, before ClickHouse or a report made one of them.
    pub(crate) repeated: u64,
}

/// What a start came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// It accepts beacons.
    Up,
    /// It was killed before it did.
    Died,
}

impl Rig {
    /// A rig on an engine, with a database of its own and small segments. The collector has been started
    /// once, to register the site, and does not run.
    pub(crate) async fn new(server: &Server, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("wishes")).unwrap();
        let database = format!("d{:016x}", getrandom::u64().unwrap());
        let server = Server { database: database.clone(), ..server.clone() };
        let proxy = Proxy::to(server.url.strip_prefix("http://").unwrap()).await;
        let wishes = directory.path().join("wishes").display().to_string();
        let defaults = [
            ("PASSERBY_CLICKHOUSE_URL", proxy.url()),
            ("PASSERBY_CLICKHOUSE_USER", server.user.clone()),
            ("PASSERBY_CLICKHOUSE_PASSWORD", server.password.clone()),
            ("PASSERBY_CLICKHOUSE_DATABASE", database),
            ("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8".to_owned()),
            ("PASSERBY_SPOOL_SEGMENT_BYTES", "65536".to_owned()),
        ];
        // A release build does not know of it.
        let faults = cfg!(debug_assertions).then_some(("PASSERBY_FAULTS", wishes));
        let own = settings.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let variables =
            defaults.into_iter().chain(faults).map(|(name, value)| (name.to_owned(), value));
        let variables = variables.chain(own).collect();
        let store = connect(&server, &server).await;
        store.writer().query("SYSTEM STOP MERGES events").execute().await.unwrap();
        let mut rig = Self {
            directory,
            variables,
            collector: None,
            log: Arc::default(),
            address: Address::default(),
            oracle: Arc::default(),
            proxy,
            store,
            met: Met::default(),
        };
        assert_eq!(rig.start().await, Start::Up);
        rig.run(&["site", "add", "example.com"]);
        rig.terminate();
        rig
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Makes a wish to the collector's disk or clock, see `passerby::faults`.
    pub(crate) fn wish(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join("wishes").join(name), text).unwrap();
    }

    /// Whether a wish is still there.
    pub(crate) fn wishes(&self, name: &str) -> bool {
        self.directory.path().join("wishes").join(name).exists()
    }

    pub(crate) fn unwish(&self, name: &str) {
        std::fs::remove_file(self.directory.path().join("wishes").join(name)).unwrap();
    }

    /// Runs another command on the same data directory.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.try_run(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap() + &said
    }

    pub(crate) fn try_run(&self, arguments: &[&str]) -> std::process::Output {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        run_program(&self.data_dir(), &variables, arguments)
    }

    /// Starts the collector, and waits until it accepts beacons or is no more.
    pub(crate) async fn start(&mut self) -> Start {
        let mut collector = self.spawn();
        let log = BufReader::new(collector.stderr.take().unwrap());
        self.collector = Some(collector);
        let said = Arc::clone(&self.log);
        let address = tokio::task::spawn_blocking(move || read_address(log, &said)).await.unwrap();
        let Some(address) = address else {
            self.ended();
            return Start::Died;
        };
        *self.address.lock().unwrap() = Some(address);
        self.look_at_the_start().await
    }

    /// Starts the collector without waiting for anything.
    pub(crate) fn spawn(&self) -> Child {
        self.spawn_command(&["serve"])
    }

    /// Begins another command on the same data directory.
    pub(crate) fn spawn_command(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("PASSERBY_DATA_DIR", self.data_dir());
        command.env("PASSERBY_LISTEN", "127.0.0.1:0").env("RUST_BACKTRACE", "1");
        command.envs(self.variables.iter().cloned()).args(arguments);
        command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Notes what the start has met.
    async fn look_at_the_start(&mut self) -> Start {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(figures) = self.try_figures().await {
                self.met.replays += u64::from(figures.of("events_recovered_total") > 0);
                self.met.torn += u64::from(figures.of("spool_damaged_total") > 0);
                return Start::Up;
            }
            if self.has_ended() {
                return Start::Died;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the collector does not answer: {}", self.said());
    }

    /// Whether the collector is no more.
    pub(crate) fn has_ended(&mut self) -> bool {
        let ended = self.collector.as_mut().is_none_or(|it| it.try_wait().unwrap().is_some());
        if ended {
            self.ended();
        }
        ended
    }

    fn ended(&mut self) {
        *self.address.lock().unwrap() = None;
        if let Some(mut collector) = self.collector.take() {
            collector.wait().unwrap();
        }
    }

    /// Waits until the collector has killed itself, as it was wished.
    pub(crate) async fn wait_for_the_end(&mut self) {
        let begun = Instant::now();
        while !self.has_ended() {
            assert!(begun.elapsed() < PATIENCE, "the collector lives on: {}", self.said());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the collectors of this rig have logged.
    pub(crate) fn said(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The memory that the collector has in the machine's, in MiB.
    pub(crate) fn memory(&self) -> u64 {
        resident_memory(self.collector.as_ref().unwrap().id()) >> 20
    }

    /// Sends the collector a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.collector.as_ref().unwrap().id(), signal);
    }

    /// Ends the collector as a crash would.
    pub(crate) fn kill(&mut self) {
        if self.collector.is_some() {
            self.signal(Signal::KILL);
            self.ended();
        }
    }

    /// Asks the collector to end; says how, and in how long.
    pub(crate) fn terminate(&mut self) -> (ExitStatus, Duration) {
        let begun = Instant::now();
        self.signal(Signal::TERM);
        let status = self.collector.take().unwrap().wait().unwrap();
        *self.address.lock().unwrap() = None;
        (status, begun.elapsed())
    }

    /// Asks the collector as its owner.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let mut caller = Caller::connect(&self.data_dir()).await.expect("the collector runs");
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let (status, body) = caller.call(method, path, body).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn try_figures(&self) -> Option<Figures> {
        let mut caller = Caller::connect(&self.data_dir()).await?;
        let (status, body) = caller.call(Method::GET, "/metrics", Body::empty()).await.ok()?;
        (status == StatusCode::OK).then(|| Figures(String::from_utf8(body.to_vec()).unwrap()))
    }

    /// The collector's metrics.
    pub(crate) async fn figures(&self) -> Figures {
        self.try_figures().await.expect("the collector tells its figures")
    }

    /// Waits until a figure is as wanted.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl FnMut(&Figures) -> bool) {
        eventually(what, async || self.try_figures().await.filter(|figures| is_so(figures))).await;
    }

    /// Waits, without a load, until everything is stored, however slow the machine is.
    pub(crate) async fn settle(&self) {
        let waiting = async || self.try_figures().await.map(|it| it.of("events_waiting"));
        within(LONG_PATIENCE, "everything is stored", async || {
            waiting().await.filter(|it| *it == 0)
        })
        .await;
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a process a signal.
pub(crate) fn send(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// The address that the collector tells; `None` when it ends before.
fn read_address(
    mut log: BufReader<std::process::ChildStderr>,
    said: &Arc<Mutex<String>>,
) -> Option<std::net::SocketAddr> {
    let address = loop {
        let mut line = String::new();
        if log.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        said.lock().unwrap().push_str(&line);
        if let Some((_, address)) = line.split_once("address=") {
            break address.trim().parse().unwrap();
        }
    };
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = log.read(&mut buffer) {
            said.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    Some(address)
}

/// Metrics, as Prometheus reads them.
pub(crate) struct Figures(String);

impl Figures {
    /// The sum of a figure over all of its labels.
    pub(crate) fn of(&self, name: &str) -> u64 {
        self.sum(name, "")
    }

    /// A figure with a label.
    pub(crate) fn labelled(&self, name: &str, label: &str) -> u64 {
        self.sum(name, label)
    }

    fn sum(&self, name: &str, label: &str) -> u64 {
        let lines =
            self.0.lines().filter_map(|line| line.strip_prefix("passerby_")?.split_once(' '));
        let wanted =
            lines.filter(|(key, _)| key.split('{').next() == Some(name) && key.contains(label));
        wanted.map(|(_, value)| value.parse::<u64>().unwrap()).sum()
    }

    /// The conservation law, which holds whenever nothing is under way.
    #[track_caller]
    pub(crate) fn add_up(&self) {
        let of = |name| self.of(name);
        assert_eq!(
            of("events_received_total"),
            of("events_accepted_total") + of("events_rejected_total"),
            "received = accepted + rejected\n{}",
            self.0
        );
        assert_eq!(
            of("events_recovered_total") + of("events_accepted_total"),
            of("events_stored_total") + of("events_waiting") + of("events_quarantined_total"),
            "recovered + accepted = stored + waiting + quarantined\n{}",
            self.0
        );
    }
}

/// The lines of the quarantine of a data directory.
pub(crate) fn quarantined(data_dir: &Path) -> usize {
    let file = std::fs::read_to_string(data_dir.join("quarantine/events.jsonl"));
    file.map_or(0, |text| text.lines().count())
}
