//! A site: the unit that has visitors, reports and a time zone.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// What rows call a site: a number that outlives a change of its domain. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(pub u32);

/// A registered site, as the catalog knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// The number that its rows carry.
    pub id: SiteId,
    /// The name it is known by: a host name without a leading `www.`, lower-case, at most 253 bytes.
    pub domain: String,
    /// Where its days begin and end. The salt, the reports and the retention go by it.
    pub timezone: TimeZone,
    /// Days that events are kept; `None` keeps them until they are erased.
    pub retention_days: Option<u32>,
    /// Whether anybody may read its reports without signing in.
    pub public: bool,
}

impl Site {
    /// The IANA name of the site's time zone, as ClickHouse knows it too.
    pub fn timezone_name(&self) -> &str {
        // Unwrap safety: sites are made from names only (`Catalog` refuses anything else).
        self.timezone.iana_name().unwrap_or("UTC")
    }
}
