//! What a profile leaves of a visit.

use super::acquisition::source_of_referrer;
use crate::event::Attributes;
use crate::site::policy::Profile;

/// The attributes that are stored.
pub fn kept(profile: Profile, attributes: Attributes) -> Attributes {
    if !profile.is_strict() {
        return attributes;
    }
    Attributes {
        // Tags may have named another.
        source: source_of_referrer(&attributes.referrer),
        referrer: attributes.referrer,
        country: attributes.country,
        region: attributes.region,
        region_name: attributes.region_name,
        browser: attributes.browser,
        browser_version: attributes.browser_version,
        os: attributes.os,
        os_version: attributes.os_version,
        device: attributes.device,
        language: attributes.language,
        // No campaign, channel, click id and city: what is new is left out until it is named here.
        ..Attributes::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged() -> Attributes {
        Attributes {
            referrer: "google.com/search".into(),
            source: "Newsletter".into(),
            channel: "Email".into(),
            utm_source: "newsletter".into(),
            utm_campaign: "spring".into(),
            click_id_kind: "gclid".into(),
            country: "FR".into(),
            region: "FR-IDF".into(),
            city: 2_988_507,
            city_name: "Paris".into(),
            browser: "Firefox".into(),
            ..Attributes::default()
        }
    }

    #[test]
    fn the_strict_profile_leaves_no_campaign_and_no_city() {
        let expected = Attributes {
            referrer: "google.com/search".into(),
            source: "Google".into(),
            country: "FR".into(),
            region: "FR-IDF".into(),
            browser: "Firefox".into(),
            ..Attributes::default()
        };
        assert!(kept(Profile::Cnil, tagged()) == expected);
        assert!(kept(Profile::Standard, tagged()) == tagged());
    }
}
