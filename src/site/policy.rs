//! What the operator decided about a site's visitors: how much is kept of a visit, and whether they are asked.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The most days that events are kept for under [`Profile::Cnil`]: 25 months.
pub const CNIL_RETENTION_DAYS_MAX: u32 = 760;
/// The most leading bits of IPv4 and IPv6 addresses that are used under [`Profile::Cnil`].
pub const CNIL_PREFIXES_MAX: (u8, u8) = (24, 48);

/// How much is kept of a visit.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Everything that reports can show.
    #[default]
    Standard,
    /// What the French exemption from consent for measuring audiences leaves: no campaigns, channels, click
    /// ids, revenue and cities, no export of single events, 25 months at most.
    Cnil,
}

/// Whether a site's visitors are asked before they are measured.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentMode {
    /// They are not.
    #[default]
    NotAsked,
    /// They are; without consent an event is counted, and belongs to nobody.
    Anonymous,
    /// They are; without consent nothing is sent, and nothing is counted.
    Required,
}

impl ConsentMode {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "not-asked",
            Self::Anonymous => "anonymous",
            Self::Required => "required",
        }
    }
}

/// What holds for a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How much is kept.
    pub profile: Profile,
    /// Whether visitors are asked.
    pub consent: ConsentMode,
}

/// What holds for each site.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// Of sites that are not named.
    pub everywhere: Policy,
    /// By domain.
    pub sites: BTreeMap<String, Policy>,
}

impl Policies {
    /// What holds for the site of a domain.
    pub fn of(&self, domain: &str) -> Policy {
        self.sites.get(domain).copied().unwrap_or(self.everywhere)
    }

    /// Whether a site that gets another domain would leave rules behind that are for its own alone: who was asked before would be
    /// no more, from one beacon to the next.
    pub fn would_leave(&self, domain: &str, renamed: &str) -> bool {
        self.sites.contains_key(domain) && self.of(domain) != self.of(renamed)
    }

    /// Whether a profile holds for any site that there is or may come.
    pub fn have(&self, profile: Profile) -> bool {
        std::iter::once(&self.everywhere)
            .chain(self.sites.values())
            .any(|policy| policy.profile == profile)
    }
}

impl Profile {
    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Cnil => "cnil",
        }
    }

    /// Whether events are kept for days that the profile allows; `None` is for ever.
    pub fn allows_retention(self, days: Option<u32>) -> bool {
        match self {
            Self::Standard => true,
            Self::Cnil => days.is_some_and(|days| days <= CNIL_RETENTION_DAYS_MAX),
        }
    }

    /// Whether it leaves marketing out: campaigns, channels, click ids, conversions and revenue; and with it
    /// cities, and files that tell of single visitors.
    pub fn is_strict(self) -> bool {
        self == Self::Cnil
    }
}
