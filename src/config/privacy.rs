//! `[privacy]`: the privacy boundary.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;
use super::sites::by_domain;
use crate::privacy::OnObjection;
use crate::site::policy::{CNIL_PREFIXES_MAX, ConsentMode, Policies, Policy, Profile};

/// `[privacy]`
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Privacy {
    /// Leading bits of an IPv4 address that are used, 8 to 32.
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that are used, 16 to 128.
    pub ipv6_prefix: u8,
    /// What becomes of the views of visitors who send `Sec-GPC: 1` or `DNT: 1`.
    pub on_objection: OnObjection,
    /// A tmpfs directory where the day's salt outlives a restart; by default one under `/dev/shm`.
    pub salt_dir: Option<PathBuf>,
    /// How much is kept of a visit.
    pub profile: Profile,
    /// Whether visitors are asked before they are measured.
    pub consent: ConsentMode,
    /// Other choices for some sites, by domain.
    pub sites: BTreeMap<String, SitePrivacy>,
}

/// `[privacy.sites."DOMAIN"]`: what is not chosen is as for all sites.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SitePrivacy {
    /// As in [`Privacy`].
    pub profile: Option<Profile>,
    /// As in [`Privacy`].
    pub consent: Option<ConsentMode>,
}

impl Default for Privacy {
    fn default() -> Self {
        Self {
            ipv4_prefix: 24,
            ipv6_prefix: 48,
            on_objection: OnObjection::Anonymous,
            salt_dir: None,
            profile: Profile::Standard,
            consent: ConsentMode::NotAsked,
            sites: BTreeMap::new(),
        }
    }
}

impl Privacy {
    /// What holds for each site.
    pub fn policies(&self) -> Policies {
        let everywhere = Policy { profile: self.profile, consent: self.consent };
        let of_site = |(domain, own): (&String, &SitePrivacy)| {
            let profile = own.profile.unwrap_or(everywhere.profile);
            let consent = own.consent.unwrap_or(everywhere.consent);
            (domain.clone(), Policy { profile, consent })
        };
        Policies { everywhere, sites: self.sites.iter().map(of_site).collect() }
    }

    pub(super) fn check(&mut self) -> Result<(), ConfigError> {
        self.sites = by_domain("privacy.sites", std::mem::take(&mut self.sites))?;
        let prefix =
            |key, value: u8, bounds: RangeInclusive<u8>, rule| match bounds.contains(&value) {
                true => Ok(()),
                false => Err(ConfigError::out_of_bounds(key, value.to_string(), rule)),
            };
        prefix("privacy.ipv4_prefix", self.ipv4_prefix, 8..=32, "from 8 to 32 bits")?;
        prefix("privacy.ipv6_prefix", self.ipv6_prefix, 16..=128, "from 16 to 128 bits")?;
        self.fits_its_profile()
    }

    /// The strict profile needs short addresses, and visitors who can object.
    fn fits_its_profile(&self) -> Result<(), ConfigError> {
        if !self.policies().have(Profile::Cnil) {
            return Ok(());
        }
        let (ipv4_max, ipv6_max) = CNIL_PREFIXES_MAX;
        let wrong = |key, value: String, rule| Err(ConfigError::out_of_bounds(key, value, rule));
        if self.ipv4_prefix > ipv4_max {
            let rule = "24 or less, because privacy.profile is cnil";
            return wrong("privacy.ipv4_prefix", self.ipv4_prefix.to_string(), rule);
        }
        if self.ipv6_prefix > ipv6_max {
            let rule = "48 or less, because privacy.profile is cnil";
            return wrong("privacy.ipv6_prefix", self.ipv6_prefix.to_string(), rule);
        }
        if self.on_objection == OnObjection::Ignore {
            let rule = "anonymous or drop, because privacy.profile is cnil";
            return wrong("privacy.on_objection", "ignore".to_owned(), rule);
        }
        Ok(())
    }
}
