//! Why a change of the catalog was not made.

use super::sites::RETENTION_DAYS_MAX;
use crate::store::StoreError;

/// A change of the catalog was not made.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The domain can not be one.
    #[error("domain `{0}` is not a host name: give it as `example.com`, without https:// and path")]
    Domain(String),
    /// There is no such time zone.
    #[error("timezone `{0}` is not an IANA time zone name such as Europe/Berlin")]
    TimeZone(String),
    /// The number of days is out of bounds.
    #[error("retention_days {0} is more than {RETENTION_DAYS_MAX}")]
    RetentionDays(u32),
    /// There is no such site.
    #[error("there is no site `{0}`: `passerby site list` shows the sites there are")]
    UnknownSite(String),
    /// There is no such token.
    #[error("there is no token `{0}`: `passerby token list` shows the tokens there are")]
    UnknownToken(String),
    /// The system gave no random bytes.
    #[error("the system's random generator does not answer")]
    NoRandomness,
    /// ClickHouse did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
