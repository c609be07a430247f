//! What the integration tests share: one engine for those that talk to it directly, and the real
//! program as a child process for those that do what a user does.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::header::HeaderMap;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use passerby::store::engine::{Analyst, Engine, EngineSettings, discover};
use passerby::store::{Server, Store};
use serde_json::Value;
use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_passerby");
/// A browser that a person uses.
pub(crate) const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";
/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The engine that tests of statements share, each with a site of its own.
struct SharedEngine {
    engine: Engine,
    directory: TempDir,
}

/// Where the files of the shared engine are.
pub(crate) fn engine_directory() -> PathBuf {
    shared_engine().directory.path().to_owned()
}

fn shared_engine() -> &'static SharedEngine {
    static SHARED: OnceLock<SharedEngine> = OnceLock::new();
    SHARED.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::start(engine_settings(directory.path())).unwrap();
        SharedEngine { engine, directory }
    })
}

/// An engine in a directory, run by the program under test.
pub(crate) fn engine_settings(directory: &Path) -> EngineSettings {
    EngineSettings {
        directory: directory.to_owned(),
        source: discover(None, None).unwrap_or_else(|error| panic!("{error}")),
        program: Some(PathBuf::from(PROGRAM)),
        memory_bytes_max: None,
        port: None,
        analyst: Analyst::default(),
    }
}

/// How the shared engine is written to and read from.
pub(crate) fn servers() -> (Server, Server) {
    let engine = &shared_engine().engine;
    (engine.writer(), engine.reader())
}

/// Access to the shared engine, with its tables. A connection belongs to the test's own runtime.
pub(crate) async fn store() -> Arc<Store> {
    let (writer, reader) = servers();
    connect(&writer, &reader).await
}

/// Access to an engine, with its tables, once it answers.
pub(crate) async fn connect(writer: &Server, reader: &Server) -> Arc<Store> {
    let store = Arc::new(Store::connect(writer, reader));
    eventually("the engine answers", async || store.apply_schema().await.ok()).await;
    store
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    within(PATIENCE, what, ask).await
}

/// The same with a patience of its own.
pub(crate) async fn within<T>(
    patience: Duration,
    what: &str,
    mut ask: impl AsyncFnMut() -> Option<T>,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < patience, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An answer over HTTP.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// The real program, with a data directory of its own.
pub(crate) struct Collector {
    pub(crate) data_dir: PathBuf,
    pub(crate) log: Arc<std::sync::Mutex<String>>,
    address: SocketAddr,
    child: Child,
    variables: Vec<(String, String)>,
    config: Option<PathBuf>,
    _directory: Option<TempDir>,
}

impl Collector {
    /// Starts `passerby serve` with these variables, and waits until it accepts beacons.
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("data");
        let variables =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut collector = Self::spawn(data_dir, variables, None);
        collector._directory = Some(directory);
        collector.wait_ready().await;
        collector
    }

    /// Starts `passerby serve` with these variables, and waits until it answers: it may never be ready.
    pub(crate) async fn start_unready(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("data");
        let variables =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut collector = Self::spawn(data_dir, variables, None);
        collector._directory = Some(directory);
        eventually("it answers", async || {
            collector.try_request(Method::GET, "/livez", &[], Bytes::new()).await.ok()
        })
        .await;
        collector
    }

    /// Starts `passerby serve` with a configuration, and these variables.
    pub(crate) async fn start_configured(config: &str, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("passerby.toml");
        std::fs::write(&file, config).unwrap();
        let variables =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut collector = Self::spawn(directory.path().join("data"), variables, Some(file));
        collector._directory = Some(directory);
        collector.wait_ready().await;
        collector
    }

    /// Starts `passerby serve` with a listener that is encrypted.
    pub(crate) async fn start_encrypted(variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let variables =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let mut collector = Self::spawn(directory.path().join("data"), variables, None);
        collector._directory = Some(directory);
        eventually("the collector is ready", async || {
            let mut caller = passerby::http::control::Caller::connect(&collector.data_dir).await?;
            let answer = caller.call(Method::GET, "/readyz", Body::empty()).await.ok()?;
            (answer.0 == StatusCode::OK).then_some(())
        })
        .await;
        collector
    }

    /// Starts `passerby serve` with so many files that it may open.
    pub(crate) async fn start_with_files(files: u32, variables: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = directory.path().join("data");
        let variables: Vec<_> =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let plain = program(&data_dir, &variables);
        let mut command = Command::new("sh");
        command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.arg("-c").arg(format!("ulimit -n {files}; exec '{PROGRAM}' serve"));
        let mut collector = Self::run_as(&mut command, data_dir, variables);
        collector._directory = Some(directory);
        collector.wait_ready().await;
        collector
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends the collector a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Starts `passerby serve` on a data directory that is there already.
    pub(crate) async fn start_on(data_dir: &Path) -> Self {
        let collector = Self::spawn(data_dir.to_owned(), Vec::new(), None);
        collector.wait_ready().await;
        collector
    }

    fn spawn(data_dir: PathBuf, variables: Vec<(String, String)>, config: Option<PathBuf>) -> Self {
        let mut command = program(&data_dir, &variables);
        let arguments = config.iter().flat_map(|file| [Path::new("--config"), file]);
        command.args(arguments).arg("serve");
        let mut collector = Self::run_as(&mut command, data_dir, variables);
        collector.config = config;
        collector
    }

    fn run_as(command: &mut Command, data_dir: PathBuf, variables: Vec<(String, String)>) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(std::sync::Mutex::new(String::new()));
        let address = read_log(&mut child, &log);
        Self { data_dir, log, address, child, variables, config: None, _directory: None }
    }

    async fn wait_ready(&self) {
        let begun = Instant::now();
        loop {
            let answer = self.try_request(Method::GET, "/readyz", &[], Bytes::new()).await;
            let told = match answer {
                Ok(answer) if answer.status == StatusCode::OK => return,
                Ok(answer) => format!("{} {:?}", answer.status, answer.body),
                Err(error) => format!("{error:#}"),
            };
            // A start that does not come to an end is explained by what it says of itself.
            assert!(
                begun.elapsed() < PATIENCE,
                "the collector is not ready: {told}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Kills the collector as a crash would, and starts it again on the same data.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.crash();
        self.restart().await;
    }

    /// Kills the collector as a crash would.
    pub(crate) fn crash(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts a collector that has ended again, on the same data.
    pub(crate) async fn restart(&mut self) {
        self.child.wait().unwrap();
        let again = Self::spawn(self.data_dir.clone(), self.variables.clone(), self.config.clone());
        let directory = self._directory.take();
        *self = again;
        self._directory = directory;
        self.wait_ready().await;
    }

    /// Sends SIGTERM, and says how long the collector took to end well.
    pub(crate) fn terminate(&mut self) -> Duration {
        let begun = Instant::now();
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.log());
        begun.elapsed()
    }

    /// Where it listens.
    pub(crate) fn listens_on(&self) -> String {
        self.address.to_string()
    }

    /// The address that it serves at.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The process that is the collector.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the collector has logged since it was started.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Runs another command on the same data directory, and returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = program(&self.data_dir, &self.variables).args(arguments).output().unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Sends a request.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        self.try_request(method, path, headers, body.into()).await.unwrap()
    }

    async fn try_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let stream = tokio::net::TcpStream::connect(self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = sender.send_request(request.body(Body::from(body))?).await?.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.collect().await?.to_bytes(),
        })
    }

    /// What a route of the control socket answers.
    pub(crate) async fn run_on_socket(&self, method: Method, path: &str) -> String {
        let caller = passerby::http::control::Caller::connect(&self.data_dir).await;
        let (status, body) = caller.unwrap().call(method, path, Body::empty()).await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}");
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// Sends a beacon as a browser does.
    pub(crate) async fn beacon(&self, beacon: &Value) -> Answer {
        let headers = [
            ("user-agent", CHROME),
            ("content-type", "text/plain"),
            ("accept-language", "de-DE,de;q=0.9"),
        ];
        self.request(Method::POST, "/api/event", &headers, beacon.to_string()).await
    }

    /// Asks for a report.
    pub(crate) async fn query(&self, token: &str, query: &Value) -> Answer {
        let bearer = format!("Bearer {token}");
        self.request(
            Method::POST,
            "/api/v2/query",
            &[("authorization", &bearer)],
            query.to_string(),
        )
        .await
    }

    /// The rows of a report, once the database answers: a collector accepts beacons before that.
    pub(crate) async fn results(&self, token: &str, query: &Value) -> Value {
        let answer = eventually("the database answers", async || {
            let answer = self.query(token, query).await;
            (answer.status != StatusCode::SERVICE_UNAVAILABLE).then_some(answer)
        })
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.json()["results"].take()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The memory that a process has in the machine's, in bytes.
pub(crate) fn resident_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    resident.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// All files in a directory and those below it.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let found = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        Ok(kind) if kind.is_file() => vec![entry.path()],
        _ => Vec::new(),
    };
    entries.flat_map(found).collect()
}

/// The program, in an environment that has nothing but these variables.
fn program(data_dir: &Path, variables: &[(String, String)]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("PASSERBY_DATA_DIR", data_dir).env("PASSERBY_LISTEN", "127.0.0.1:0");
    command.env("RUST_BACKTRACE", "1").envs(variables.iter().cloned());
    command
}

/// Runs the program with these arguments to its end.
pub(crate) fn run_program(
    data_dir: &Path,
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Output {
    let variables: Vec<_> =
        variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    program(data_dir, &variables).args(arguments).output().unwrap()
}

/// Reads the log in the background; returns the address that it tells.
fn read_log(child: &mut Child, log: &Arc<std::sync::Mutex<String>>) -> SocketAddr {
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut read = String::new();
    let address = loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            panic!("the collector ended: {read}");
        }
        read.push_str(&line);
        if let Some((_, address)) = line.split_once("address=") {
            break address.trim().parse().unwrap();
        }
    };
    log.lock().unwrap().push_str(&read);
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = lines.read(&mut buffer) {
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    address
}
