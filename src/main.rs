//! The program: hands the environment to the command line, and says why a command failed.

use std::alloc::System;
use std::io::Write;
use std::process::ExitCode;

use passerby::cli;
use passerby::config::Environment;
use zeroizing_alloc::ZeroAlloc;

/// What is freed is wiped: addresses and user agents end with their requests, in memory, too.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    match cli::run(Environment::of_the_process()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it.
            let _ = writeln!(std::io::stderr().lock(), "passerby: {error:#}");
            ExitCode::FAILURE
        }
    }
}
