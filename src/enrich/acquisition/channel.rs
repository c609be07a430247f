//! The marketing channel of a visit: the first row of the field's table that applies.
//!
//! The table is that of `Default channel group` as the field has it, with a channel of our own for
//! assistants. All comparisons are of lower-case text.

use super::source::{Category, category};

/// The channel of a visit, from what is stored of where it came from. `utm_medium` is as the page was
/// tagged; `click_id_kind` tells paid search where there is no tag.
pub fn channel(
    source: &str,
    utm_source: &str,
    utm_medium: &str,
    utm_campaign: &str,
    click_id_kind: &str,
) -> &'static str {
    let [tag, medium, campaign] = [utm_source, utm_medium, utm_campaign].map(str::to_lowercase);
    let (tag, medium, campaign) = (tag.as_str(), medium.as_str(), campaign.as_str());
    let category = category(source);
    let is = |wanted| category == Some(wanted);
    let is_paid_medium = medium.contains("cp")
        || matches!(medium, "ppc" | "retargeting")
        || medium.starts_with("paid");
    let is_paid = is_paid_medium || is_ad_alias(tag);
    let is_shopping = is(Category::Shopping) || is_shopping_campaign(campaign);
    let clicked = |name, kind| source == name && click_id_kind == kind;
    let contains_mail = |text: &str| {
        ["email", "e-mail", "e_mail", "e mail", "newsletter"].iter().any(|word| text.contains(word))
    };

    if campaign.contains("cross-network") {
        "Cross-network"
    } else if is_shopping && is_paid_medium {
        "Paid Shopping"
    } else if (is(Category::Search) && is_paid)
        || clicked("Google", "gclid")
        || clicked("Bing", "msclkid")
    {
        "Paid Search"
    } else if is(Category::Social) && is_paid {
        "Paid Social"
    } else if is(Category::Video) && is_paid {
        "Paid Video"
    } else if matches!(medium, "display" | "banner" | "expandable" | "interstitial" | "cpm") {
        "Display"
    } else if is_paid_medium {
        "Paid Other"
    } else if is_shopping {
        "Organic Shopping"
    } else if is(Category::Social) || is_social_medium(medium) {
        "Organic Social"
    } else if is(Category::Video) || medium.contains("video") {
        "Organic Video"
    } else if is(Category::Ai) {
        "AI Assistant"
    } else if is(Category::Search) {
        "Organic Search"
    } else if is(Category::Email) || contains_mail(tag) || contains_mail(medium) {
        "Email"
    } else if medium == "affiliate" {
        "Affiliates"
    } else if medium == "audio" {
        "Audio"
    } else if tag == "sms" || medium == "sms" {
        "SMS"
    } else if is(Category::Push)
        || medium.ends_with("push")
        || medium.contains("mobile")
        || medium.contains("notification")
    {
        "Mobile Push Notifications"
    } else if matches!(medium, "referral" | "app" | "link") || !source.is_empty() {
        "Referral"
    } else {
        "Direct"
    }
}

/// Tags under which advertisers' own tools send visits.
fn is_ad_alias(tag: &str) -> bool {
    const ALIASES: [&str; 29] = [
        "adwords",
        "bing_ads",
        "bingads",
        "ecosia-ads",
        "facebook-ad",
        "facebook-ads",
        "facebook_ad",
        "facebook_ads",
        "facebookads",
        "fb-ads",
        "fbads",
        "google-ads",
        "google_ads",
        "googleads",
        "ig_ads",
        "instagram-ads",
        "instagram_ads",
        "linkedin-ads",
        "linkedin_ads",
        "pinterest_ads",
        "reddit-ads",
        "reddit_ads",
        "snapchat_ads",
        "tiktok_ads",
        "tiktokads",
        "twitter-ads",
        "twitter_ads",
        "youtube_ads",
        "yt-ads",
    ];
    ALIASES.contains(&tag)
}

fn is_social_medium(medium: &str) -> bool {
    matches!(
        medium,
        "social" | "social-network" | "social-media" | "sm" | "social network" | "social media"
    )
}

/// Contains `shopping`; or `shop` at the start, or after anything but a letter other than `e`: an `eshop` is
/// a shop, a `workshop` is none.
fn is_shopping_campaign(campaign: &str) -> bool {
    let begins_a_word = |place: usize| {
        campaign[..place]
            .chars()
            .next_back()
            .is_none_or(|before| before == 'e' || !before.is_ascii_lowercase())
    };
    campaign.contains("shopping")
        || campaign.match_indices("shop").any(|(place, _)| begins_a_word(place))
}

#[cfg(test)]
mod tests {
    use super::channel;

    #[track_caller]
    fn check(
        source: &str,
        utm_source: &str,
        utm_medium: &str,
        utm_campaign: &str,
        click_id_kind: &str,
        expected: &str,
    ) {
        let found = channel(source, utm_source, utm_medium, utm_campaign, click_id_kind);
        assert_eq!(
            found, expected,
            "{source}/{utm_source}/{utm_medium}/{utm_campaign}/{click_id_kind}"
        );
    }

    #[test]
    fn every_tag_of_ads_that_is_known_is_one_of_an_advertisers_tool() {
        let keys = super::super::source::keys();
        let of_ads = keys.filter(|key| {
            key.rsplit(['-', '_']).next().is_some_and(|last| matches!(last, "ad" | "ads"))
                || matches!(*key, "bingads" | "facebookads" | "fbads" | "googleads" | "tiktokads")
        });
        let others: Vec<&str> = of_ads.filter(|key| !super::is_ad_alias(key)).collect();
        assert!(others.is_empty(), "{others:?}");
    }

    #[test]
    fn the_first_row_that_applies_is_the_channel() {
        check("Google", "google", "cpc", "x-Cross-Network", "", "Cross-network");
        check("Amazon", "", "cpc", "", "", "Paid Shopping");
        check("Google", "", "ppc", "spring-shopping", "", "Paid Shopping");
        check("Google", "", "CPC", "", "", "Paid Search");
        check("Google", "adwords", "", "", "", "Paid Search");
        check("Google", "", "", "", "gclid", "Paid Search");
        check("Bing", "", "", "", "msclkid", "Paid Search");
        check("Bing", "", "", "", "gclid", "Organic Search");
        check("Facebook", "", "paid", "", "", "Paid Social");
        check("Facebook", "fb-ads", "", "", "", "Paid Social");
        check("YouTube", "", "cpv-cp", "", "", "Paid Video");
        check("YouTube", "yt-ads", "", "", "", "Paid Video");
        check("blog.example", "", "banner", "", "", "Display");
        check("blog.example", "", "retargeting", "", "", "Paid Other");
        check("eBay", "", "", "", "", "Organic Shopping");
        check("blog.example", "", "", "eshop-sale", "", "Organic Shopping");
        check("blog.example", "", "", "workshop", "", "Referral");
        check("blog.example", "", "", "shop", "", "Organic Shopping");
        check("blog.example", "", "", "my_shop", "", "Organic Shopping");
        check("Reddit", "", "", "", "", "Organic Social");
        check("blog.example", "", "social-media", "", "", "Organic Social");
        check("Vimeo", "", "", "", "", "Organic Video");
        check("blog.example", "", "video-post", "", "", "Organic Video");
        check("Claude", "", "", "", "", "AI Assistant");
        check("ChatGPT", "chatgpt.com", "", "", "", "AI Assistant");
        check("Ecosia", "", "", "", "", "Organic Search");
        check("Gmail", "", "", "", "", "Email");
        check("Spring", "Spring", "E-Mail", "", "", "Email");
        check("partner", "partner", "affiliate", "", "", "Affiliates");
        check("pod", "pod", "audio", "", "", "Audio");
        check("sms", "sms", "", "", "", "SMS");
        check("x", "x", "web-push", "", "", "Mobile Push Notifications");
        check("x", "x", "mobile-app", "", "", "Mobile Push Notifications");
        check("Firebase", "firebase", "", "", "", "Mobile Push Notifications");
        check("blog.example", "", "", "", "", "Referral");
        check("", "", "link", "", "", "Referral");
        check("", "", "", "", "", "Direct");
    }
}
