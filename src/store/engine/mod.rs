//! The embedded engine: a ClickHouse of the collector's own, as a supervised child process.
//!
//! It listens on the loopback interface, and is closed to the other users of the machine: its users
//! have passwords that are made at each start and kept in memory only ([`files`] writes the
//! configuration). Only the analyst's lasts, who sees the views of `schema.sql` and nothing else. It ends with the collector (`cli::engine` sees to that), and
//! when it ends by itself it is started again, later each time.

mod discover;
mod files;
mod supervisor;

use std::net::TcpListener;
use std::path::PathBuf;

pub use discover::{LIBRARY, NoEngine, Source, discover};

use super::Server;
use crate::config::Secret;
use crate::hex;
use supervisor::Supervisor;

/// The engine's memory when nothing else is configured: 1.5 GiB.
const MEMORY_BYTES_MAX: u64 = 1536 << 20;
/// The database that the tables are in.
const DATABASE: &str = "passerby";
const WRITER: &str = "passerby";
const READER: &str = "passerby_reader";
const ANALYST: &str = "passerby_analyst";
/// The file, in the engine's directory, that holds the analyst's password.
const ANALYST_PASSWORD_FILE: &str = "analyst.password";

/// What the engine is started with.
#[derive(Clone, Debug)]
pub struct EngineSettings {
    /// The engine's own directory: configuration, log, and `data` below it.
    pub directory: PathBuf,
    /// What it is run from.
    pub source: Source,
    /// The program whose hidden command `engine` is the child process; this one itself by default.
    pub program: Option<PathBuf>,
    /// The most memory that it may use, in bytes.
    pub memory_bytes_max: Option<u64>,
    /// The port to listen on; by default a free one.
    pub port: Option<u16>,
    /// The user who reads the views.
    pub analyst: Analyst,
}

/// The user of Grafana and the like.
#[derive(Clone, Debug, Default)]
pub struct Analyst {
    /// The password; by default one that is made once and kept in the engine's directory.
    pub password: Option<Secret>,
    /// The only sites that are shown, by domain; empty: every site.
    pub sites: Vec<String>,
}

/// A running engine. Dropping it ends it at once; [`Engine::stop`] lets it finish.
pub struct Engine {
    writer: Server,
    reader: Server,
    analyst: Server,
    supervisor: Supervisor,
}

/// The first port that the engine may have: those below are the well-known ones, and many of the registered.
const PORTS_FROM: u16 = 16_384;
/// The first port of outgoing connections, where the system does not tell: that of Linux.
const OUTGOING_FROM: u16 = 32_768;
/// So many ports are tried before the system is asked for one.
const PORTS_TRIED: usize = 100;

/// The engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its directory can not be written.
    #[error("the engine's directory {path} can not be written ({error}): check its owner")]
    Directory {
        /// The directory.
        path: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// There is no free port, no randomness, or no new process.
    #[error("the engine can not be started: {0}")]
    System(#[from] std::io::Error),
}

impl Engine {
    /// Starts the engine; it answers a moment later.
    ///
    /// # Errors
    /// [`EngineError`]. An engine that ends right after its start is not an error here: it is started
    /// again, and its log says why.
    pub fn start(settings: EngineSettings) -> Result<Self, EngineError> {
        let directory = settings.directory.clone();
        let unwritable =
            |error| EngineError::Directory { path: directory.display().to_string(), error };
        let data = directory.join("data");
        std::fs::create_dir_all(&data).map_err(unwritable)?;
        let directory = directory.canonicalize().map_err(unwritable)?;
        let port = settings.port.map_or_else(free_port, Ok)?;
        let server = |user: &str, password: String| Server {
            url: format!("http://127.0.0.1:{port}"),
            user: user.to_owned(),
            password,
            database: DATABASE.to_owned(),
        };
        let (writer, reader) = (server(WRITER, password()?), server(READER, password()?));
        let analysts_password = match &settings.analyst.password {
            Some(chosen) => chosen.expose().to_owned(),
            None => files::kept_password(&directory.join(ANALYST_PASSWORD_FILE), password)
                .map_err(unwritable)?,
        };
        let analyst = server(ANALYST, analysts_password);
        let users = files::Users {
            writer: (WRITER, &writer.password),
            reader: (READER, &reader.password),
            analyst: (ANALYST, &analyst.password),
            analyst_sites: &settings.analyst.sites,
            database: DATABASE,
        };
        let memory = settings.memory_bytes_max.unwrap_or(MEMORY_BYTES_MAX);
        let server_config = files::write(&directory, &users, memory).map_err(unwritable)?;
        let program = settings.program.map_or_else(std::env::current_exe, Ok)?;
        let supervisor = Supervisor::start(supervisor::Child {
            program,
            source: settings.source,
            log: directory.join("engine.log"),
            data: directory.join("data"),
            server_config,
            port,
        })?;
        Ok(Self { writer, reader, analyst, supervisor })
    }

    /// How to reach it for writing.
    pub fn writer(&self) -> Server {
        self.writer.clone()
    }

    /// How to reach it for reports.
    pub fn reader(&self) -> Server {
        self.reader.clone()
    }

    /// How to reach it for reading the views.
    pub fn analyst(&self) -> Server {
        self.analyst.clone()
    }

    /// The process that is the engine now, if it runs.
    pub fn pid(&self) -> Option<u32> {
        self.supervisor.pid()
    }

    /// Ends it: politely, and after two seconds for good.
    pub async fn stop(self) {
        self.supervisor.stop().await;
    }
}

/// A port that nobody listens on, below those that the system gives to outgoing connections: such a connection, of any
/// program, could have it before the engine does, which then does not come up as long as the connection lasts. Another
/// process that listens may still; then the next start of the collector takes another.
fn free_port() -> std::io::Result<u16> {
    let ports = PORTS_FROM..first_outgoing_port();
    let tries = if ports.is_empty() { 0 } else { PORTS_TRIED };
    for _ in 0..tries {
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(std::io::Error::from)?;
        let port = ports.start + u16::from_le_bytes(random) % (ports.end - ports.start);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The first port that the system gives to outgoing connections.
fn first_outgoing_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range.ok().and_then(|range| range.split_whitespace().next()?.parse().ok());
    first.unwrap_or(OUTGOING_FROM)
}

/// 256 random bits in hexadecimal.
fn password() -> std::io::Result<String> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(std::io::Error::from)?;
    Ok(hex::encode(&random))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_port_is_none_that_an_outgoing_connection_may_have() {
        let ports: Vec<u16> = (0..100).map(|_| free_port().unwrap()).collect();
        let outgoing = first_outgoing_port();
        assert!(ports.iter().all(|port| (PORTS_FROM..outgoing).contains(port)), "{ports:?}");
    }
}
