//! Where the engine is.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest `clickhouse` whose `local` mode can listen.
const MAJOR_VERSION_MIN: u32 = 26;

/// The name of the engine's library on this platform.
#[cfg(target_os = "macos")]
pub const LIBRARY: &str = "libchdb.dylib";
/// The name of the engine's library on this platform.
#[cfg(not(target_os = "macos"))]
pub const LIBRARY: &str = "libchdb.so";

/// What the engine is run from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A stock `clickhouse` binary.
    Binary(PathBuf),
    /// The engine as a library.
    Library(PathBuf),
}

impl Source {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Binary(path) | Self::Library(path) => path,
        }
    }
}

/// There is no engine.
#[derive(Debug, thiserror::Error)]
pub enum NoEngine {
    /// None of the places has one.
    #[error(
        "there is no ClickHouse engine: run `make engine` in Passerby's sources, or install clickhouse {MAJOR_VERSION_MIN} \
         or later, or set clickhouse.url to a server"
    )]
    NotFound,
    /// The configured path is none.
    #[error("engine.path {0} is not there: give the path of {LIBRARY} or of a clickhouse binary")]
    NotThere(String),
    /// The configured binary is too old, or none.
    #[error("engine.path {0} is not clickhouse {MAJOR_VERSION_MIN} or later")]
    TooOld(String),
}

/// Finds the engine: the configured one, else a recent `clickhouse` on the search path, else the
/// library beside the program or where packages put it.
///
/// # Errors
/// [`NoEngine`], which says what to do.
pub fn discover(configured: Option<&Path>, search_path: Option<&str>) -> Result<Source, NoEngine> {
    if let Some(path) = configured {
        return chosen(path);
    }
    let on_path = search_path
        .into_iter()
        .flat_map(std::env::split_paths)
        .map(|directory| directory.join("clickhouse"));
    for binary in on_path {
        if binary.is_file() && is_recent(&binary) {
            return Ok(Source::Binary(binary));
        }
    }
    library_places()
        .into_iter()
        .find(|path| path.is_file())
        .map(Source::Library)
        .ok_or(NoEngine::NotFound)
}

fn chosen(path: &Path) -> Result<Source, NoEngine> {
    let shown = || path.display().to_string();
    if !path.is_file() {
        return Err(NoEngine::NotThere(shown()));
    }
    // The engine's working directory is not the collector's.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let is_library =
        path.extension().is_some_and(|extension| extension == "so" || extension == "dylib");
    match is_library {
        true => Ok(Source::Library(path)),
        false if is_recent(&path) => Ok(Source::Binary(path)),
        false => Err(NoEngine::TooOld(shown())),
    }
}

fn library_places() -> Vec<PathBuf> {
    let beside =
        std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_owned));
    let relative = beside.iter().flat_map(|directory| {
        // Tests are built one directory deeper than the program.
        [
            directory.join(LIBRARY),
            directory.join("../lib/passerby").join(LIBRARY),
            directory.join("..").join(LIBRARY),
        ]
    });
    let packaged = ["/usr/lib/passerby", "/usr/local/lib/passerby"]
        .iter()
        .map(|directory| Path::new(directory).join(LIBRARY));
    relative.chain(packaged).collect()
}

fn is_recent(binary: &Path) -> bool {
    let Ok(output) = Command::new(binary).args(["local", "--version"]).output() else {
        return false;
    };
    output.status.success()
        && major_version(&String::from_utf8_lossy(&output.stdout)) >= Some(MAJOR_VERSION_MIN)
}

/// The `26` of `ClickHouse local version 26.7.2.1 (official build).`
fn major_version(text: &str) -> Option<u32> {
    let number = text.split_ascii_whitespace().skip_while(|word| *word != "version").nth(1)?;
    number.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_the_binary_says() {
        assert_eq!(major_version("ClickHouse local version 26.7.2.1 (official build)."), Some(26));
        assert_eq!(major_version("ClickHouse client version 18.16.1."), Some(18));
        assert_eq!(major_version("bash: no such file"), None);
    }

    #[test]
    fn a_configured_path_that_is_no_engine_is_refused_with_what_to_do() {
        let error = discover(Some(Path::new("/nowhere/libchdb.so")), None).unwrap_err().to_string();
        assert!(error.contains("engine.path /nowhere/libchdb.so is not there"), "{error}");
        let error = discover(Some(Path::new("/bin/true")), None).unwrap_err();
        assert!(matches!(error, NoEngine::TooOld(_)), "{error}");
    }

    #[test]
    fn a_clickhouse_that_is_too_old_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let binary = directory.path().join("clickhouse");
        std::fs::write(&binary, "#!/bin/sh\necho 'ClickHouse local version 18.16.1.'\n").unwrap();
        let mut permissions = std::fs::metadata(&binary).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
        std::fs::set_permissions(&binary, permissions).unwrap();
        let found = discover(None, directory.path().to_str());
        assert_ne!(found.ok(), Some(Source::Binary(binary.clone())));
        std::fs::write(
            &binary,
            "#!/bin/sh\necho 'ClickHouse local version 27.1.1.1 (official build).'\n",
        )
        .unwrap();
        assert_eq!(discover(None, directory.path().to_str()).unwrap(), Source::Binary(binary));
    }
}
