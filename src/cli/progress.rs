//! How far a long command has come: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::output;

/// How often there is a line where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows how much of something is done.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    of: u64,
    last_line: Instant,
}

impl Progress {
    /// Shows nothing done yet of `of` units; `what` names the units and what becomes of them.
    pub(super) fn new(of: u64, what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "  {bar:32.cyan/dim} {percent:>3} %  {human_pos} {msg}  {per_sec}  {eta} left",
            );
            ProgressBar::new(of)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_message(what)
        });
        Self { bar, what, of, last_line: Instant::now() }
    }

    /// Shows that so much is done.
    pub(super) fn set(&mut self, done: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(done.min(self.of)),
            None if self.last_line.elapsed() >= LINE_INTERVAL => {
                self.last_line = Instant::now();
                output::tell(format!(
                    "  {} of {} {}",
                    HumanCount(done),
                    HumanCount(self.of),
                    self.what
                ));
            }
            None => {}
        }
    }

    /// Leaves the screen as it was.
    pub(super) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
