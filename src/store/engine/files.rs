//! The files that the engine is started with: a server configuration and its users.
//!
//! They are written anew at each start, for their owner alone, and hold no password: the users' file
//! has their SHA-256. The one password that lasts, because it is typed into other programs, is the
//! analyst's: it stands in a file of its own ([`kept_password`]).

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::hex;

/// Who may enter the engine, and with which password.
pub(super) struct Users<'a> {
    /// Writes, and makes the tables.
    pub(super) writer: (&'a str, &'a str),
    /// Reads the tables of the database, under limits.
    pub(super) reader: (&'a str, &'a str),
    /// Reads the views of the database, under the same limits.
    pub(super) analyst: (&'a str, &'a str),
    /// The only sites that the analyst sees; empty: every site.
    pub(super) analyst_sites: &'a [String],
    /// The database that all work on.
    pub(super) database: &'a str,
}

/// The views of `schema.sql`, which are all that an analyst sees.
pub(super) const VIEWS: [&str; 5] =
    ["report_sites", "report_events", "report_visits", "report_hours", "report_days"];

/// Writes both files into `directory` and returns the path of the server configuration.
pub(super) fn write(
    directory: &Path,
    users: &Users<'_>,
    memory_bytes_max: u64,
) -> std::io::Result<PathBuf> {
    let users_file = directory.join("users.xml");
    write_private(&users_file, &users_xml(users))?;
    let server_file = directory.join("server.xml");
    write_private(
        &server_file,
        &server_xml(&users_file, &directory.join("backups"), memory_bytes_max),
    )?;
    Ok(server_file)
}

/// The password in the file, which is made with the one that `make` returns when it is not there.
pub(super) fn kept_password(
    path: &Path,
    make: impl FnOnce() -> std::io::Result<String>,
) -> std::io::Result<String> {
    match std::fs::read_to_string(path) {
        Ok(password) if !password.trim().is_empty() => Ok(password.trim().to_owned()),
        Ok(_) => new_password(path, make()?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => new_password(path, make()?),
        Err(error) => Err(error),
    }
}

fn new_password(path: &Path, password: String) -> std::io::Result<String> {
    write_private(path, &format!("{password}\n"))?;
    Ok(password)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file =
        OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Small caches and few threads: the engine shares its machine with the collector. Old parts are
/// removed soon, and looked for three times a minute at least, so that what was erased leaves the disk.
/// A deletion goes through all parts of its table one after the other, with a pause between any two that is
/// half a second by default: so the pauses are short.
fn server_xml(users_file: &Path, backups: &Path, memory_bytes_max: u64) -> String {
    format!(
        "<clickhouse>
    <logger><level>error</level></logger>
    <users_config>{users_file}</users_config>
    <backups><allowed_path>{backups}</allowed_path></backups>
    <max_server_memory_usage>{memory_bytes_max}</max_server_memory_usage>
    <mark_cache_size>67108864</mark_cache_size>
    <index_mark_cache_size>8388608</index_mark_cache_size>
    <uncompressed_cache_size>0</uncompressed_cache_size>
    <primary_index_cache_size>33554432</primary_index_cache_size>
    <compiled_expression_cache_size>33554432</compiled_expression_cache_size>
    <query_cache><max_size_in_bytes>0</max_size_in_bytes></query_cache>
    <background_pool_size>2</background_pool_size>
    <background_processing_pool_thread_sleep_seconds_if_nothing_to_do>0.02</background_processing_pool_thread_sleep_seconds_if_nothing_to_do>
    <background_processing_pool_task_sleep_seconds_when_no_work_random_part>0</background_processing_pool_task_sleep_seconds_when_no_work_random_part>
    <background_schedule_pool_size>4</background_schedule_pool_size>
    <background_common_pool_size>2</background_common_pool_size>
    <background_fetches_pool_size>1</background_fetches_pool_size>
    <background_move_pool_size>1</background_move_pool_size>
    <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
    <background_buffer_flush_schedule_pool_size>1</background_buffer_flush_schedule_pool_size>
    <max_concurrent_queries>64</max_concurrent_queries>
    <keep_alive_timeout>60</keep_alive_timeout>
    <merge_tree>
        <old_parts_lifetime>60</old_parts_lifetime>
        <cleanup_delay_period>10</cleanup_delay_period>
        <cleanup_delay_period_random_add>0</cleanup_delay_period_random_add>
        <max_cleanup_delay_period>20</max_cleanup_delay_period>
        <number_of_free_entries_in_pool_to_execute_mutation>0</number_of_free_entries_in_pool_to_execute_mutation>
        <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
        <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>0</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
    </merge_tree>
</clickhouse>
",
        users_file = escaped(&users_file.display().to_string()),
        backups = escaped(&backups.display().to_string()),
    )
}

/// The user `default`, who runs the statements of the engine's own command line, may open the port
/// and nothing else. The reader may select from the tables, and has no way to anything outside of them;
/// the analyst from the views. A report has all the processors if there are 128 MB of memory for each: the server would have
/// a GiB for each, and then one processor alone in all that the engine may take.
fn users_xml(users: &Users<'_>) -> String {
    let Users {
        writer: (writer, writer_password),
        reader: (reader, reader_password),
        analyst: (analyst, analyst_password),
        database,
        ..
    } = users;
    format!(
        "<clickhouse>
    <profiles>
        <default/>
        <reader>
            <readonly>2</readonly>
            <max_execution_time>10</max_execution_time>
            <max_memory_usage>1073741824</max_memory_usage>
            <max_threads_min_free_memory_per_thread>134217728</max_threads_min_free_memory_per_thread>
            <max_rows_to_read>2000000000</max_rows_to_read>
            <max_result_rows>1000000</max_result_rows>
            <constraints>
                <max_execution_time><min>1</min><max>30</max></max_execution_time>
                <max_memory_usage><min>1</min><max>1073741824</max></max_memory_usage>
                <max_rows_to_read><min>1</min><max>2000000000</max></max_rows_to_read>
                <max_result_rows><min>1</min><max>1000000</max></max_result_rows>
            </constraints>
        </reader>
    </profiles>
    <quotas><default/></quotas>
    <users>
        <default>
            <password/>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
            <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants>
        </default>
        <{writer}>
            <password_sha256_hex>{writer_hash}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>default</profile>
            <quota>default</quota>
        </{writer}>
        <{reader}>
            <password_sha256_hex>{reader_hash}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>reader</profile>
            <quota>default</quota>
            <grants><query>GRANT SELECT ON {database}.*</query></grants>
        </{reader}>
        <{analyst}>
            <password_sha256_hex>{analyst_hash}</password_sha256_hex>
            <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
            <profile>reader</profile>
            <quota>default</quota>
            <grants>{analyst_grants}</grants>{analyst_rows}
        </{analyst}>
    </users>
</clickhouse>
",
        writer_hash = sha256_hex(writer_password),
        reader_hash = sha256_hex(reader_password),
        analyst_hash = sha256_hex(analyst_password),
        analyst_grants = grants_on_views(database),
        analyst_rows = row_policies(database, users.analyst_sites),
    )
}

fn grants_on_views(database: &str) -> String {
    VIEWS.map(|view| format!("<query>GRANT SELECT ON {database}.{view}</query>")).concat()
}

/// Which rows of the views are shown. The names of sites have no character that could end a string
/// (`config` refuses any other).
fn row_policies(database: &str, sites: &[String]) -> String {
    if sites.is_empty() {
        return String::new();
    }
    let sites = sites.iter().map(|site| format!("'{site}'")).collect::<Vec<_>>().join(", ");
    let policies =
        VIEWS.map(|view| format!("<{view}><filter>site IN ({sites})</filter></{view}>")).concat();
    format!("<databases><{database}>{policies}</{database}></databases>")
}

fn sha256_hex(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
