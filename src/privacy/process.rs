//! What keeps the memory of the process from being written to a disk.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps, which would hold the day's salts. Where the system does not let it, the
/// collector says so and goes on.
pub fn harden_process() {
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%error, "core dumps could not be forbidden");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "the process could not be made undumpable");
    }
}
