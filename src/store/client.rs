//! Every access to ClickHouse, through the `clickhouse` crate.
//!
//! Two users: one writes, one reads reports and can do nothing else. Every setting that matters is
//! sent with every statement, because the defaults have changed between versions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use clickhouse::insert_formatted::CompressedData;
use clickhouse::{Client, Compression, RowOwned, RowRead, RowWrite};
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::cluster::Cluster;
use super::codes::{self, Meaning};
use super::migration::{self, Planned};
use super::schema::{self, Kind};
use super::tiers::Lookups;
use super::{Server, block};
use crate::event::Event;
use crate::query::statement::Statement;

/// A statement that takes longer is given up by its sender; reports are stopped by the server before.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the user that reports read as is tried.
const READER_TIMEOUT: Duration = Duration::from_secs(5);
/// The most statements of reports that run at once; more wait for their turn.
pub const STATEMENTS_MAX: usize = 4;
/// A statement whose turn does not come in as long is given up.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);
/// The most questions at once which days are closed, of two small statements at most: every report asks that, and
/// the server has places for 64 statements.
const LOOKUPS_MAX: usize = 4;
/// How long a statement that reports may take, in seconds.
const REPORT_SECONDS_MAX: &str = "10";
/// How much memory a report may take, in bytes: 1 GiB.
const REPORT_MEMORY_BYTES_MAX: &str = "1073741824";

/// Settings of everything that writes: one insert is one block, kept as soon as it is answered, and
/// sent again whenever that is in doubt, because the tables replace equal rows.
const WRITE_SETTINGS: [(&str, &str); 9] = [
    ("async_insert", "0"),
    ("insert_deduplicate", "0"),
    ("wait_end_of_query", "1"),
    ("max_insert_block_size", "1048576"),
    ("min_insert_block_size_rows", "1048576"),
    ("min_insert_block_size_bytes", "268435456"),
    ("input_format_max_block_wait_ms", "0"),
    ("input_format_native_allow_types_conversion", "1"),
    ("max_partitions_per_insert_block", "100"),
];

/// Settings of everything on a cluster. An insert is answered when each shard that it has rows for has them on its
/// disk; visits are whole on their shard, so that what goes by visits is asked for there; and a report of some of the
/// shards would be a wrong one.
const CLUSTER_SETTINGS: [(&str, &str); 4] = [
    ("distributed_foreground_insert", "1"),
    ("insert_distributed_timeout", "50"),
    ("distributed_product_mode", "local"),
    ("skip_unavailable_shards", "0"),
];

/// ClickHouse, to write to and to read from.
pub struct Store {
    writer: Client,
    reader: Client,
    /// The servers that have the rows: on one machine, the one.
    nodes: Vec<Node>,
    pub(super) cluster: Option<Cluster>,
    database: String,
    statements: Semaphore,
    looking_up: Semaphore,
    admission: Mutex<Admission>,
    /// Whether it was said that rows could not be packed: the same rows may be sent again and again.
    has_told_of_packing: AtomicBool,
    pub(super) lookups: Lookups,
}

/// A server that has rows.
pub(super) struct Node {
    url: String,
    /// The user that writes.
    pub(super) writer: Client,
    /// The same without a database: for making it.
    pub(super) server: Client,
}

/// ClickHouse did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or the answer was cut: what it did is not known.
    #[error("ClickHouse can not be reached: {0}")]
    Unavailable(String),
    /// The statement needs more than one may use.
    #[error("ClickHouse stopped the statement at a limit (code {code}): {message}")]
    Limit {
        /// ClickHouse's error code.
        code: u32,
        /// Its message.
        message: String,
    },
    /// The user is not known, or may not do that.
    #[error(
        "ClickHouse denies access (code {code}): {message}; check clickhouse.user and clickhouse.password"
    )]
    Denied {
        /// ClickHouse's error code.
        code: u32,
        /// Its message.
        message: String,
    },
    /// The database or a table is not there: a collector that has just started makes them.
    #[error(
        "ClickHouse has not got what is asked for (code {code}): {message}; a start of the collector makes the tables: restart it"
    )]
    Missing {
        /// ClickHouse's error code.
        code: u32,
        /// Its message.
        message: String,
    },
    /// It can not do it at the moment, whatever it is: it has too much to do, has no space, shuts down, or does not reach another
    /// server of its cluster.
    #[error("ClickHouse can not run the statement now (code {code}): {message}")]
    Busy {
        /// ClickHouse's error code; 0 when it was not asked, because too many others wait for it.
        code: u32,
        /// Its message.
        message: String,
    },
    /// It answered, and the answer is none that this version can read: asking again does not help.
    #[error("what ClickHouse answered can not be read: {0}")]
    Unreadable(String),
    /// It has none of the sites that the collector knows: it is another database, or one that was emptied.
    #[error(
        "the database has none of the sites that this collector knows, as if it had lost its data: bring a backup back with \
         `passerby restore`, or, if it is to begin anew, stop the collector and move catalog.json out of its data directory"
    )]
    Emptied,
    /// The system gives no random number, which is needed to name something. ClickHouse was not asked.
    #[error("the system gives no random number")]
    NoRandomness,
    /// It refused the statement or its data.
    #[error("ClickHouse refused (code {code}): {message}")]
    Rejected {
        /// ClickHouse's error code; 0 when it told none.
        code: u32,
        /// Its message.
        message: String,
    },
}

impl StoreError {
    /// ClickHouse's error code, if it answered with one.
    pub fn code(&self) -> Option<u32> {
        match self {
            Self::Unavailable(_) | Self::Unreadable(_) | Self::Emptied | Self::NoRandomness => None,
            Self::Limit { code, .. }
            | Self::Denied { code, .. }
            | Self::Missing { code, .. }
            | Self::Busy { code, .. }
            | Self::Rejected { code, .. } => Some(*code),
        }
    }

    /// It was not asked, because too many others wait for it.
    pub fn crowded(message: &str) -> Self {
        Self::Busy { code: 0, message: message.to_owned() }
    }

    /// What an exception says that has this code.
    pub(super) fn of_code(code: u32, message: String) -> Self {
        match codes::meaning(code) {
            Meaning::Busy => Self::Busy { code, message },
            Meaning::Exhausted | Meaning::Limit => Self::Limit { code, message },
            Meaning::Missing => Self::Missing { code, message },
            Meaning::Denied => Self::Denied { code, message },
            Meaning::Poison | Meaning::Unknown => Self::Rejected { code, message },
        }
    }

    /// Whether it says nothing of the statement, so that any other would fare no better at the moment.
    pub fn is_of_any_statement(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Busy { .. } | Self::Emptied)
    }

    /// Whether the statement took longer than one may.
    pub fn is_out_of_time(&self) -> bool {
        self.code() == Some(codes::TIMEOUT_EXCEEDED)
    }

    /// What it says of an insert: one is never too large, so that where time or memory ran out, ClickHouse has too much to do.
    fn of_insert(self) -> Self {
        match self {
            Self::Limit { code, message } if codes::meaning(code) == Meaning::Exhausted => {
                Self::Busy { code, message }
            }
            other => other,
        }
    }

    /// What it says of an insert of events, which may go into a log: why one is refused may repeat what was in it, an analyst's
    /// constraint for one. What the code is called stays.
    fn without_events(self) -> Self {
        match self {
            Self::Rejected { code, message } => {
                let name = name_of_code(&message).unwrap_or("without a name");
                let message = format!("{name}; the rest is left out, for it may repeat an event");
                Self::Rejected { code, message }
            }
            other => other,
        }
    }
}

impl From<clickhouse::error::Error> for StoreError {
    fn from(error: clickhouse::error::Error) -> Self {
        use clickhouse::error::Error;
        match error {
            Error::BadResponse(message) => refusal(&message),
            Error::Network(source) => Self::Unavailable(innermost(&*source)),
            Error::TimedOut => Self::Unavailable("it did not answer in time".to_owned()),
            error @ (Error::Decompression(_)
            | Error::DataFormat(_)
            | Error::RowNotFound
            | Error::NotEnoughData
            | Error::InvalidUtf8Encoding(_)
            | Error::InvalidTagEncoding(_)
            | Error::InvalidColumnsHeader(_)
            | Error::SchemaMismatch(_)) => Self::Unreadable(error.to_string()),
            other => Self::Rejected { code: 0, message: other.to_string() },
        }
    }
}

/// The crate's network errors wrap the system's, which is the one that says something.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// Sorts an exception by its code: `Code: 159. DB::Exception: …`.
fn refusal(message: &str) -> StoreError {
    let message = message.trim();
    let code = message
        .strip_prefix("Code: ")
        .and_then(|rest| rest.split('.').next())
        .and_then(|code| code.parse().ok());
    // Values of a statement may be in the message, so only its beginning is kept, and what the code is called.
    let name = name_of_code(message).map(|name| format!(" … ({name})")).unwrap_or_default();
    let message = match message.char_indices().nth(300) {
        Some((end, _)) => message[..end].to_owned() + &name,
        None => message.to_owned(),
    };
    match code {
        Some(code) => StoreError::of_code(code, message),
        None => StoreError::Unavailable(message),
    }
}

/// What a code is called, which ends a message: `… (NO_SUCH_COLUMN_IN_TABLE) (version 26.7.2.1)`.
fn name_of_code(message: &str) -> Option<&str> {
    let message = message.trim_end();
    let named = message.rsplit_once(" (version").map_or(message, |(named, _)| named);
    let (_, name) = named.strip_suffix(')')?.rsplit_once('(')?;
    let is_name = name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    Some(name).filter(|name| is_name && !name.is_empty())
}

/// Whether the database may be told events, and asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// It may.
    Open,
    /// It has to be looked first whether it is the one that has the earlier events.
    NotYet,
    /// It is not. Events belong to those that a backup brings back, and what it has is not the truth.
    Emptied,
}

impl Store {
    /// Prepares access to one server; nothing is sent yet.
    pub fn connect(writer: &Server, reader: &Server) -> Self {
        Self::of(writer, reader, None)
    }

    /// Prepares access to a cluster: rows and questions go to one of its servers, which knows the others.
    pub fn connect_to_cluster(writer: &Server, reader: &Server, cluster: Cluster) -> Self {
        Self::of(writer, reader, Some(cluster))
    }

    fn of(writer: &Server, reader: &Server, cluster: Option<Cluster>) -> Self {
        let client = |server: &Server| {
            Client::default()
                .with_url(&server.url)
                .with_user(&server.user)
                .with_password(&server.password)
        };
        let for_reports = client(reader)
            .with_database(&reader.database)
            .with_compression(Compression::Lz4)
            .with_setting("max_execution_time", REPORT_SECONDS_MAX)
            .with_setting("max_memory_usage", REPORT_MEMORY_BYTES_MAX)
            .with_setting("do_not_merge_across_partitions_select_final", "1")
            // The visits with an event that is asked for can be millions. Each would be looked up in the table's index, by one
            // processor and before anything is read: seconds, to leave hardly anything out.
            .with_setting("use_index_for_in_with_subqueries_max_values", "10000")
            // Nobody waits any more for the statements of a page of which one was stopped.
            .with_setting("cancel_http_readonly_queries_on_client_close", "1")
            .with_setting("output_format_json_quote_64bit_integers", "0")
            .with_setting("output_format_json_quote_denormals", "0")
            .with_setting("session_timezone", "UTC");
        let for_writes = |server: &Server| {
            let client = client(server).with_database(&server.database);
            with_settings(client.with_compression(Compression::Lz4), &WRITE_SETTINGS)
        };
        let spread = |client| match &cluster {
            Some(_) => with_settings(client, &CLUSTER_SETTINGS),
            None => client,
        };
        let urls = match &cluster {
            Some(cluster) => cluster.nodes.clone(),
            None => vec![writer.url.clone()],
        };
        let node = |url: String| {
            let server = Server { url: url.clone(), ..writer.clone() };
            Node { url, writer: spread(for_writes(&server)), server: client(&server) }
        };
        Self {
            writer: spread(for_writes(writer)),
            reader: spread(for_reports),
            nodes: urls.into_iter().map(node).collect(),
            database: writer.database.clone(),
            statements: Semaphore::new(STATEMENTS_MAX),
            looking_up: Semaphore::new(LOOKUPS_MAX),
            lookups: Lookups::default(),
            admission: Mutex::new(Admission::Open),
            has_told_of_packing: AtomicBool::default(),
            cluster,
        }
    }

    /// Has whoever tells or asks next look first whether the database has sites, for some are known.
    pub fn expect_sites(&self) {
        self.set_admission(Admission::NotYet);
    }

    /// Whether this is the database that has the earlier events, where sites are known: it has sites then.
    async fn look_for_sites(&self) -> Result<(), StoreError> {
        let sites = self.writer.query("SELECT count() FROM sites").fetch_one::<u64>();
        let has_sites = in_time(sites).await? > 0;
        self.set_admission(if has_sites { Admission::Open } else { Admission::Emptied });
        if has_sites { Ok(()) } else { Err(StoreError::Emptied) }
    }

    /// Nothing is told to a database that has lost its data, and nobody shall believe it that there was nobody.
    pub(super) async fn tells_the_truth(&self) -> Result<(), StoreError> {
        match self.admission() {
            Admission::Open => Ok(()),
            Admission::NotYet => self.look_for_sites().await,
            Admission::Emptied => Err(StoreError::Emptied),
        }
    }

    fn admission(&self) -> Admission {
        *self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_admission(&self, admission: Admission) {
        *self.admission.lock().unwrap_or_else(PoisonError::into_inner) = admission;
    }

    /// The client of the user that writes.
    pub fn writer(&self) -> &Client {
        &self.writer
    }

    /// The servers that have the rows.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether more than one server has each row.
    pub(super) fn is_replicated(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.is_replicated)
    }

    /// Whether the rows lie on several servers.
    pub(super) fn is_spread(&self) -> bool {
        self.cluster.is_some()
    }

    /// The table of events where its rows are.
    pub(super) fn stored_events(&self) -> &'static str {
        if self.cluster.is_some() { "events_local" } else { "events" }
    }

    /// The name of the database, without what could end it in a statement.
    pub(super) fn database(&self) -> String {
        self.database.replace('`', "")
    }

    /// Makes the database and its tables, where they are missing, and what is missing of them.
    ///
    /// On a cluster each server has the tables before any asks another for them, and the same for each column.
    ///
    /// # Errors
    /// When a ClickHouse does not answer, the user may not, or the cluster is another than is configured.
    pub async fn apply_schema(&self) -> Result<(), StoreError> {
        let create = format!("CREATE DATABASE IF NOT EXISTS `{}`", self.database());
        for node in &self.nodes {
            in_time(node.server.query_raw(&create).execute()).await?;
        }
        if let Some(cluster) = &self.cluster {
            self.compare(cluster).await?;
        }
        for kind in [Kind::Table, Kind::Distributed, Kind::View] {
            for node in &self.nodes {
                self.apply(kind, node).await?;
            }
        }
        Ok(())
    }

    async fn apply(&self, kind: Kind, node: &Node) -> Result<(), StoreError> {
        let mut statements = schema::statements(self.cluster.as_ref());
        statements.retain(|statement| statement.kind == kind);
        if statements.is_empty() {
            return Ok(());
        }
        if kind == Kind::View {
            // Whether what a view is made of has changed can not be told from its columns.
            for view in &statements {
                let sql = schema::drawn(&view.sql).map_err(|_| StoreError::NoRandomness)?;
                in_time(node.writer.query_raw(&sql).execute()).await?;
            }
            return Ok(());
        }
        for step in migration::plan(&statements, &self.columns(node).await?) {
            match step.sql() {
                Some(sql) => {
                    tracing::debug!(%step, node = %node.url, "a step of the migration");
                    in_time(node.writer.query_raw(sql).execute()).await?;
                }
                None => tracing::warn!(%step, "the tables are not those of this version"),
            }
        }
        Ok(())
    }

    /// Compares the cluster as its servers know it with the one that is configured: a server that is not listed would
    /// have no tables, or keep what was erased everywhere else.
    async fn compare(&self, cluster: &Cluster) -> Result<(), StoreError> {
        let sql = "SELECT count() FROM system.clusters WHERE cluster = ?";
        for node in &self.nodes {
            let known = node.server.query(sql).bind(&cluster.name).fetch_one::<u64>();
            let known = in_time(known).await?;
            if known != self.nodes.len() as u64 {
                return Err(StoreError::Rejected {
                    code: 0,
                    message: format!(
                        "the cluster {} has {known} servers for {}, and clickhouse.nodes has {}: list them all",
                        cluster.name,
                        node.url,
                        self.nodes.len()
                    ),
                });
            }
        }
        Ok(())
    }

    /// What [`Self::apply_schema`] would do now, save for making the views anew that are there.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn plan(&self) -> Result<Vec<Planned>, StoreError> {
        let statements = schema::statements(self.cluster.as_ref());
        let mut planned = Vec::new();
        for node in &self.nodes {
            let steps = migration::plan(&statements, &self.columns(node).await?);
            let url = self.cluster.as_ref().map(|_| node.url.clone());
            planned.extend(steps.into_iter().map(|step| Planned { node: url.clone(), step }));
        }
        Ok(planned)
    }

    /// The columns that a server's database has.
    async fn columns(&self, node: &Node) -> Result<migration::Columns, StoreError> {
        let sql = "SELECT table, name, type FROM system.columns WHERE database = ?";
        let query = node.server.query(sql).bind(&self.database);
        let rows = in_time(query.fetch_all::<(String, String, String)>()).await?;
        let mut columns = migration::Columns::new();
        for (table, name, kind) in rows {
            columns.entry(table).or_default().insert(name, kind);
        }
        Ok(columns)
    }

    /// Whether ClickHouse answers a statement, and its version.
    ///
    /// # Errors
    /// When it does not.
    pub async fn version(&self) -> Result<String, StoreError> {
        in_time(self.writer.query("SELECT version()").fetch_one::<String>()).await
    }

    /// The time of day that ClickHouse has, to the second.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let seconds =
            in_time(self.writer.query("SELECT toInt64(now())").fetch_one::<i64>()).await?;
        Timestamp::from_second(seconds)
            .map_err(|_| StoreError::Unavailable("it has no time of day".to_owned()))
    }

    /// Writes rows of a small table, all of them or none, unless shards have them.
    ///
    /// # Errors
    /// When ClickHouse does not take them.
    pub async fn write_rows<R>(&self, table: &str, rows: &[R]) -> Result<(), StoreError>
    where
        R: RowOwned + RowWrite,
    {
        in_time(async {
            let mut insert = self.writer.insert::<R>(table).await?;
            for row in rows {
                insert.write(row).await?;
            }
            insert.end().await
        })
        .await
    }

    /// Reads the rows of all columns of a small table, as the last change of each left them.
    ///
    /// # Errors
    /// When ClickHouse does not answer.
    pub async fn read_rows<R>(&self, table: &str) -> Result<Vec<R>, StoreError>
    where
        R: RowOwned + RowRead,
    {
        in_time(self.writer.query(&format!("SELECT ?fields FROM {table} FINAL")).fetch_all::<R>())
            .await
    }

    /// Inserts events that are encoded as RowBinary, all of one day. What is sent is one block, compressed as a
    /// whole: without its last byte none of it can be read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it is not known whether they are in, and [`StoreError::Busy`] when ClickHouse can not take
    /// them at the moment: send them again. [`StoreError::Emptied`] when they would be the first of a database that has lost the
    /// others.
    pub async fn insert_events(
        &self,
        columns: &str,
        rows: impl Into<Bytes>,
    ) -> Result<(), StoreError> {
        self.tells_the_truth().await.map_err(StoreError::of_insert)?;
        let told = &self.has_told_of_packing;
        let Packed { format, optimize_on_insert, data } =
            packed(block::of, columns.to_owned(), rows.into(), told).await?;
        let sql = format!("INSERT INTO events ({columns}) FORMAT {format}");
        in_time(async {
            let insert = self.writer.insert_formatted_with(sql);
            let mut insert = insert.with_setting("optimize_on_insert", optimize_on_insert);
            insert.send_compressed(data).await?;
            insert.end().await
        })
        .await
        .map_err(|error| {
            // Whoever makes the table anew may do so in a database that has lost everything.
            if matches!(error, StoreError::Missing { .. }) {
                self.expect_sites();
            }
            error.of_insert().without_events()
        })
    }

    /// A place to look up which days are closed.
    pub(super) async fn turn_to_look_up(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        turn(&self.looking_up).await
    }

    /// Runs the statement of a report, as the user who may only read, and returns its rows.
    ///
    /// # Errors
    /// When ClickHouse does not answer, stops it at a limit, or refuses it.
    pub async fn select(&self, statement: &Statement) -> Result<Vec<Vec<Value>>, StoreError> {
        rows(&self.read(statement, "JSONCompactEachRow").await?)
    }

    /// Runs a statement that selects all columns of events, as the user who may only read.
    ///
    /// # Errors
    /// As [`Self::select`].
    pub async fn select_events(&self, statement: &Statement) -> Result<Vec<Event>, StoreError> {
        let answer = self.read(statement, "RowBinary").await?;
        let (mut rest, mut events) = (&answer[..], Vec::new());
        while !rest.is_empty() {
            let event = Event::take(&mut rest);
            events.push(event.map_err(|error| StoreError::Unreadable(error.to_string()))?);
        }
        Ok(events)
    }

    /// Whether the user that reports read as may read, with the settings of a report. Events are not read for it, and no report
    /// waits.
    ///
    /// # Errors
    /// As [`Self::select`]; that the user is denied is a refusal like any other.
    pub async fn try_reader(&self) -> Result<(), StoreError> {
        let query = self.reader.query_raw("SELECT site_id FROM events LIMIT 0");
        let answer = in_time_of(READER_TIMEOUT, async {
            query.fetch_bytes("JSONCompactEachRow")?.collect().await
        });
        match answer.await {
            Ok(_) => Ok(()),
            // What the other says to do is for the user that writes.
            Err(StoreError::Denied { code, message }) => {
                Err(StoreError::Rejected { code, message })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads stand in a queue for a few places: they must not take the machine from the beacons.
    async fn read(&self, statement: &Statement, format: &str) -> Result<Bytes, StoreError> {
        self.tells_the_truth().await?;
        let _turn = turn(&self.statements).await?;
        in_time(async {
            let query = self.reader.query_raw(statement.text());
            let query = statement
                .params()
                .iter()
                .fold(query, |query, (name, value)| query.param(name, value));
            query.fetch_bytes(format)?.collect().await
        })
        .await
    }
}

/// Rows as an insert sends them.
struct Packed {
    format: &'static str,
    /// Whether ClickHouse has to look for rows that are equal: in a block there are none.
    optimize_on_insert: &'static str,
    data: CompressedData,
}

/// What makes a block of rows, if it can.
type MakeBlock = fn(&str, &[u8]) -> Option<Vec<u8>>;

/// Packs rows. Rows that stop whoever makes blocks of them are sent as they are: they would stop it each time, and ClickHouse
/// can say which of them it does not take.
async fn packed(
    make: MakeBlock,
    columns: String,
    rows: Bytes,
    has_told: &AtomicBool,
) -> Result<Packed, StoreError> {
    let as_they_are = rows.clone();
    let packing = apart(move || match make(&columns, &rows) {
        Some(block) => compressed("Native", "0", &block),
        None => compressed("RowBinary", "1", &rows),
    });
    match packing.await {
        Ok(packed) => packed,
        Err(Stopped) => {
            // What it stopped at may be in the words of the panic, and those are not repeated.
            if !has_told.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    "events could not be packed for ClickHouse, and are sent as rows, which takes it longer. Nothing is lost; \
                     this is a fault of Passerby's, and worth telling its developers"
                );
            }
            let packed = apart(move || compressed("RowBinary", "1", &as_they_are)).await;
            packed.unwrap_or_else(|Stopped| {
                Err(StoreError::Rejected {
                    code: 0,
                    message: "the rows can not be packed".to_owned(),
                })
            })
        }
    }
}

/// It panicked, or the collector stops.
struct Stopped;

/// Does what takes tens of milliseconds for a large batch: not on a thread that answers beacons.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stopped> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Stopped)
}

fn compressed(
    format: &'static str,
    optimize_on_insert: &'static str,
    rows: &[u8],
) -> Result<Packed, StoreError> {
    let data = CompressedData::new(rows, Compression::Lz4)?;
    Ok(Packed { format, optimize_on_insert, data })
}

async fn turn(places: &Semaphore) -> Result<SemaphorePermit<'_>, StoreError> {
    match tokio::time::timeout(TURN_TIMEOUT, places.acquire()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(StoreError::crowded("too many reports wait for it")),
    }
}

fn with_settings(client: Client, settings: &[(&'static str, &'static str)]) -> Client {
    settings.iter().fold(client, |client, (name, value)| client.with_setting(*name, *value))
}

fn rows(answer: &Bytes) -> Result<Vec<Vec<Value>>, StoreError> {
    let lines = answer.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let row = |line| {
        serde_json::from_slice(line).map_err(|error| StoreError::Unreadable(error.to_string()))
    };
    lines.map(row).collect()
}

/// The crate waits for ever; nothing here does.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, StoreError> {
    in_time_of(ANSWER_TIMEOUT, answer).await
}

pub(super) async fn in_time_of<T>(
    patience: Duration,
    answer: impl Future<Output = clickhouse::error::Result<T>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(patience, answer).await {
        Ok(answer) => answer.map_err(StoreError::from),
        Err(_) => Err(StoreError::Unavailable("it did not answer in time".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a code is for a report, and for an insert.
    fn kinds(code: u32) -> [&'static str; 2] {
        let error = refusal(&format!("Code: {code}. DB::Exception: any (NAME) (version 26.7.2.1)"));
        assert_eq!(error.code(), Some(code));
        [error.clone(), error.of_insert()].map(|error| match error {
            StoreError::Busy { .. } => "busy",
            StoreError::Limit { .. } => "limit",
            StoreError::Missing { .. } => "missing",
            StoreError::Denied { .. } => "denied",
            StoreError::Rejected { .. } => "rejected",
            StoreError::Unavailable(_)
            | StoreError::Unreadable(_)
            | StoreError::Emptied
            | StoreError::NoRandomness => "no code",
        })
    }

    #[test]
    fn an_exception_is_sorted_by_its_code() {
        for (codes, report, insert) in [
            (&[202, 209, 210, 236, 242, 243, 252, 279, 285][..], "busy", "busy"),
            (&[319, 364, 394, 425, 439, 999, 1000], "busy", "busy"),
            (&[159, 241], "limit", "busy"),
            (&[158, 160, 306, 307, 396], "limit", "limit"),
            (&[60, 81], "missing", "missing"),
            (&[192, 193, 194, 195, 492, 497, 516], "denied", "denied"),
            (&[6, 26, 27, 32, 33, 36, 53, 70, 117, 131, 395], "rejected", "rejected"),
            (&[0, 7, 16, 62, 164, 9_999], "rejected", "rejected"),
        ] {
            for code in codes {
                assert_eq!(kinds(*code), [report, insert], "{code}");
            }
        }
        assert!(matches!(refusal("<html>Bad gateway</html>"), StoreError::Unavailable(_)));
    }

    #[test]
    fn what_ends_by_itself_says_nothing_of_the_statement_and_a_limit_does() {
        let of_code = |code| StoreError::of_code(code, String::new());
        for code in [202, 252, 1000] {
            assert!(of_code(code).is_of_any_statement(), "{code}");
        }
        for code in [159, 241, 60, 516, 62] {
            assert!(!of_code(code).is_of_any_statement(), "{code}");
        }
        assert!(of_code(159).is_out_of_time() && !of_code(241).is_out_of_time());
    }

    #[tokio::test]
    async fn rows_that_stop_the_packing_are_sent_as_they_are_and_it_is_told_once() {
        let has_told = AtomicBool::default();
        let (rows, columns) = (Bytes::from_static(b"rows"), || "a".to_owned());
        let stops: MakeBlock = |_, _| panic!("it stops at a row");
        for _ in 0..2 {
            let packed = packed(stops, columns(), rows.clone(), &has_told).await;
            let packed = packed.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((packed.format, packed.optimize_on_insert), ("RowBinary", "1"));
            assert!(has_told.load(Ordering::Relaxed));
        }
        let whole: MakeBlock = |_, _| Some(vec![1]);
        let packed = packed(whole, columns(), rows, &has_told).await;
        assert_eq!(packed.ok().map(|packed| packed.format), Some("Native"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_too_long_for_a_turn_is_told_that_others_do() {
        let error = turn(&Semaphore::new(0)).await.err();
        assert!(matches!(error, Some(StoreError::Busy { .. })), "{error:?}");
    }

    #[test]
    fn an_answer_that_can_not_be_read_is_not_taken_for_none() {
        let error = rows(&Bytes::from_static(b"[1]\n[2")).unwrap_err();
        assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
        assert!(!error.is_of_any_statement(), "another statement's answer may be one");
        let error = StoreError::from(clickhouse::error::Error::NotEnoughData);
        assert!(matches!(error, StoreError::Unreadable(_)), "{error}");
    }

    #[test]
    fn why_an_insert_is_refused_repeats_nothing_of_the_event() {
        let told = |message: &str| refusal(message).without_events().to_string();
        let constraint = format!(
            "Code: 469. DB::Exception: Constraint `x` is violated. Column values: pathname = '{}'. (VIOLATED_CONSTRAINT) (version 26.7.2.1 (official build))\n",
            "/secret".repeat(100)
        );
        let told_of_constraint = told(&constraint);
        assert!(
            told_of_constraint.contains("(code 469): VIOLATED_CONSTRAINT;")
                && !told_of_constraint.contains("secret"),
            "{told_of_constraint}"
        );
        let short = "Code: 16. DB::Exception: No such column x (NO_SUCH_COLUMN_IN_TABLE) (version 26.7.2.1)";
        assert!(told(short).contains("NO_SUCH_COLUMN_IN_TABLE"));
        assert!(told("Code: 16. DB::Exception: No such column").contains("without a name"));
    }
}
