//! Why an event is not counted.
//!
//! The reasons are a closed list: each is a value of the `x-passerby-dropped` header and a label of a
//! counter. What is judged here is what sent whoever sent a beacon; that they are no bot is told by their user agent
//! ([`Agent::is_bot`](crate::enrich::agent::Agent::is_bot)), and whether the site is known, the visit is open and the limits are kept is found on the
//! way.

mod spam;

/// Why an event was understood and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DropReason {
    /// The user agent is a bot's.
    Bot,
    /// A trusted proxy says that the address is a data centre's.
    DataCentre,
    /// There was attention to a page, but no visit that it could belong to.
    NoSessionForEngagement,
    /// The site asks for consent, and the beacon does not tell of it.
    NoConsent,
    /// The visitor objects, and the operator drops such views; or the page said so itself.
    Objection,
    /// One beacon is for several sites, which the profile of this one does not allow.
    SeveralSites,
    /// The referrer is known to send visits that nobody made.
    SpamReferrer,
    /// Too much comes from the network that it came from.
    ThrottleNetwork,
    /// Too much comes for the site.
    ThrottleSite,
    /// No site has that domain.
    UnknownSite,
}

impl DropReason {
    /// Every reason there is.
    pub const ALL: [Self; 10] = [
        Self::Bot,
        Self::DataCentre,
        Self::NoSessionForEngagement,
        Self::NoConsent,
        Self::Objection,
        Self::SeveralSites,
        Self::SpamReferrer,
        Self::ThrottleNetwork,
        Self::ThrottleSite,
        Self::UnknownSite,
    ];

    /// The reason in headers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::DataCentre => "dc_ip",
            Self::NoSessionForEngagement => "no_session_for_engagement",
            Self::NoConsent => "no_consent",
            Self::Objection => "objection",
            Self::SeveralSites => "several_sites",
            Self::SpamReferrer => "spam_referrer",
            Self::ThrottleNetwork => "throttle_network",
            Self::ThrottleSite => "throttle_site",
            Self::UnknownSite => "unknown_site",
        }
    }
}

/// Whether a referrer is one of spam.
pub fn referrer(referrer: &str) -> Option<DropReason> {
    spam::is_spam(referrer).then_some(DropReason::SpamReferrer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let mut names = DropReason::ALL.map(DropReason::as_str);
        names.sort_unstable();
        assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
        assert!(
            names
                .iter()
                .all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        );
    }
}
