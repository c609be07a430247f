//! Keeps the engine's process running.
//!
//! A thread of its own starts the process and waits for it: the kernel ends the child when the
//! *thread* that started it ends, so that thread must live as long as the child.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Source;

/// The pause before the first start after an end; it doubles with each early end.
const BACK_OFF_MIN: Duration = Duration::from_millis(200);
/// The longest pause.
const BACK_OFF_MAX: Duration = Duration::from_secs(10);
/// An engine that ran this long ended for a reason of its own: the pause begins anew.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// How long the engine may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the process is looked at.
const POLL: Duration = Duration::from_millis(50);

/// How the process is started.
pub(super) struct Child {
    pub(super) program: PathBuf,
    pub(super) source: Source,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    pub(super) server_config: PathBuf,
    pub(super) port: u16,
}

pub(super) struct Supervisor {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_stopping: bool,
    pid: Option<u32>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, unless the engine is being stopped. Says whether it is not.
    fn pause(&self, pause: Duration) -> bool {
        let waited =
            self.changed.wait_timeout_while(self.state(), pause, |state| !state.is_stopping);
        !waited.unwrap_or_else(PoisonError::into_inner).0.is_stopping
    }
}

impl Supervisor {
    pub(super) fn start(child: Child) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || supervise(&child, &of_thread))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.shared.state().pid
    }

    pub(super) async fn stop(mut self) {
        self.tell_to_stop();
        if let Some(thread) = self.thread.take() {
            // The thread ends the process within its patience.
            let _ = tokio::task::spawn_blocking(|| thread.join()).await;
        }
    }

    fn tell_to_stop(&self) {
        self.shared.state().is_stopping = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.tell_to_stop();
    }
}

impl Child {
    /// What the engine said that ran before.
    fn previous_log(&self) -> PathBuf {
        self.log.with_extension("log.1")
    }
}

fn supervise(child: &Child, shared: &Shared) {
    let mut back_off = BACK_OFF_MIN;
    loop {
        let started = Instant::now();
        match spawn(child) {
            // The pipe is held for as long as the engine shall run.
            Ok((process, pipe)) => {
                shared.state().pid = Some(process.id());
                let ended = wait(process, shared);
                shared.state().pid = None;
                drop(pipe);
                let Some(ended) = ended else { return };
                let log = child.previous_log();
                tracing::error!(ended, log = %log.display(), "the engine ended; it is started again");
            }
            Err(error) => {
                tracing::error!(%error, "the engine can not be started; it is tried again")
            }
        }
        if started.elapsed() >= STABLE_AFTER {
            back_off = BACK_OFF_MIN;
        }
        if !shared.pause(back_off) {
            return;
        }
        back_off = (back_off * 2).min(BACK_OFF_MAX);
    }
}

fn spawn(child: &Child) -> std::io::Result<(Process, Option<ChildStdin>)> {
    // Begun anew at each start, so that it stays small; what an engine said that ended is kept until the next one has.
    if std::fs::metadata(&child.log).is_ok_and(|log| log.len() > 0) {
        std::fs::rename(&child.log, child.previous_log())?;
    }
    let log = File::create(&child.log)?;
    let mut command = Command::new(&child.program);
    command.arg("engine").arg("--source").arg(child.source.path());
    if matches!(child.source, Source::Library(_)) {
        command.arg("--library");
    }
    command
        .arg("--data")
        .arg(&child.data)
        .arg("--server-config")
        .arg(&child.server_config)
        .args(["--port", &child.port.to_string()])
        .args(["--parent", &std::process::id().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::from(log.try_clone()?))
        .stderr(Stdio::from(log));
    let mut process = command.spawn()?;
    let pipe = process.stdin.take();
    Ok((process, pipe))
}

/// Waits until the process has ended, and says how; `None` if it was told to.
fn wait(mut process: Process, shared: &Shared) -> Option<String> {
    loop {
        let ended = match process.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.to_string()),
            Err(error) => Some(error.to_string()),
        };
        if ended.is_some() {
            return ended.filter(|_| !shared.state().is_stopping);
        }
        if !shared.pause(POLL) {
            end(process);
            return None;
        }
    }
}

fn end(mut process: Process) {
    if let Some(pid) = i32::try_from(process.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let told = Instant::now();
    while told.elapsed() < PATIENCE {
        if !matches!(process.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(POLL);
    }
    let _ = process.kill();
    let _ = process.wait();
}
