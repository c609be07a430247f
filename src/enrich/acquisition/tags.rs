//! The tags of a campaign, out of a page's query string. No other key is read.

use url::form_urlencoded;

use crate::enrich::scrub::storable;

/// The longest value of a tag, in bytes.
const TAG_BYTES_MAX: usize = 500;

/// The allow-listed tags; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// `utm_source`
    pub utm_source: String,
    /// `utm_medium`
    pub utm_medium: String,
    /// `utm_campaign`
    pub utm_campaign: String,
    /// `utm_content`
    pub utm_content: String,
    /// `utm_term`
    pub utm_term: String,
    /// `source`
    pub source: String,
    /// `ref`
    pub reference: String,
    /// The first click id that there is.
    pub click_id: Option<ClickId>,
}

/// The kind of an advertiser's click id. The id itself is a person's, and is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClickId {
    /// Google Ads.
    Gclid,
    /// Google Ads, from an app to the web.
    Gbraid,
    /// Google Ads, from the web to an app.
    Wbraid,
    /// Google Marketing Platform.
    Dclid,
    /// Microsoft Advertising.
    Msclkid,
    /// Meta.
    Fbclid,
    /// TikTok.
    Ttclid,
    /// X.
    Twclid,
    /// LinkedIn.
    LiFatId,
    /// Yandex.
    Yclid,
}

impl ClickId {
    /// Every kind there is.
    pub const ALL: [Self; 10] = [
        Self::Gclid,
        Self::Gbraid,
        Self::Wbraid,
        Self::Dclid,
        Self::Msclkid,
        Self::Fbclid,
        Self::Ttclid,
        Self::Twclid,
        Self::LiFatId,
        Self::Yclid,
    ];

    /// The key that carries it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gclid => "gclid",
            Self::Gbraid => "gbraid",
            Self::Wbraid => "wbraid",
            Self::Dclid => "dclid",
            Self::Msclkid => "msclkid",
            Self::Fbclid => "fbclid",
            Self::Ttclid => "ttclid",
            Self::Twclid => "twclid",
            Self::LiFatId => "li_fat_id",
            Self::Yclid => "yclid",
        }
    }

    /// The kind that a key carries.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == key)
    }
}

impl Tags {
    /// Reads a query string, without its `?`. Of a key that is there twice, the first counts.
    pub fn from_query(query: &str) -> Self {
        let mut tags = Self::default();
        if query.is_empty() {
            return tags;
        }
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*key {
                "utm_source" => &mut tags.utm_source,
                "utm_medium" => &mut tags.utm_medium,
                "utm_campaign" => &mut tags.utm_campaign,
                "utm_content" => &mut tags.utm_content,
                "utm_term" => &mut tags.utm_term,
                "source" => &mut tags.source,
                "ref" => &mut tags.reference,
                other => {
                    tags.click_id =
                        tags.click_id.or_else(|| ClickId::of(other).filter(|_| !value.is_empty()));
                    continue;
                }
            };
            if place.is_empty() {
                *place = storable(value.trim(), TAG_BYTES_MAX);
            }
        }
        tags
    }

    /// The source that the page was tagged with.
    pub(super) fn tagged_source(&self) -> Option<&str> {
        [&self.utm_source, &self.source, &self.reference]
            .into_iter()
            .map(String::as_str)
            .find(|tag| !tag.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_keys_are_read() {
        let tags = Tags::from_query(
            "utm_source=a+b&utm_source=c&utm_medium=%C3%A4&email=me%40example.com&fbclid=secret",
        );
        let expected = Tags {
            utm_source: "a b".into(),
            utm_medium: "ä".into(),
            click_id: Some(ClickId::Fbclid),
            ..Tags::default()
        };
        assert_eq!(tags, expected);
    }

    #[test]
    fn a_tag_is_cut_and_holds_nothing_that_can_not_be_seen() {
        let tags = Tags::from_query(&format!("utm_term=a%00b{}", "x".repeat(1000)));
        assert_eq!((tags.utm_term.len(), &tags.utm_term[..3]), (500, "abx"));
    }

    #[test]
    fn what_can_not_be_seen_hides_nothing_from_the_masks() {
        let tags = Tags::from_query("utm_source=me%40exa%10mple.com");
        assert_eq!(tags.utm_source, "[email]");
    }

    #[test]
    fn no_half_of_an_address_is_left_where_a_tag_is_cut() {
        let address = "me@example.com";
        for (length, encoded) in (480..TAG_BYTES_MAX).flat_map(|length| {
            ["me%40example.com", "me%2540example.com"].map(|encoded| (length, encoded))
        }) {
            let before = "term ".repeat(100)[..length].to_owned();
            let tags = Tags::from_query(&format!("utm_term={before}%20{encoded}"));
            let stored = &tags.utm_term;
            assert!(stored.len() <= TAG_BYTES_MAX && stored.starts_with(before.trim_end()));
            assert!(!stored.contains("me@") && !stored.contains("me%"), "{length}: {stored}");
        }
        // The control: cut first, no mask knows what is left of it.
        let sent = format!("{} {address}", "x ".repeat(245));
        assert!(storable(&sent[..TAG_BYTES_MAX], TAG_BYTES_MAX).contains("me@"));
        assert!(!storable(&sent, TAG_BYTES_MAX).contains("me@"));
    }
}
