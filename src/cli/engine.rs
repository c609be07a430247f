//! `passerby engine`, hidden: the embedded ClickHouse, as a child process of the collector.
//!
//! It is a process of its own so that a crash or an out-of-memory of the engine does not take the
//! collector down. It must not outlive the collector either, however that ends: its standard input is
//! a pipe whose other end the collector holds, and on Linux the kernel is asked for a signal too.

use std::ffi::{CString, c_char, c_int};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Parser;

/// Run the embedded engine (the collector does this by itself).
#[derive(Parser)]
pub struct Args {
    /// `libchdb.so`, or a `clickhouse` binary
    #[arg(long)]
    source: PathBuf,
    /// Whether the source is the library
    #[arg(long)]
    library: bool,
    /// Where the engine keeps its data
    #[arg(long)]
    data: PathBuf,
    /// The server configuration
    #[arg(long)]
    server_config: PathBuf,
    /// The port to listen on, of 127.0.0.1
    #[arg(long)]
    port: u16,
    /// The process that this one must not outlive
    #[arg(long)]
    parent: u32,
}

/// How far the engine steps back behind the collector.
const NICE: i32 = 5;

/// As long as the server is wanted a statement has to run: this one, for ninety years.
const KEEP_RUNNING: &str =
    "SELECT sleepEachRow(3) FROM numbers(1000000000) SETTINGS max_block_size = 1 FORMAT Null";

/// Runs the engine until the collector goes away.
///
/// # Errors
/// When the engine can not be started.
pub fn run(args: &Args) -> anyhow::Result<()> {
    end_with_parent(args.parent)?;
    // Where both want the processor, beacons go before reports. Without it they still do well.
    let _ = rustix::process::nice(NICE);
    let arguments = arguments(args);
    if args.library {
        run_library(&args.source, &arguments)
    } else {
        run_binary(&args.source, &arguments)
    }
}

fn arguments(args: &Args) -> Vec<String> {
    let flag = |name: &str, value: &dyn std::fmt::Display| [format!("--{name}"), value.to_string()];
    [
        vec!["local".to_owned()],
        flag("config-file", &args.server_config.display()).into(),
        flag("path", &args.data.display()).into(),
        flag("http_port", &args.port).into(),
        flag("listen_host", &"127.0.0.1").into(),
        flag("query", &"SYSTEM START LISTEN HTTP").into(),
        flag("query", &KEEP_RUNNING).into(),
    ]
    .concat()
}

/// The two ropes that tie this process to the collector.
fn end_with_parent(parent: u32) -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    {
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // The parent may have gone before the kernel was asked.
        let is_there = rustix::process::getppid()
            .is_some_and(|pid| pid.as_raw_nonzero().get() as u32 == parent);
        if !is_there {
            bail!("the collector that started this engine is gone");
        }
    }
    let _ = parent;
    std::thread::Builder::new().name("parent".to_owned()).spawn(|| {
        let mut byte = [0];
        // Nothing is ever sent: reading ends when the collector does.
        while matches!(std::io::stdin().read(&mut byte), Ok(1..)) {}
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    })?;
    Ok(())
}

type RunLocal = unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut std::ffi::c_void;

/// Runs `clickhouse local` with these arguments inside of this process.
#[expect(unsafe_code, reason = "the one place where the engine's library is called")]
fn run_library(library: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let arguments: Vec<CString> = arguments
        .iter()
        .map(|argument| CString::new(argument.as_str()))
        .collect::<Result<_, _>>()?;
    let mut pointers: Vec<*mut c_char> =
        arguments.iter().map(|argument| argument.as_ptr().cast_mut()).collect();
    let count = c_int::try_from(pointers.len())?;
    let shown = library.display();
    // SAFETY: the library is the engine's (the operator chose it, or it lies beside the program); its
    // initialisers are those of a C++ program and are made to run at load.
    let library = unsafe { libloading::Library::new(library) }
        .with_context(|| format!("{shown} can not be loaded"))?;
    // SAFETY: `query_stable_v2(int argc, char **argv)` is the library's documented C interface.
    let run: libloading::Symbol<'_, RunLocal> = unsafe { library.get(b"query_stable_v2\0") }
        .with_context(|| {
            format!("{shown} is not the engine's library: it has no query_stable_v2")
        })?;
    // SAFETY: `count` pointers to NUL-terminated strings that live until the call has returned. The
    // result is only tested for being there; the process ends with it.
    let result = unsafe { run(count, pointers.as_mut_ptr()) };
    if result.is_null() {
        bail!("the engine ended without an answer");
    }
    bail!("the engine ended")
}

/// Turns this process into the engine, so that the kernel's rope holds it.
#[cfg(target_os = "linux")]
fn run_binary(binary: &Path, arguments: &[String]) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;
    let error = Command::new(binary).args(arguments).exec();
    Err(error).with_context(|| format!("{} can not be run", binary.display()))
}

/// Runs the engine beside this process, which the pipe ends.
#[cfg(not(target_os = "linux"))]
fn run_binary(binary: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let status = Command::new(binary).args(arguments).status();
    let status = status.with_context(|| format!("{} can not be run", binary.display()))?;
    bail!("the engine ended: {status}")
}
