//! A site: the unit that has visitors, reports and a time zone; with its goals and segments.

pub mod goal;
pub mod segment;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use self::goal::{Goal, GoalKind};
use self::segment::Segment;

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
    /// What it wants its visitors to do.
    pub goals: Vec<Goal>,
    /// Sets of filters that it has given names.
    pub segments: Vec<Segment>,
}

impl Site {
    /// A site of which nothing more is said: it keeps its events, and its reports to itself.
    pub fn new(id: SiteId, domain: impl Into<String>, timezone: TimeZone) -> Self {
        Self {
            id,
            domain: domain.into(),
            timezone,
            retention_days: None,
            public: false,
            goals: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// The currency that revenue of a custom event is reported in, if the site has a goal that says so.
    pub fn currency_of(&self, event_name: &str) -> Option<&str> {
        let of_event =
            |goal: &&Goal| matches!(&goal.kind, GoalKind::Event(name) if name == event_name);
        self.goals.iter().filter(of_event).find_map(|goal| goal.currency.as_deref())
    }

    /// The IANA name of the site's time zone, as ClickHouse knows it too.
    pub fn timezone_name(&self) -> &str {
        // Unwrap safety: sites are made from names only (`Catalog` refuses anything else).
        self.timezone.iana_name().unwrap_or("UTC")
    }
}
