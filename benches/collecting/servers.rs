//! The two servers as child processes, and what the system says that they used.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use passerby::http::connections::limits;
use passerby::privacy::Listener;
use tempfile::TempDir;

/// This build's collector.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_passerby");

/// A server under load.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    directory: Option<TempDir>,
}

/// What a process has used since it was started.
#[derive(Clone, Copy)]
pub(crate) struct Usage {
    /// Of all its threads, in the kernel and outside of it.
    pub(crate) cpu_seconds: f64,
    /// What it has in memory now.
    pub(crate) resident_mib: f64,
}

impl Server {
    /// hyper, with the collector's settings, reading bodies and answering 202.
    pub(crate) fn bare() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        Self::start(command.arg("--bare").stderr(Stdio::piped()), None)
    }

    /// The collector without a database: what it accepts stays in the spool, so that its work is that of
    /// accepting.
    pub(crate) fn collector(program: &Path) -> Self {
        Self::collector_after(program, &["site", "add", "example.com"]).0
    }

    /// The collector without a database, and what a command said that had one: the collector knows what it made
    /// from its snapshot.
    pub(crate) fn collector_after(program: &Path, command: &[&str]) -> (Self, String) {
        let directory = tempfile::tempdir().unwrap();
        let said = said(run(program, directory.path()).args(command));
        let mut serve = run(program, directory.path());
        serve.env("PASSERBY_CLICKHOUSE_URL", "http://127.0.0.1:9").arg("serve");
        (Self::start(serve.stderr(Stdio::piped()), Some(directory)), said)
    }

    /// The collector with its engine, and what each of these commands said before it was started.
    pub(crate) fn collector_with_engine(
        program: &Path,
        commands: &[&[&str]],
    ) -> (Self, Vec<String>) {
        let directory = tempfile::tempdir().unwrap();
        let said =
            commands.iter().map(|command| said(run(program, directory.path()).args(*command)));
        let said = said.collect();
        let mut serve = run(program, directory.path());
        (Self::start(serve.arg("serve").stderr(Stdio::piped()), Some(directory)), said)
    }

    fn start(command: &mut Command, directory: Option<TempDir>) -> Self {
        let mut child = command.stdin(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap().split_once("address=").map(|(_, address)| address.trim().parse().unwrap())
        });
        // Somebody has to read on.
        std::thread::spawn(move || lines.count());
        Self { child, address: address.expect("the server tells its address"), directory }
    }

    /// Where a collector's engine has its files.
    pub(crate) fn engine_directory(&self) -> PathBuf {
        self.directory.as_ref().unwrap().path().join("engine")
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From `/proc/PID/stat` (fields 14 and 15 in hundredths of a second) and `statm` (field 2 in pages).
    pub(crate) fn usage(&self) -> Usage {
        let read = |file: &str| {
            std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
        };
        let stat = read("stat");
        let after_name = stat.rsplit_once(')').unwrap().1;
        let ticks: f64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<f64>().unwrap())
            .sum();
        let statm = read("statm");
        let pages: f64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
        Usage { cpu_seconds: ticks / 100.0, resident_mib: pages * 4096.0 / f64::from(1 << 20) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A collector's program on this data.
fn run(program: &Path, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("PASSERBY_DATA_DIR", directory);
    command.env("PASSERBY_LISTEN", "127.0.0.1:0");
    command.env("PASSERBY_TRUSTED_PROXIES", "127.0.0.0/8");
    command
}

fn said(command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

/// The bare server, until it is killed.
pub(crate) async fn run_bare() {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    eprintln(listener.local_addr().unwrap());
    loop {
        let (stream, _) = listener.accept().await;
        tokio::spawn(async move {
            let _ = limits().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

#[expect(clippy::print_stderr, reason = "the collector tells its address on stderr, too")]
fn eprintln(address: SocketAddr) {
    eprintln!("address={address}");
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = tokio::time::timeout(Duration::from_secs(5), request.into_body().collect()).await;
    let mut answer = Response::new(Full::new(Bytes::from_static(b"ok")));
    *answer.status_mut() = match body {
        Ok(Ok(_)) => StatusCode::ACCEPTED,
        _ => StatusCode::BAD_REQUEST,
    };
    Ok(answer)
}
