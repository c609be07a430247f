//! A site: the unit that has visitors, reports and a time zone.
//!
//! With it its days, its goals, segments, funnels and annotations, the floor under the numbers that some of its
//! readers are told, and who may do what with it.

pub mod annotation;
pub mod day;
pub mod domain;
pub mod floor;
pub mod funnel;
pub mod goal;
pub mod member;
pub mod policy;
pub mod segment;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use self::annotation::Annotation;
use self::floor::Floor;
use self::funnel::Funnel;
use self::goal::{Goal, GoalKind};
use self::policy::Policy;
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
    /// The least number of visitors that everybody is told, when it is public; 1 is every number.
    pub least_visitors: u32,
    /// What it wants its visitors to do.
    pub goals: Vec<Goal>,
    /// Sets of filters that it has given names.
    pub segments: Vec<Segment>,
    /// Steps of a visit that it has given names.
    pub funnels: Vec<Funnel>,
    /// What happened on its days, by day.
    pub annotations: Vec<Annotation>,
    /// How its visitors are measured: not the site's but the operator's choice.
    pub policy: Policy,
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
            least_visitors: Floor::OF_THE_PUBLIC,
            goals: Vec::new(),
            segments: Vec::new(),
            funnels: Vec::new(),
            annotations: Vec::new(),
            policy: Policy::default(),
        }
    }

    /// The floor under what everybody is told of it.
    pub fn public_floor(&self) -> Option<Floor> {
        Floor::of(self.least_visitors)
    }

    /// The currency that revenue of a custom event is reported in, if the site has a goal that says so and
    /// its profile allows revenue.
    pub fn currency_of(&self, event_name: &str) -> Option<&str> {
        if self.policy.profile.is_strict() {
            return None;
        }
        let of_event =
            |goal: &&Goal| matches!(&goal.kind, GoalKind::Event(name) if name == event_name);
        self.goals.iter().filter(of_event).find_map(|goal| goal.currency.as_deref())
    }

    /// The IANA name of the site's time zone, as ClickHouse knows it too.
    pub fn timezone_name(&self) -> &str {
        // Unwrap safety: sites are made from names only (`Catalog` refuses anything else).
        self.timezone.iana_name().unwrap_or("UTC")
    }

    /// The first moment that is still kept: the beginning of the oldest of the site's days, of which today
    /// is the youngest. No event is kept for longer than its site's days. `None`: everything is kept.
    pub fn kept_from(&self, now: Timestamp) -> Option<Timestamp> {
        let days = i64::from(self.retention_days?);
        let oldest = self.timezone.to_datetime(now).date().saturating_sub((days - 1).days());
        // Older than the calendar is older than anything: everything is kept.
        Some(day::start_of(oldest, &self.timezone).unwrap_or(Timestamp::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn site(timezone: &str, days: u32) -> Site {
        let timezone = TimeZone::get(timezone).unwrap();
        Site { retention_days: Some(days), ..Site::new(SiteId(1), "example.com", timezone) }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_never_older_than_the_days_and_hardly_a_day_younger(
            second in 1_500_000_000i64..2_500_000_000, days in 1u32..4_000, zone in 0..4usize,
        ) {
            let zone = ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"][zone];
            let now = Timestamp::from_second(second).unwrap();
            let kept_from = site(zone, days).kept_from(now).unwrap();
            // A clock that is set by an hour on the way makes the days an hour longer or shorter.
            let (bound, hour) = (SignedDuration::from_hours(24 * i64::from(days)), SignedDuration::from_hours(1));
            prop_assert!(now.duration_since(kept_from) < bound + hour);
            prop_assert!(now.duration_since(kept_from) >= bound - SignedDuration::from_hours(25));
        }
    }
}
