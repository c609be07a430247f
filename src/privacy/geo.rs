//! Places: from the leading bits of an address to a country, a region and a city.
//!
//! Any MaxMind-format database will do (`.mmdb`, of cities or countries). A newer file in its place is
//! taken up while the collector runs; one that cannot be read is not, and the old one stays. Without a
//! database there is simply no place.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use maxminddb::{Reader, geoip2};

use super::client::Truncated;
use crate::telemetry::ToldOnce;

/// A database older than this is worth a warning.
const AGE_DAYS_MAX: i64 = 60;

/// Where a request came from; a part that is not known is empty, or 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// ISO 3166-2 code, such as `DE-BE`.
    pub region: String,
    /// The region's English name.
    pub region_name: String,
    /// GeoNames id.
    pub city: u32,
    /// The city's English name.
    pub city_name: String,
}

/// The place database.
pub struct Geo {
    path: Option<PathBuf>,
    loaded: RwLock<Option<Arc<Loaded>>>,
    refused: ToldOnce,
}

struct Loaded {
    reader: Reader<Vec<u8>>,
    identity: Identity,
}

/// What changes when a file is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    inode: u64,
    bytes: u64,
    modified_ns: i128,
}

/// The configured database can not be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "geo.database {path} can not be read ({reason}): give the path of an .mmdb file, or leave it out"
)]
pub struct GeoError {
    path: String,
    reason: String,
}

impl Geo {
    /// No places.
    pub fn none() -> Self {
        Self { path: None, loaded: RwLock::new(None), refused: ToldOnce::default() }
    }

    /// Opens the database at `path`, if there is one, and warns when it is old.
    ///
    /// # Errors
    /// [`GeoError`], when it is not there or no database.
    pub fn open(path: Option<&Path>, now: Timestamp) -> Result<Self, GeoError> {
        let Some(path) = path else { return Ok(Self::none()) };
        let loaded = load(path)?;
        warn_when_old(path, &loaded, now);
        let loaded = RwLock::new(Some(Arc::new(loaded)));
        Ok(Self { path: Some(path.to_owned()), loaded, refused: ToldOnce::default() })
    }

    /// Takes up a newer file. A timer calls it.
    pub fn reload_if_replaced(&self, now: Timestamp) {
        let Some(path) = &self.path else { return };
        match self.newer(path) {
            None => {}
            Some(Ok(loaded)) => {
                warn_when_old(path, &loaded, now);
                *self.loaded.write().unwrap_or_else(PoisonError::into_inner) =
                    Some(Arc::new(loaded));
                tracing::info!(path = %path.display(), "the place database was replaced and is in use");
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "the new place database is not used; the old one is")
            }
        }
    }

    /// What the file has, if it is another than is in use, or, once, what is wrong with it. It is tried again each time: what is wrong
    /// need not be in the file.
    fn newer(&self, path: &Path) -> Option<Result<Loaded, GeoError>> {
        let in_use = self.loaded().map(|loaded| loaded.identity);
        if identity(path).ok() == in_use {
            self.refused.is_over();
            return None;
        }
        match load(path) {
            Ok(loaded) => {
                self.refused.is_over();
                Some(Ok(loaded))
            }
            Err(error) => self.refused.is_new(&error).then_some(Err(error)),
        }
    }

    fn loaded(&self) -> Option<Arc<Loaded>> {
        self.loaded.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn place(&self, address: &Truncated) -> Place {
        let Some(loaded) = self.loaded() else { return Place::default() };
        let found = loaded
            .reader
            .lookup(address.address())
            .ok()
            .and_then(|found| found.decode::<geoip2::City<'_>>().ok().flatten());
        found.map(|city| place(&city)).unwrap_or_default()
    }
}

fn place(found: &geoip2::City<'_>) -> Place {
    let country = found.country.iso_code.or(found.registered_country.iso_code).unwrap_or_default();
    let subdivision = found.subdivisions.first();
    let region =
        subdivision.and_then(|subdivision| subdivision.iso_code).filter(|code| !code.is_empty());
    Place {
        country: country.to_owned(),
        region: region.map(|code| format!("{country}-{code}")).unwrap_or_default(),
        region_name: subdivision
            .and_then(|subdivision| subdivision.names.english)
            .unwrap_or_default()
            .to_owned(),
        city: found.city.geoname_id.unwrap_or(0),
        city_name: found.city.names.english.unwrap_or_default().to_owned(),
    }
}

fn load(path: &Path) -> Result<Loaded, GeoError> {
    let error = |reason: String| GeoError { path: path.display().to_string(), reason };
    let identity = identity(path).map_err(|reason| error(reason.to_string()))?;
    let reader = Reader::open_readfile(path).map_err(|reason| error(reason.to_string()))?;
    Ok(Loaded { reader, identity })
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    let metadata = std::fs::metadata(path)?;
    let modified_ns =
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Ok(Identity { inode: metadata.ino(), bytes: metadata.len(), modified_ns })
}

fn warn_when_old(path: &Path, loaded: &Loaded, now: Timestamp) {
    let built = i64::try_from(loaded.reader.metadata().build_epoch).unwrap_or(0);
    let age_days = (now.as_second() - built) / 86_400;
    if age_days > AGE_DAYS_MAX {
        tracing::warn!(path = %path.display(), age_days, "the place database is old; put a newer file in its place");
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::ClientIp;
    use super::*;

    const PLACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/places.mmdb");

    fn now() -> Timestamp {
        "2026-12-01T00:00:00Z".parse().unwrap()
    }

    fn place_of(geo: &Geo, address: &str) -> Place {
        geo.place(&ClientIp::new(address.parse().unwrap()).truncate(24, 48))
    }

    #[test]
    fn a_truncated_address_has_a_place() {
        let geo = Geo::open(Some(Path::new(PLACES)), now()).unwrap();
        let berlin = Place {
            country: "DE".into(),
            region: "DE-BE".into(),
            region_name: "Berlin".into(),
            city: 2_950_159,
            city_name: "Berlin".into(),
        };
        assert_eq!(place_of(&geo, "192.0.2.77"), berlin);
        assert_eq!(place_of(&geo, "2001:db8::1"), berlin);
        assert_eq!(place_of(&geo, "203.0.113.9").city_name, "Boston");
    }

    #[test]
    fn what_the_database_does_not_know_is_empty() {
        let geo = Geo::open(Some(Path::new(PLACES)), now()).unwrap();
        assert_eq!(place_of(&geo, "8.8.8.8"), Place::default());
        let country_alone = Place { country: "CH".into(), ..Place::default() };
        assert_eq!(place_of(&geo, "2001:db8:1::1"), country_alone);
        assert_eq!(place_of(&Geo::none(), "192.0.2.77"), Place::default());
    }

    #[test]
    fn a_database_that_can_not_be_read_is_named_with_what_to_do() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "no database").unwrap();
        for path in [Path::new("/nowhere/places.mmdb"), file.path()] {
            let error = Geo::open(Some(path), now()).err().expect("it was read").to_string();
            assert!(
                error.contains(&*path.to_string_lossy()) && error.contains("geo.database"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_newer_file_is_taken_up_and_a_broken_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("places.mmdb");
        std::fs::copy(PLACES, &path).unwrap();
        let geo = Geo::open(Some(&path), now()).unwrap();
        let replace = |contents: &[u8]| {
            let fresh = directory.path().join("fresh");
            std::fs::write(&fresh, contents).unwrap();
            std::fs::rename(&fresh, &path).unwrap();
            geo.reload_if_replaced(now());
            // One that can not be used is told of once.
            assert!(geo.newer(&path).is_none());
        };
        replace(b"broken");
        assert_eq!(place_of(&geo, "192.0.2.1").city_name, "Berlin");
        let mut renamed = std::fs::read(PLACES).unwrap();
        let name = renamed.windows(6).position(|window| window == b"Boston").unwrap();
        renamed[name..name + 6].copy_from_slice(b"Bostin");
        replace(&renamed);
        assert_eq!(place_of(&geo, "203.0.113.1").city_name, "Bostin");
    }
}
