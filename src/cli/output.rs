//! Where the commands write.

use std::io::Write;

/// Writes what a command made: for programs, alone on a line of standard output.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn made(text: impl std::fmt::Display) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Writes what a command made as it is: a file's bytes.
///
/// # Errors
/// When nobody reads it any more.
pub(super) fn bytes(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Tells whoever typed the command something, on standard error.
pub(super) fn tell(text: impl std::fmt::Display) {
    // Nobody there to be told is no failure of the command.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
