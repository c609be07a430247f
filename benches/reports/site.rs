//! The collector under measurement: the real program, as a child process, on a directory with a year of
//! generated traffic.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};

use crate::questions::{Form, Question};

/// The sample site.
const DOMAIN: &str = "demo.example";
/// Where it is written how many events there are, so that a year is generated once.
const EVENTS_FILE: &str = "events";
/// What the log says when all days that are over are closed.
const CLOSED: &str = "days that are over were counted";
/// How long a collector may take to answer, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long closing the days of a year may take.
const CLOSING_PATIENCE: Duration = Duration::from_secs(3_600);

/// A running collector.
pub(crate) struct Site {
    child: Child,
    address: SocketAddr,
    program: PathBuf,
    directory: PathBuf,
    token: String,
    events: u64,
    is_closed: Arc<AtomicBool>,
}

fn run(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("PASSERBY_DATA_DIR", directory).env("PASSERBY_LISTEN", "127.0.0.1:0");
    command.stdin(Stdio::null());
    command
}

/// Generates a year of traffic, the demo's, unless it is there.
pub(crate) async fn generate(program: &Path, directory: &Path, events: u64) {
    if directory.join(EVENTS_FILE).exists() {
        return;
    }
    let begun = Instant::now();
    std::fs::create_dir_all(directory).unwrap();
    let mut child = run(program, directory)
        .args(["demo", "--port", "0", "--days", "365", "--events", &events.to_string(), "--data"])
        .arg(directory)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let loaded = lines
        .map_while(|line| (!line.contains("Ctrl-C")).then_some(line))
        .filter_map(|line| line.split_once(" events in ")?.0.trim().parse::<u64>().ok())
        .last()
        .expect("the demo has no traffic");
    end(&mut child).await;
    std::fs::write(directory.join(EVENTS_FILE), loaded.to_string()).unwrap();
    println!("{loaded} events were generated in {:.0} s", begun.elapsed().as_secs_f64());
}

async fn end(child: &mut Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the collector does not end");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl Site {
    /// Starts a collector on a year of traffic.
    pub(crate) async fn start(program: &Path, directory: &Path) -> Self {
        let mut child =
            run(program, directory).arg("serve").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the collector ended");
            if let Some((_, address)) = line.split_once("address=") {
                break address.trim().parse().unwrap();
            }
        };
        let is_closed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_closed);
        std::thread::spawn(move || {
            for line in log.lines().map_while(Result::ok) {
                told.fetch_or(line.contains(CLOSED), Ordering::Relaxed);
            }
        });
        let events = std::fs::read_to_string(directory.join(EVENTS_FILE)).unwrap();
        let mut site = Self {
            child,
            address,
            program: program.to_owned(),
            directory: directory.to_owned(),
            token: String::new(),
            events: events.parse().unwrap(),
            is_closed,
        };
        let begun = Instant::now();
        // It accepts beacons before the database answers: until then there is no page.
        while site.request(Method::GET, &format!("/{DOMAIN}?period=day"), "").await.0
            == StatusCode::SERVICE_UNAVAILABLE
        {
            assert!(begun.elapsed() < PATIENCE, "the collector does not get ready");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        site.token = site.token();
        site
    }

    fn token(&self) -> String {
        let arguments = ["token", "create", "--scope", "stats", "--site", DOMAIN];
        let made = run(&self.program, &self.directory).args(arguments).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    /// Ends it and starts another on the same data.
    pub(crate) async fn restart(mut self) -> Self {
        end(&mut self.child).await;
        Self::start(&self.program, &self.directory).await
    }

    /// How many events there are, attention included.
    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// What the engine has on disk.
    pub(crate) fn bytes(&self) -> u64 {
        size(&self.directory.join("engine"))
    }

    /// Returns when all days that are over are closed.
    pub(crate) async fn wait_until_closed(&self) {
        let begun = Instant::now();
        while !self.is_closed.load(Ordering::Relaxed) {
            assert!(begun.elapsed() < CLOSING_PATIENCE, "the days are not closed");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("the days were closed {:.0} s after the start", begun.elapsed().as_secs_f64());
    }

    /// What the collector and its engine have used of the processors since they were started, in seconds.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        let collector = self.child.id();
        // Each thread has the children that it started.
        let threads = std::fs::read_dir(format!("/proc/{collector}/task")).into_iter().flatten();
        let children: Vec<String> = threads
            .flatten()
            .filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok())
            .collect();
        let engines = children
            .iter()
            .flat_map(|children| children.split_whitespace())
            .filter_map(|pid| pid.parse().ok());
        std::iter::once(collector).chain(engines).map(cpu_seconds).sum()
    }

    /// Asks, and says how long the answer took; `None` if it was stopped at a limit of reports.
    pub(crate) async fn ask(&self, question: &Question) -> Option<Duration> {
        let begun = Instant::now();
        let (status, body) = match &question.form {
            Form::Query(query) => {
                self.request(Method::POST, "/api/v2/query", &query.to_string()).await
            }
            Form::Page(view) => self.request(Method::GET, &format!("/{DOMAIN}{view}"), "").await,
        };
        let took = begun.elapsed();
        let text = String::from_utf8_lossy(&body);
        match status {
            StatusCode::OK => Some(took),
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::SERVICE_UNAVAILABLE => None,
            _ => panic!("{}: {text}", question.name),
        }
    }

    async fn request(&self, method: Method, path: &str, body: &str) -> (StatusCode, Bytes) {
        let stream = tokio::net::TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .header("authorization", format!("Bearer {}", self.token))
            .body(Full::new(Bytes::from(body.to_owned())))
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        let status = answer.status();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }
}

/// From `/proc/PID/stat`, fields 14 and 15, in hundredths of a second.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let Some((_, after_name)) = stat.rsplit_once(')') else { return 0.0 };
    let fields = after_name.split_whitespace().skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Of all files below a directory, in bytes; one that goes away meanwhile has none.
fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let of_entry = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(of_entry).sum()
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
